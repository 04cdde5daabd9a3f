//! New values for a property: checked against its definition, sent, and answered.

use super::model::{Kind, Number, Property, Value};
use crate::{
    Error, ErrorKind, Result,
    backend::indi::{
        connection::{Connection, Sent},
        order::{self, Order, Progress},
        property as kept,
        store::Device,
    },
    event::Level,
    wait::Deadline,
    wire::indi::{Element, Elements, Message, Number as WireNumber, Perm, Rule, Vector, parse_number},
};
use std::time::{Duration, Instant};

/// Numbers are the same if they differ by no more: some drivers keep them as 32-bit floats.
const TOLERANCE: f64 = 1e-6;

/// A value that is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wanted<'a> {
    Text(&'a str),
    Number(f64),
    Switch(bool),
}

impl<'a> Wanted<'a> {
    /// From a text, by the kind of the property.
    ///
    /// # Errors
    /// `InvalidValue` for what is no such value; `Unsupported` for lights and files.
    pub(super) fn parse(text: &'a str, kind: Kind) -> Result<Self> {
        let wrong = |what: &str| Error::invalid(format!("{text:?} is {what}"));
        match kind {
            Kind::Text => Ok(Wanted::Text(text)),
            Kind::Number => parse_number(text).map(Wanted::Number).ok_or_else(|| wrong("no number")),
            Kind::Switch if text.eq_ignore_ascii_case("on") => Ok(Wanted::Switch(true)),
            Kind::Switch if text.eq_ignore_ascii_case("off") => Ok(Wanted::Switch(false)),
            Kind::Switch => Err(wrong("neither On nor Off")),
            Kind::Light | Kind::Blob => Err(Error::unsupported(format!("a {kind} cannot be set"))),
        }
    }

    fn kind(self) -> Kind {
        match self {
            Wanted::Text(_) => Kind::Text,
            Wanted::Number(_) => Kind::Number,
            Wanted::Switch(_) => Kind::Switch,
        }
    }

    fn is(self, value: &kept::Value) -> bool {
        match (self, value) {
            // Drivers write texts their own way: that one answers must do.
            (Wanted::Text(_), kept::Value::Text(_)) => true,
            (Wanted::Number(wanted), kept::Value::Number(is)) => {
                (is.value - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0)
            }
            (Wanted::Switch(wanted), kept::Value::Switch(is)) => wanted == *is,
            _ => false,
        }
    }
}

/// Refuses what the property cannot take.
fn check(property: &Property, wanted: &[(&str, Wanted<'_>)]) -> Result<()> {
    let name = &property.name;
    if property.perm == Perm::ReadOnly {
        return Err(Error::unsupported(format!("{name} can only be read")));
    }
    if wanted.is_empty() {
        return Err(Error::invalid(format!("no values for {name}")));
    }
    for (element, value) in wanted {
        let known = property.element(element);
        let known = known.ok_or_else(|| Error::not_found(format!("{name} has no element {element:?}")))?;
        if value.kind() != property.kind {
            return Err(Error::invalid(format!("{name} takes {}s, not a {}", property.kind, value.kind())));
        }
        if let (Wanted::Number(value), Value::Number(number)) = (value, &known.value) {
            check_number(&format!("{name}.{element}"), *value, number)?;
        }
    }
    Ok(())
}

/// Several drivers drop a number beyond its limits without a word.
fn check_number(what: &str, value: f64, number: &Number) -> Result<()> {
    let (min, max) = number.range().unwrap_or((f64::MIN, f64::MAX));
    match (min..=max).contains(&value) {
        true => Ok(()),
        false => Err(Error::invalid(format!("{what}: {value} is not within {min} to {max}"))),
    }
}

/// The elements to send: the whole vector where it can be read, since many drivers want all or nothing.
fn elements(property: &Property, wanted: &[(&str, Wanted<'_>)]) -> Result<Elements<'static>> {
    let asked = |name: &str| wanted.iter().rfind(|(element, _)| *element == name).map(|(_, value)| *value);
    let whole = property.perm != Perm::WriteOnly;
    let texts = property.elements.iter().filter_map(|element| match (asked(&element.name), &element.value) {
        (Some(Wanted::Text(text)), _) => Some((element.name.clone(), text.to_owned())),
        (_, Value::Text(text)) if whole => Some((element.name.clone(), text.clone())),
        _ => None,
    });
    let numbers = property.elements.iter().filter_map(|element| match (asked(&element.name), &element.value) {
        (Some(Wanted::Number(value)), _) => Some((element.name.clone(), value)),
        (_, Value::Number(number)) if whole => Some((element.name.clone(), number.value)),
        _ => None,
    });
    Ok(match property.kind {
        Kind::Text => Elements::Text(texts.map(|(name, text)| Element::new(name, text.into())).collect()),
        Kind::Number => {
            Elements::Number(numbers.map(|(name, value)| Element::new(name, WireNumber::from(value))).collect())
        }
        _ => {
            let all = switches(property, wanted)?;
            Elements::Switch(all.into_iter().map(|(name, on)| Element::new(name, on)).collect())
        }
    })
}

/// Of switches that exclude each other only the one that is to be on; the whole vector of others.
fn switches(property: &Property, wanted: &[(&str, Wanted<'_>)]) -> Result<Vec<(String, bool)>> {
    let asked = |name: &str| match wanted.iter().rfind(|(element, _)| *element == name) {
        Some((_, Wanted::Switch(on))) => Some(*on),
        _ => None,
    };
    let name = &property.name;
    let on: Vec<_> = property.elements.iter().filter(|element| asked(&element.name) == Some(true)).collect();
    let exclusive = property.rule != Some(Rule::AnyOfMany);
    match (&on[..], property.rule) {
        ([_, _, ..], _) if exclusive => Err(Error::invalid(format!("only one switch of {name} can be on"))),
        ([one], Some(Rule::OneOfMany)) => Ok(vec![(one.name.clone(), true)]),
        ([], Some(Rule::OneOfMany)) => {
            Err(Error::invalid(format!("one switch of {name} must be on: switch another one on instead")))
        }
        (on, _) => {
            // One that is switched on puts the others out.
            let puts_out = exclusive && !on.is_empty();
            let stays = |value: &Value| *value == Value::Switch(true) && !puts_out;
            let all = property.elements.iter();
            Ok(all.map(|one| (one.name.clone(), asked(&one.name).unwrap_or_else(|| stays(&one.value)))).collect())
        }
    }
}

/// Sends new values and waits until the driver has answered: it took them, or it is at work.
///
/// # Errors
/// See [`Properties::set`](super::Properties::set).
pub(super) fn set(
    connection: &Connection,
    property: &Property,
    wanted: &[(&str, Wanted<'_>)],
    limit: Duration,
) -> Result<()> {
    check(property, wanted)?;
    let elements = elements(property, wanted)?;
    let vector = Vector::new(property.device.as_str(), property.name.as_str(), elements);
    let born = connection.store().device(&property.device).map_or(0, |device| device.born);
    let Sent { number, mark } = connection.send(&[Message::New(vector)])?;
    if let Some(kept) = connection.store().property_mut(&property.device, &property.name) {
        for (element, value) in wanted {
            if let Wanted::Number(value) = value {
                kept.request(element, Some(*value));
            }
        }
    }
    let order = Order { property: property.name.clone().into(), mark, number, born, sent: Instant::now() };
    finish(connection, property, &order, wanted, limit)
}

fn finish(
    connection: &Connection,
    property: &Property,
    order: &Order,
    wanted: &[(&str, Wanted<'_>)],
    limit: Duration,
) -> Result<()> {
    let reached = |device: &Device| {
        let Some(now) = device.property(&property.name) else { return false };
        let is = |(element, value): &(&str, Wanted<'_>)| now.element(element).is_some_and(|it| value.is(&it.value));
        // A button springs back, and some values are rounded: a report, nothing left to deal with, and no complaint
        // must do.
        let complained = device.worst_since(order.mark).is_some_and(|level| level > Level::Info);
        let dealt_with = now.answered > order.number && now.seq > order.mark;
        wanted.iter().all(is) || (dealt_with && !complained)
    };
    let settled = |progress, _: Option<&Device>| match progress {
        Progress::Done | Progress::Busy => Some(Ok(())),
        Progress::Failed(error) => Some(Err(error)),
        Progress::Unanswered | Progress::Alert => None,
    };
    let answer = order::answer(connection, &property.device, order, Deadline::after(limit), reached, settled)?;
    answer.unwrap_or_else(|| {
        let message = format!("{}: an answer did not come within {limit:.1?}", property.name);
        Err(Error::new(ErrorKind::Timeout, message))
    })
}
