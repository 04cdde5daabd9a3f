//! How each pixel type is stored: big endian, unsigned integers shifted by half their range (FITS 4.0, section 5).
//!
//! The only place where bytes of pixels are swapped for FITS.

/// A pixel as FITS stores it.
pub(super) trait Sample: Copy {
    /// Bytes of one pixel.
    const SIZE: usize;
    /// `BITPIX`: negative for floats.
    const BITPIX: i64;
    /// `BZERO`: what a reader adds; 0 when nothing.
    const BZERO: f64;

    /// Stores the pixel into `SIZE` bytes.
    fn put(self, bytes: &mut [u8]);

    /// Reads the pixel from `SIZE` bytes.
    fn take(bytes: &[u8]) -> Self;

    /// The pixel's share of the checksum: the sum of its 32-bit words, or the pixel itself as stored if smaller.
    fn word_sum(self) -> u64;
}

macro_rules! sample {
    ($type:ty, bits $bits:ty, bitpix $bitpix:expr, bzero $bzero:expr,
     store $store:expr, load $load:expr, sum $sum:expr) => {
        impl Sample for $type {
            const SIZE: usize = size_of::<$bits>();
            const BITPIX: i64 = $bitpix;
            const BZERO: f64 = $bzero;

            #[inline(always)]
            fn put(self, bytes: &mut [u8]) {
                let store: fn($type) -> $bits = $store;
                bytes.copy_from_slice(&store(self).to_be_bytes());
            }

            #[inline(always)]
            fn take(bytes: &[u8]) -> Self {
                let load: fn($bits) -> $type = $load;
                let mut stored = [0; size_of::<$bits>()];
                stored.copy_from_slice(bytes);
                load(<$bits>::from_be_bytes(stored))
            }

            #[inline(always)]
            fn word_sum(self) -> u64 {
                let (store, sum): (fn($type) -> $bits, fn($bits) -> u64) = ($store, $sum);
                sum(store(self))
            }
        }
    };
}

fn halves(bits: u64) -> u64 {
    (bits >> 32) + (bits & 0xFFFF_FFFF)
}

sample!(u8, bits u8, bitpix 8, bzero 0.0, store |p| p, load |b| b, sum u64::from);
sample!(i16, bits u16, bitpix 16, bzero 0.0, store |p| p as u16, load |b| b as i16, sum u64::from);
sample!(u16, bits u16, bitpix 16, bzero 32_768.0, store |p| p ^ 0x8000, load |b| b ^ 0x8000, sum u64::from);
sample!(i32, bits u32, bitpix 32, bzero 0.0, store |p| p as u32, load |b| b as i32, sum u64::from);
sample!(u32, bits u32, bitpix 32, bzero 2_147_483_648.0, store |p| p ^ (1 << 31), load |b| b ^ (1 << 31), sum u64::from);
sample!(i64, bits u64, bitpix 64, bzero 0.0, store |p| p as u64, load |b| b as i64, sum halves);
sample!(u64, bits u64, bitpix 64, bzero 9_223_372_036_854_775_808.0,
    store |p| p ^ (1 << 63), load |b| b ^ (1 << 63), sum halves);
sample!(f32, bits u32, bitpix -32, bzero 0.0, store f32::to_bits, load f32::from_bits, sum u64::from);
sample!(f64, bits u64, bitpix -64, bzero 0.0, store f64::to_bits, load f64::from_bits, sum halves);
