//! The file of faults: TOML, a table `[[fault]]` for each.

use super::{Doing, Fault, What, When};
use crate::{Error, ErrorKind, Result};
use serde::Deserialize;
use std::{fs, io, time::Duration};

/// The largest file that is read.
const LARGEST: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default)]
    fault: Vec<toml::Spanned<Entry>>,
}

/// One fault as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    device: String,
    what: String,
    at: Option<f64>,
    call: Option<String>,
    count: Option<u64>,
    exposure: Option<u64>,
    during: Option<String>,
    every: Option<f64>,
    #[serde(rename = "for")]
    lasts: Option<f64>,
    times: Option<u32>,
    chance: Option<f64>,
    seconds: Option<f64>,
    message: Option<String>,
}

/// Reads a file.
///
/// # Errors
/// `NotFound` or `Io` when it cannot be read, `InvalidValue` for what is not understood, with its line.
pub(in super::super) fn read(path: &str) -> Result<Vec<Fault>> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::not_found(format!("there is no file of faults {path}")).caused_by(error),
        _ => Error::io(format!("the faults in {path}"), error),
    };
    let length = fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST {
        return Err(Error::invalid(format!("{path} is no file of faults: it is longer than {LARGEST} bytes")));
    }
    parse(&fs::read_to_string(path).map_err(failed)?)
        .map_err(|error| Error::new(ErrorKind::InvalidValue, format!("{path}: {}", error.message())))
}

/// Reads the text of a file.
///
/// # Errors
/// `InvalidValue`, with the line.
pub(in super::super) fn parse(text: &str) -> Result<Vec<Fault>> {
    let script: Script = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Error::invalid(format!("line {line}: {}", error.message()))
    })?;
    let faults = script.fault.into_iter().map(|entry| {
        let line = line_of(text, entry.span().start);
        fault(entry.into_inner()).map_err(|why| Error::invalid(format!("line {line}: {why}")))
    });
    faults.collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

fn fault(mut entry: Entry) -> Result<Fault, String> {
    let fault = Fault {
        what: what(&mut entry)?,
        when: when(&mut entry)?,
        every: entry.every,
        lasts: entry.lasts.map(|seconds| time("for", seconds)).transpose()?,
        times: entry.times,
        chance: entry.chance.unwrap_or(1.0),
        device: entry.device,
    };
    for (name, left) in [("seconds", entry.seconds.is_some()), ("message", entry.message.is_some())] {
        if left {
            return Err(format!("{} takes no {name}", fault.what));
        }
    }
    fault.check()?;
    Ok(fault)
}

/// Makes the fault of a name from what else is written.
type Make = fn(&mut Entry) -> Result<What, String>;

/// All there are.
const FAULTS: [(&str, Make); 16] = [
    ("hang", |_| Ok(What::Hang)),
    ("late", |entry| Ok(What::Late(time("seconds", seconds(entry)?)?))),
    ("throw", |entry| Ok(What::Throw(message(entry, "the driver failed")))),
    ("lose-link", |_| Ok(What::LoseLink)),
    ("power-cycle", |_| Ok(What::PowerCycle)),
    ("usb-reset", |_| Ok(What::UsbReset)),
    ("endless-exposure", |_| Ok(What::EndlessExposure)),
    ("stall-readout", |_| Ok(What::StallReadout)),
    ("fail-exposure", |entry| Ok(What::FailExposure(message(entry, "the exposure failed")))),
    ("black-frame", |_| Ok(What::BlackFrame)),
    ("duplicate-frame", |_| Ok(What::DuplicateFrame)),
    ("wrong-size", |_| Ok(What::WrongSize)),
    ("missing-tail", |_| Ok(What::MissingTail)),
    ("stick", |_| Ok(What::Stick)),
    ("clock-jump", |entry| Ok(What::ClockJump(seconds(entry)?))),
    ("cooler-off", |_| Ok(What::CoolerOff)),
];

fn what(entry: &mut Entry) -> Result<What, String> {
    match FAULTS.iter().find(|(name, _)| *name == entry.what) {
        Some((_, make)) => make(entry),
        None => {
            let names: Vec<_> = FAULTS.iter().map(|(name, _)| *name).collect();
            Err(format!("{:?} is no fault; there are {}", entry.what, names.join(", ")))
        }
    }
}

fn seconds(entry: &mut Entry) -> Result<f64, String> {
    entry.seconds.take().ok_or_else(|| format!("{} wants seconds", entry.what))
}

fn message(entry: &mut Entry, usual: &str) -> String {
    entry.message.take().unwrap_or_else(|| usual.to_owned())
}

fn when(entry: &mut Entry) -> Result<When, String> {
    let mut given = Vec::new();
    if let Some(at) = entry.at {
        given.push(When::At(at));
    }
    let (call, count) = (entry.call.take(), entry.count);
    if call.is_some() || count.is_some() {
        given.push(When::Call { name: call.filter(|name| name != "any"), nth: count.unwrap_or(1) });
    }
    if let Some(nth) = entry.exposure {
        given.push(When::Exposure(nth));
    }
    if let Some(doing) = &entry.during {
        let doing: Result<Doing, ()> = doing.parse();
        given.push(When::During(doing.map_err(|()| "during is exposing, reading, moving, slewing or guiding")?));
    }
    match given.len() {
        0 => Ok(When::At(0.0)),
        1 => Ok(given.remove(0)),
        _ => Err("only one of at, call, exposure and during says when".to_owned()),
    }
}

fn time(name: &str, seconds: f64) -> Result<Duration, String> {
    let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| time.as_secs() < 1_000_000_000);
    time.ok_or_else(|| format!("{name} is no time: {seconds}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_by_the_name_that_it_shows() {
        for (name, _) in FAULTS {
            let all = format!("[[fault]]\ndevice = 'camera'\nwhat = '{name}'\n");
            let fault = parse(&all).or_else(|_| parse(&format!("{all}seconds = 3"))).unwrap().remove(0);
            assert_eq!(fault.what.to_string(), name);
        }
    }
}
