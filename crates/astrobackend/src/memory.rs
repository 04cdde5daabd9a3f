//! How the memory of a large picture is got from the system.
//!
//! Memory comes page by page as it is first written to; with pages of 4 KiB, that alone takes longer than receiving
//! the picture does, and turning its columns into rows misses the processor's table of pages at every row.

/// The size of a large page.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;

/// Asks for large pages for all of this memory that fills whole ones. Only a hint; the memory's values stay.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(crate) fn in_large_pages<T>(memory: &mut [T]) {
    let bytes = memory.as_mut_ptr_range();
    let begin = (bytes.start as usize).next_multiple_of(LARGE);
    let end = bytes.end as usize / LARGE * LARGE;
    if begin < end {
        let start = bytes.start.cast::<std::ffi::c_void>().wrapping_byte_add(begin - bytes.start as usize);
        // SAFETY: the pages lie within memory that is borrowed here alone, and this advice changes none of its values.
        let _ = unsafe { rustix::mm::madvise(start, end - begin, rustix::mm::Advice::LinuxHugepage) };
    }
}

/// Elsewhere the system decides.
#[cfg(not(target_os = "linux"))]
pub(crate) fn in_large_pages<T>(_: &mut [T]) {}

#[cfg(test)]
mod tests {
    #[test]
    fn values_stay() {
        for length in [0, 1, 3_000_000, 9_000_001] {
            let mut memory: Vec<u16> = (0..length).map(|n| n as u16).collect();
            super::in_large_pages(&mut memory);
            assert!(memory.iter().enumerate().all(|(n, value)| *value == n as u16));
        }
    }
}
