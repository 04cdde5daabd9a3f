//! The rig file's text to a [`Rig`], gathering every problem on the way.
//!
//! The TOML is walked by hand rather than deserialised, because a deserialiser stops at the
//! first error and a person who mends a file wants them all.

use super::{
    LONGEST, Rig, Train,
    check::{Problem, did_you_mean},
};
use crate::{Address, Degrees, Error, Framework, Metres, Result, Site};
use std::ops::{Range, RangeInclusive};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Reads a rig file; what is wrong with it is in the list, sorted by line.
pub(super) fn read(text: &str) -> (Rig, Vec<Problem>) {
    if text.len() > LONGEST {
        let problem = Problem::at("", 0..0, format!("it is longer than {LONGEST} bytes"));
        return (Rig::default(), vec![problem]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, problems: Vec::new() };
    for error in errors {
        reader.problem(error.span().unwrap_or(0..0), error.message().to_owned());
    }
    let rig = reader.rig(table.get_ref());
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (rig, problems)
}

/// An error from the first problem, which counts the others.
pub(super) fn refuse(problems: Vec<Problem>, prefix: &str) -> Result<()> {
    let Some(first) = problems.first() else { return Ok(()) };
    let more = match problems.len() - 1 {
        0 => String::new(),
        1 => " (and 1 more problem)".to_owned(),
        n => format!(" (and {n} more problems)"),
    };
    Err(Error::invalid(format!("{prefix}{first}{more}")))
}

struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

/// Problems that are told at once; what is found after these is not.
const MOST_PROBLEMS: usize = 100;

/// Keys of `[site]`.
const SITE: [&str; 4] = ["name", "latitude", "longitude", "elevation"];

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        if !self.has_enough() {
            self.problems.push(Problem::at(self.text, span, message.into()));
        }
    }

    /// Nobody mends more at a time, and to find each costs as much as the file is long.
    fn has_enough(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    fn rig(&mut self, table: &DeTable<'_>) -> Rig {
        let mut rig = Rig::default();
        self.each(table, "the rig", &["observer", "site", "devices", "optics"], |reader, key, value| match key {
            "observer" => rig.observer = reader.string(key, value),
            "site" => reader.site(value, &mut rig),
            "devices" => reader.devices(value, &mut rig),
            _ => reader.optics(value, &mut rig),
        });
        self.roles_exist(table);
        rig
    }

    /// Hands out the known keys of a table and complains about the others.
    fn each(
        &mut self,
        table: &DeTable<'_>,
        place: &str,
        known: &[&str],
        mut take: impl FnMut(&mut Self, &str, &Value<'_>),
    ) {
        for (key, value) in table {
            let name: &str = key.get_ref();
            match known.contains(&name) {
                true => take(self, name, value),
                false => {
                    let message = format!("there is no key {name:?} in {place}{}", did_you_mean(name, known));
                    self.problem(key.span(), message);
                }
            }
        }
    }

    fn site(&mut self, value: &Value<'_>, rig: &mut Rig) {
        let Some(table) = self.table("site", value) else { return };
        let (mut latitude, mut longitude, mut elevation) = (None, None, Metres(0.0));
        let mut seen = (false, false);
        self.each(table, "[site]", &SITE, |reader, key, value| match key {
            "name" => rig.site_name = reader.string(key, value),
            "latitude" => {
                seen.0 = true;
                latitude = reader.angle(key, value, -90.0..=90.0, "");
            }
            "longitude" => {
                seen.1 = true;
                longitude = reader.angle(key, value, -180.0..=180.0, "; west of Greenwich is negative");
            }
            _ => elevation = Metres(reader.number(key, value, -300.0..=10_000.0, " metres").unwrap_or(0.0)),
        });
        // A misspelt one is complained about already.
        let misspelt = table.keys().any(|key| !SITE.contains(&&**key.get_ref()));
        if seen.0 != seen.1 && !misspelt {
            let (there, missing) = if seen.0 { ("latitude", "longitude") } else { ("longitude", "latitude") };
            self.problem(value.span(), format!("[site] has a {there} but no {missing}"));
        }
        if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
            // The contract's range ends just below 180.
            let longitude = if longitude.0 == 180.0 { Degrees(-180.0) } else { longitude };
            rig.site = Some(Site { latitude, longitude, elevation });
        }
    }

    fn devices(&mut self, value: &Value<'_>, rig: &mut Rig) {
        let Some(table) = self.table("devices", value) else { return };
        for (role, value) in table {
            let name = role.get_ref().to_string();
            if !is_role(&name) {
                self.problem(role.span(), format!("the role {name:?} may have only letters, digits, - and _"));
            }
            let Some(text) = self.string(&name, value) else { continue };
            match device_address(&text) {
                Ok(address) => _ = rig.devices.insert(name, address),
                Err(error) => self.problem(value.span(), format!("{name}: {error}")),
            }
        }
    }

    fn optics(&mut self, value: &Value<'_>, rig: &mut Rig) {
        let Some(table) = self.table("optics", value) else { return };
        for (role, value) in table {
            let place = format!("[optics.{}]", role.get_ref());
            let Some(table) = self.table(&place, value) else { continue };
            let mut train = Train::default();
            let keys = ["name", "focal_length_mm", "aperture_mm", "wheel", "focuser"];
            self.each(table, &place, &keys, |reader, key, value| match key {
                "name" => train.name = reader.string(key, value),
                "focal_length_mm" => train.focal_length = reader.millimetres(key, value),
                "aperture_mm" => train.aperture = reader.millimetres(key, value),
                "wheel" => train.wheel = reader.string(key, value),
                _ => train.focuser = reader.string(key, value),
            });
            rig.optics.insert(role.get_ref().to_string(), train);
        }
    }

    /// Optics belong to roles, and name roles: all of them must be among the devices.
    fn roles_exist(&mut self, table: &DeTable<'_>) {
        let written = table.get("devices").and_then(|devices| devices.get_ref().as_table());
        let roles: Vec<&str> = written.iter().flat_map(|devices| devices.keys().map(|key| &**key.get_ref())).collect();
        let Some(optics) = table.get("optics").and_then(|optics| optics.get_ref().as_table()) else { return };
        for (role, train) in optics {
            if self.has_enough() {
                return;
            }
            if !roles.is_empty() && !roles.contains(&&**role.get_ref()) {
                let message =
                    format!("no device plays the role {:?}{}", role.get_ref(), did_you_mean(role.get_ref(), &roles));
                self.problem(role.span(), message);
            }
            for key in ["wheel", "focuser"] {
                let named = train.get_ref().as_table().and_then(|train| train.get(key));
                let Some((value, name)) = named.and_then(|value| Some((value, value.get_ref().as_str()?))) else {
                    continue;
                };
                if !roles.contains(&name) {
                    self.problem(
                        value.span(),
                        format!("no device plays the role {name:?}{}", did_you_mean(name, &roles)),
                    );
                }
            }
        }
    }

    fn wrong_type(&mut self, key: &str, value: &Value<'_>, wanted: &str) {
        let found = value.get_ref().type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.problem(value.span(), format!("{key} must be {wanted}, not {article} {found}"));
    }

    fn table<'v, 'i>(&mut self, key: &str, value: &'v Value<'i>) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a section");
        }
        table
    }

    fn string(&mut self, key: &str, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str().map(str::trim) {
            Some("") => self.problem(value.span(), format!("{key} is empty; leave it out instead")),
            Some(text) => return Some(text.to_owned()),
            None => self.wrong_type(key, value, "a text in quotes"),
        }
        None
    }

    fn number(&mut self, key: &str, value: &Value<'_>, range: RangeInclusive<f64>, unit: &str) -> Option<f64> {
        let Some(number) = as_number(value.get_ref()) else {
            self.wrong_type(key, value, "a number");
            return None;
        };
        self.within(key, value, number, range, unit)
    }

    fn within(
        &mut self,
        key: &str,
        at: &Value<'_>,
        number: f64,
        range: RangeInclusive<f64>,
        rest: &str,
    ) -> Option<f64> {
        if range.contains(&number) {
            return Some(number);
        }
        let (start, end) = (range.start(), range.end());
        self.problem(at.span(), format!("{key} {number} is not within {start} to {end}{rest}"));
        None
    }

    /// A number of degrees, or a sexagesimal text.
    fn angle(&mut self, key: &str, value: &Value<'_>, range: RangeInclusive<f64>, hint: &str) -> Option<Degrees> {
        let Some(text) = value.get_ref().as_str() else {
            return self.number(key, value, range, &format!(" degrees{hint}")).map(Degrees);
        };
        match text.parse::<Degrees>() {
            Ok(angle) => self.within(key, value, angle.0, range, &format!(" degrees{hint}")).map(Degrees),
            Err(error) => {
                self.problem(value.span(), format!("{key}: {error}"));
                None
            }
        }
    }

    fn millimetres(&mut self, key: &str, value: &Value<'_>) -> Option<Metres> {
        self.number(key, value, 1.0..=100_000.0, " millimetres").map(|mm| Metres(mm / 1000.0))
    }
}

fn is_role(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// The address of one device of a framework that exists, with options that it has.
fn device_address(text: &str) -> Result<Address> {
    let address: Address = text.parse()?;
    Framework::find(address.scheme())?.check(&address)?;
    match address.path() {
        "" => {
            Err(Error::invalid(format!("{text:?} names no device; add its name, as in {}", address.with_path("NAME"))))
        }
        _ => Ok(address),
    }
}

fn as_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as f64),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
