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
}

macro_rules! sample {
    ($type:ty, bits $bits:ty, bitpix $bitpix:expr, bzero $bzero:expr,
     store $store:expr, load $load:expr) => {
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
        }
    };
}

sample!(u8, bits u8, bitpix 8, bzero 0.0, store |p| p, load |b| b);
sample!(i16, bits u16, bitpix 16, bzero 0.0, store |p| p as u16, load |b| b as i16);
sample!(u16, bits u16, bitpix 16, bzero 32_768.0, store |p| p ^ 0x8000, load |b| b ^ 0x8000);
sample!(i32, bits u32, bitpix 32, bzero 0.0, store |p| p as u32, load |b| b as i32);
sample!(u32, bits u32, bitpix 32, bzero 2_147_483_648.0, store |p| p ^ (1 << 31), load |b| b ^ (1 << 31));
sample!(i64, bits u64, bitpix 64, bzero 0.0, store |p| p as u64, load |b| b as i64);
sample!(u64, bits u64, bitpix 64, bzero 9_223_372_036_854_775_808.0,
    store |p| p ^ (1 << 63), load |b| b ^ (1 << 63));
sample!(f32, bits u32, bitpix -32, bzero 0.0, store f32::to_bits, load f32::from_bits);
sample!(f64, bits u64, bitpix -64, bzero 0.0, store f64::to_bits, load f64::from_bits);
