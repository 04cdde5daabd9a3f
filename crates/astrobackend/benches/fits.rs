//! How fast a 61-megapixel frame becomes FITS and comes back, against the least that could be done:
//! a copy that swaps the bytes. Run with `cargo bench -p astrobackend --bench fits`.
//!
//! Both are measured in turn within one run; printed are medians and the ratio of the medians.

use astrobackend::{
    Image,
    fits::{self, Header},
    image::Pixels,
    observation::Observation,
};
use std::{
    hint::black_box,
    io::Cursor,
    time::{Duration, Instant},
};

const COLUMNS: u32 = 9576;
const ROWS: u32 = 6388;
const ROUNDS: usize = 7;

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn report(name: &str, mut times: Vec<Duration>, floor: Duration) {
    let median = median(&mut times);
    let ratio = median.as_secs_f64() / floor.as_secs_f64();
    println!("{name:44} {:7.1} ms  {ratio:5.2} x", median.as_secs_f64() * 1e3);
}

fn compare(floor_name: &str, mut floor: Vec<Duration>, name: &str, times: Vec<Duration>) {
    let median = median(&mut floor);
    report(floor_name, floor, median);
    report(name, times, median);
}

/// The floor of writing: new memory, every byte written once.
fn swapped_bytes(pixels: &[u16]) -> Vec<u8> {
    pixels.iter().map(|pixel| pixel.to_be_bytes()).collect::<Vec<_>>().into_flattened()
}

/// The floor into memory that is there already.
fn swap_into(pixels: &[u16], bytes: &mut [u8]) {
    for (pixel, place) in pixels.iter().zip(bytes.chunks_exact_mut(2)) {
        place.copy_from_slice(&pixel.to_be_bytes());
    }
}

/// The floor of reading: a new frame.
fn swapped(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

/// The file in memory that is there already.
fn write_into(file: &mut Vec<u8>, image: &Image, header: &Header) {
    file.clear();
    fits::write_to(Cursor::new(file), image, header).expect("memory");
}

fn main() {
    let pixels: Vec<u16> = (0..COLUMNS * ROWS).map(|n| (n.wrapping_mul(0x9E37_79B9) >> 16) as u16).collect();
    let image = Image::new(COLUMNS, ROWS, Pixels::U16(pixels.clone())).expect("a frame");
    let header = fits::header(&image, &Observation::default());
    let mut bytes = vec![0u8; pixels.len() * 2];
    let mut file = Vec::with_capacity(bytes.len() + 64 * 1024);
    write_into(&mut file, &image, &header);

    let [mut floor_into, mut into, mut floor_to, mut to, mut floor_from, mut from] = [const { Vec::new() }; 6];
    for _ in 0..ROUNDS {
        floor_into.push(timed(|| swap_into(black_box(&pixels), black_box(&mut bytes))).0);
        into.push(timed(|| write_into(black_box(&mut file), &image, &header)).0);
        floor_to.push(timed(|| black_box(swapped_bytes(black_box(&pixels)))).0);
        to.push(timed(|| black_box(fits::to_vec(black_box(&image), &header))).0);
        floor_from.push(timed(|| black_box(swapped(black_box(&bytes)))).0);
        from.push(timed(|| black_box(fits::parse(black_box(&file)).expect("our file"))).0);
    }
    println!("{COLUMNS}x{ROWS} pixels of 16 bit, {} MB; medians of {ROUNDS}", bytes.len() / 1_000_000);
    compare("byte-swapping copy to new memory", floor_to, "fits::to_vec, with checksum", to);
    compare("byte-swapping copy from memory to a frame", floor_from, "fits::parse", from);
    compare("byte-swapping copy to used memory", floor_into, "fits::write_to used memory, with checksum", into);
    files(&image, &header, &bytes);
}

/// On a disk the disk decides; plain writing of as many bytes, to the disk, is what it is compared with.
fn files(image: &Image, header: &Header, bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, plain_path) = (folder.path().join("a.fits"), folder.path().join("plain"));
    let [mut plain, mut unsynced, mut write, mut read] = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        unsynced.push(timed(|| std::fs::write(&plain_path, bytes).expect("a disk")).0);
        let sync = || std::fs::File::open(&plain_path).and_then(|file| file.sync_all()).expect("a disk");
        plain.push(unsynced[unsynced.len() - 1] + timed(sync).0);
        write.push(timed(|| fits::write(&path, image, header, true).expect("a disk")).0);
        read.push(timed(|| black_box(fits::read(&path).expect("our file"))).0);
    }
    let floor = median(&mut plain);
    report("plain file", unsynced, floor);
    report("plain file, synced to the disk", plain, floor);
    report("fits::write, synced to the disk", write, floor);
    report("fits::read from the system's cache", read, floor);
}
