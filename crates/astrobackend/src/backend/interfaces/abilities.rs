//! What a mount can do, and its settings, member by member.

use super::{carrier::Arguments, handle::Handle, values::Values};
use crate::{
    DegreesPerSecond, Equinox, Error, Metres, Result,
    device::{Axis, Control, ControlInfo, MountCaps, Optics, TrackingRate},
    wire::alpaca::{answer, codes},
};
use serde_json::Value;
use std::ops::RangeInclusive;

const AXES: [Axis; 3] = [Axis::Primary, Axis::Secondary, Axis::Tertiary];

/// For each axis the names under which its two members are read.
const AXIS_MEMBERS: [(&str, &str); 3] =
    [("canmoveaxis 0", "axisrates 0"), ("canmoveaxis 1", "axisrates 1"), ("canmoveaxis 2", "axisrates 2")];

const CAPS: &[&str] = &[
    "alignmentmode",
    "equatorialsystem",
    "canslew",
    "canslewasync",
    "canslewaltaz",
    "canslewaltazasync",
    "cansync",
    "cansyncaltaz",
    "canpark",
    "canunpark",
    "cansetpark",
    "canfindhome",
    "cansetpierside",
    "sideofpier",
    "canpulseguide",
    "cansetguiderates",
    "cansettracking",
    "trackingrates",
    "cansetrightascensionrate",
    "cansetdeclinationrate",
    "aperturediameter",
    "aperturearea",
    "focallength",
    "sitelatitude",
    "utcdate",
];

/// Reads what the mount can do.
pub(super) fn read(handle: &Handle) -> Result<MountCaps> {
    let common = handle.common()?;
    let mut wanted: Vec<_> = CAPS.iter().map(|member| (*member, *member, Arguments::new())).collect();
    for (axis, (can, rates)) in AXES.into_iter().zip(AXIS_MEMBERS) {
        let arguments = Arguments::new().with("Axis", codes::from_axis(axis));
        wanted.extend([(can, "canmoveaxis", arguments.clone()), (rates, "axisrates", arguments)]);
    }
    let values = handle.read_all(wanted)?;
    values.all_there()?;
    let site = common.extras.description.set_site;
    Ok(MountCaps {
        alignment: values.maybe("alignmentmode")?.and_then(codes::alignment).unwrap_or_default(),
        equinox: values.maybe("equatorialsystem")?.and_then(codes::equinox).map_or(Equinox::OfDate, spoken),
        slew: values.flag("canslew")? || values.flag("canslewasync")?,
        slew_altaz: values.flag("canslewaltaz")? || values.flag("canslewaltazasync")?,
        sync: values.flag("cansync")?,
        sync_altaz: values.flag("cansyncaltaz")?,
        park: values.flag("canpark")?,
        unpark: values.flag("canunpark")?,
        set_park: values.flag("cansetpark")?,
        home: values.flag("canfindhome")?,
        set_pier_side: values.flag("cansetpierside")?,
        pier_side: values.maybe::<i32>("sideofpier")?.is_some(),
        pulse_guide: values.flag("canpulseguide")?,
        set_guide_rates: values.flag("cansetguiderates")?,
        set_tracking: values.flag("cansettracking")?,
        tracking_rates: tracking_rates(&values)?,
        rate_offsets: (values.flag("cansetrightascensionrate")?, values.flag("cansetdeclinationrate")?),
        axis_rates: axis_rates(&values)?,
        optics: optics(&values)?,
        set_site: site.map_or(values.maybe::<f64>("sitelatitude")?.is_some(), |(site, _)| site),
        set_time: site.map_or(values.maybe::<String>("utcdate")?.is_some(), |(_, time)| time),
    })
}

/// A mount that says "other" is one whose driver did not care; programs everywhere take it to speak of the present.
fn spoken(equinox: Equinox) -> Equinox {
    if equinox == Equinox::Other { Equinox::OfDate } else { equinox }
}

fn tracking_rates(values: &Values) -> Result<Vec<TrackingRate>> {
    let codes: Vec<i32> = values.maybe("trackingrates")?.unwrap_or_default();
    let rates: Vec<_> = codes.into_iter().filter_map(codes::tracking_rate).collect();
    Ok(if rates.is_empty() { vec![TrackingRate::Sidereal] } else { rates })
}

fn axis_rates(values: &Values) -> Result<[Vec<RangeInclusive<DegreesPerSecond>>; 3]> {
    let mut axes: [Vec<RangeInclusive<DegreesPerSecond>>; 3] = Default::default();
    for (axis, (can, rates)) in axes.iter_mut().zip(AXIS_MEMBERS) {
        if values.flag(can)? {
            let list: Value = values.maybe(rates)?.unwrap_or_default();
            *axis = list.as_array().into_iter().flatten().filter_map(range).collect();
        }
    }
    Ok(axes)
}

/// A range of rates; some drivers list rates the other way round as negative ones.
fn range(value: &Value) -> Option<RangeInclusive<DegreesPerSecond>> {
    let mut object = value.as_object()?.clone();
    let mut limit = |key| answer::real(&answer::take(&mut object, key)?);
    let (low, high) = (limit("Minimum")?, limit("Maximum")?);
    (low >= 0.0 && low <= high).then_some(DegreesPerSecond(low)..=DegreesPerSecond(high))
}

fn optics(values: &Values) -> Result<Optics> {
    let length = |member| Ok::<_, Error>(values.maybe::<f64>(member)?.filter(|length| *length > 0.0));
    Ok(Optics {
        aperture: length("aperturediameter")?.map(Metres),
        area: length("aperturearea")?,
        focal_length: length("focallength")?.map(Metres),
    })
}

/// Which slews return at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slews {
    pub(super) equatorial_async: bool,
    pub(super) horizontal_async: bool,
}

/// Asks which slews return at once.
pub(super) fn slews(handle: &Handle) -> Result<Slews> {
    let values = handle.values(&["canslewasync", "canslewaltazasync"])?;
    Ok(Slews { equatorial_async: values.flag("canslewasync")?, horizontal_async: values.flag("canslewaltazasync")? })
}

/// Refuses to drive an axis faster than it can go.
pub(super) fn check_rate(caps: &MountCaps, axis: Axis, rate: DegreesPerSecond) -> Result<()> {
    let ranges = &caps.axis_rates[codes::from_axis(axis).unsigned_abs() as usize % 3];
    if ranges.is_empty() {
        return Err(Error::unsupported(format!("cannot drive its {axis:?} axis by hand").to_lowercase()));
    }
    let speed = DegreesPerSecond(rate.0.abs());
    if rate.0 == 0.0 || ranges.iter().any(|range| range.contains(&speed)) {
        return Ok(());
    }
    let list: Vec<_> = ranges.iter().map(|range| format!("{} to {}", range.start(), range.end())).collect();
    Err(Error::invalid(format!("{rate} is not within {}", list.join(", "))))
}

/// The settings that ASCOM has for a mount.
pub(super) fn settings(handle: &Handle) -> Result<Vec<ControlInfo>> {
    let values = handle.values(&["slewsettletime", "doesrefraction"])?;
    let mut settings = Vec::new();
    if values.maybe::<f64>("slewsettletime")?.is_some() {
        settings.push(ControlInfo::range(Control::SettleTime, 0.0, 3600.0, 1.0));
    }
    if values.maybe::<bool>("doesrefraction")?.is_some() {
        settings.push(ControlInfo::switch(Control::Refraction));
    }
    Ok(settings)
}
