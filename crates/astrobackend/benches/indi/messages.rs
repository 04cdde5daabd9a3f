//! Messages: how many number updates a second are parsed.

use crate::report::Report;
use astrobackend::wire::indi::Parser;
use std::time::Instant;
use testing::{
    bench::{Result, SAMPLES, processor_time, sample},
    bench_driver::{COUNT, update},
};

/// Parses updates from memory, in pieces such as a socket delivers.
pub(crate) fn parse(report: &mut Report) -> Result<()> {
    let text: String = (0..COUNT).map(|index| update("NUMBERS", "Busy", index)).collect();
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        let (begin, before) = (Instant::now(), processor_time());
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
        samples.push(sample(begin.elapsed(), processor_time() - before)?);
    }
    report.rate("parsed from memory", &samples, None);
    Ok(())
}
