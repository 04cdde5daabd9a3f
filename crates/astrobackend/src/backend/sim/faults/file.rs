//! The file of faults: TOML, a table `[[fault]]` for each.

use super::{Doing, Fault, NAMES, What, When};
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

fn what(entry: &mut Entry) -> Result<What, String> {
    let seconds = entry.seconds;
    let mut wanted = || entry.seconds.take().ok_or_else(|| format!("{} wants seconds", entry.what));
    let message = |entry: &mut Entry, usual: &str| entry.message.take().unwrap_or_else(|| usual.to_owned());
    Ok(match entry.what.as_str() {
        "hang" => What::Hang,
        "late" => What::Late(time("seconds", wanted()?)?),
        "throw" => What::Throw(message(entry, "the driver failed")),
        "lose-link" => What::LoseLink,
        "power-cycle" => What::PowerCycle,
        "usb-reset" => What::UsbReset,
        "endless-exposure" => What::EndlessExposure,
        "stall-readout" => What::StallReadout,
        "fail-exposure" => What::FailExposure(message(entry, "the exposure failed")),
        "black-frame" => What::BlackFrame,
        "duplicate-frame" => What::DuplicateFrame,
        "wrong-size" => What::WrongSize,
        "missing-tail" => What::MissingTail,
        "stick" => What::Stick,
        "clock-jump" => {
            wanted()?;
            What::ClockJump(seconds.unwrap_or_default())
        }
        "cooler-off" => What::CoolerOff,
        other => return Err(format!("{other:?} is no fault; there are {}", NAMES.join(", "))),
    })
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
