//! What the frame guard costs, beside a copy of the frame into memory that is there already.

use astrobackend::{Image, Timestamp, guard::Guard, image::Pixels};
use serde_json::{Value, json};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use testing::bench::{Report, Result, median};

const ROUNDS: usize = 7;

/// Adds the times to a sample of the frame's transfer.
pub(crate) fn measure(image: &Image, mut sample: Value) -> Result<Value> {
    let Pixels::U16(pixels) = image.pixels() else { return Err("not 16 bit".into()) };
    let mut copy = vec![0; pixels.len()];
    let mut frame = image.clone();
    let guard = Guard::new(true);
    let (mut copies, mut verdicts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        copy.copy_from_slice(black_box(pixels));
        black_box(&copy);
        copies.push(begin.elapsed());
        let begin = Instant::now();
        black_box(guard.unasked().judge(&mut frame, Timestamp::now(), None));
        verdicts.push(begin.elapsed());
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64()
    };
    sample["copy"] = json!(middle(&mut copies));
    sample["judge"] = json!(middle(&mut verdicts));
    Ok(sample)
}

/// The share of a transfer that judging is.
pub(crate) fn report(report: &mut Report, what: &str, samples: &[Value]) {
    let [wall, copy, judge] = ["wall", "copy", "judge"].map(|figure| median(samples, figure));
    report.note(format!("{what}: a copy of the frame"), format!("{:.1} ms", copy * 1e3));
    let figure =
        format!("{:.2} ms, {:.2} x copy, {:.1} % of the transfer", judge * 1e3, judge / copy, 100.0 * judge / wall);
    report.row(format!("{what}: frame guard"), figure, "under 5 %", judge < 0.05 * wall);
}
