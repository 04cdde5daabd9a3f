//! The frame of the bench, and how small answers are timed.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testing::bench::Result;

/// Columns of the frame: 61 megapixels, as of an IMX455.
pub(crate) const WIDTH: u32 = 9576;
/// Rows.
pub(crate) const HEIGHT: u32 = 6388;
/// Bytes of its pixels.
pub(crate) const BYTES: u64 = WIDTH as u64 * HEIGHT as u64 * 2;

/// A pixel of the frame.
pub(crate) fn pixel(x: u32, y: u32) -> u16 {
    (x.wrapping_mul(31) ^ y.wrapping_mul(17)) as u16
}

/// The median time of something quick, after it has become warm.
pub(crate) fn median_time(mut ask: impl FnMut() -> Result<()>) -> Result<Value> {
    const WARM: usize = 500;
    const COUNT: usize = 8000;
    let mut times: Vec<Duration> = Vec::with_capacity(COUNT);
    for n in 0..WARM + COUNT {
        let begin = Instant::now();
        ask()?;
        if n >= WARM {
            times.push(begin.elapsed());
        }
    }
    times.sort();
    let [median, late] = [COUNT / 2, COUNT * 99 / 100].map(|at| times[at].as_secs_f64());
    Ok(json!({ "wall": median, "late": late }))
}
