//! Streams of number updates: as many as the client takes, or at a steady pace.

use super::{DEVICE, link::Link};
use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

/// Updates of one fast run.
pub const COUNT: usize = 500_000;
/// Vectors of a steady run.
pub const PROPERTIES: usize = 1000;
/// Updates a second of a steady run.
pub const RATE: usize = 1000;
/// Length of a steady run.
pub const SECONDS: usize = 5;

/// Updates printed ahead; more would only read more memory.
const PRINTED: usize = 5000;

/// Defines a vector of two numbers.
pub(super) fn definition(name: &str) -> String {
    super::numbers(name, &[("RA", 0.0, 24.0, 0.0), ("DEC", -90.0, 90.0, 0.0)])
}

/// One update of such a vector; its values say the how manieth.
pub fn update(name: &str, state: &str, index: usize) -> String {
    let (ra, dec) = ((index % 24000) as f64 / 1000.0, (index % 180_000) as f64 / 1000.0 - 90.0);
    format!(
        "<setNumberVector device=\"{DEVICE}\" name=\"{name}\" state=\"{state}\" timeout=\"60\" \
         timestamp=\"2026-01-01T00:00:00\">\n    <oneNumber name=\"RA\">\n{ra:.7}\n    </oneNumber>\n    \
         <oneNumber name=\"DEC\">\n{dec:.7}\n    </oneNumber>\n</setNumberVector>\n"
    )
}

/// Sends [`COUNT`] updates of `NUMBERS` as fast as they are taken; `BENCH` turns from Busy to Ok.
pub(super) fn fast(link: &mut Link) -> io::Result<()> {
    let printed: String = (0..PRINTED).map(|index| update("NUMBERS", "Busy", index)).collect();
    announce(link, "Busy")?;
    for _ in 0..COUNT / PRINTED {
        link.write_all(printed.as_bytes())?;
    }
    announce(link, "Ok")
}

/// Defines [`PROPERTIES`] vectors, then updates them in turn, [`RATE`] a second for [`SECONDS`].
pub(super) fn steady(link: &mut Link) -> io::Result<()> {
    let names: Vec<String> = (0..PROPERTIES).map(|index| format!("STEADY_{index:04}")).collect();
    let definitions: String = names.iter().map(|name| definition(name)).collect();
    link.write_all(definitions.as_bytes())?;
    announce(link, "Busy")?;
    let begin = Instant::now();
    for (index, name) in names.iter().cycle().take(RATE * SECONDS).enumerate() {
        let due = begin + Duration::from_secs(1) / RATE as u32 * index as u32;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        link.write_all(update(name, "Ok", index).as_bytes())?;
    }
    announce(link, "Ok")
}

fn announce(link: &mut Link, state: &str) -> io::Result<()> {
    writeln!(
        link,
        "<setSwitchVector device='{DEVICE}' name='BENCH' state='{state}' timeout='60'>\n\
         <oneSwitch name='FAST'>Off</oneSwitch>\n<oneSwitch name='STEADY'>Off</oneSwitch>\n</setSwitchVector>"
    )
}
