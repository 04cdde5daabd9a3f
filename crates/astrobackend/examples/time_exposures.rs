//! How long exposures take until their pictures are there: `time_exposures ADDRESS SECONDS COUNT`.
//!
//! Prints the seconds that each took beyond its length. The Python benches compare themselves with this.

use astrobackend::{
    Error, Result, Wait,
    device::{CameraExt, Exposure},
};
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, seconds, count] = &arguments[..] else {
        return Err(Error::invalid("usage: time_exposures ADDRESS SECONDS COUNT"));
    };
    let number = |text: &str| text.parse::<f64>().map_err(|_| Error::invalid(format!("{text:?} is no number")));
    let (length, count) = (Duration::from_secs_f64(number(seconds)?), number(count)? as usize);
    let camera = astrobackend::open(address)?.camera()?;
    camera.connect()?;
    for _ in 0..count {
        let begun = Instant::now();
        camera.expose(Exposure::light(length), &Wait::for_exposure(length))?;
        println!("{:.6}", begun.elapsed().saturating_sub(length).as_secs_f64());
    }
    Ok(())
}
