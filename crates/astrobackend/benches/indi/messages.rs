//! Messages: how many number updates a second are parsed.

use crate::{
    report::Report,
    stand::{Result, SAMPLES},
};
use astrobackend::wire::indi::Parser;
use std::time::Instant;
use testing::bench_driver::{COUNT, update};

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let text: String = (0..COUNT).map(|index| update("NUMBERS", "Busy", index)).collect();
    let mut rates = Vec::new();
    for _ in 0..SAMPLES {
        let begin = Instant::now();
        let mut parser = Parser::default();
        let mut count = 0;
        for piece in text.as_bytes().chunks(128 << 10) {
            parser.push(piece);
            while let Some(message) = parser.next_message() {
                message?;
                count += 1;
            }
        }
        assert_eq!(count, COUNT);
        rates.push(COUNT as f64 / begin.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    report.note("parsed from memory", format!("{:.2} million vectors/s", rates[SAMPLES / 2] / 1e6));
    Ok(())
}
