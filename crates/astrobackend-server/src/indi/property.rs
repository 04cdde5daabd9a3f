//! Building properties: vectors with all that their definitions say.

use astrobackend::wire::indi::{Element, Elements, Number, Perm, Rule, State, Vector};
use std::borrow::Cow;

/// The pages on which clients show properties.
pub(super) const MAIN: &str = "Main Control";
pub(super) const OPTIONS: &str = "Options";
pub(super) const SETTINGS: &str = "Image Settings";
pub(super) const INFO: &str = "Image Info";
pub(super) const GUIDE: &str = "Guide Control";
pub(super) const MOTION: &str = "Motion Control";
pub(super) const SITE: &str = "Site Management";
pub(super) const GENERAL: &str = "General Info";

/// The device's guess at the worst time that a change takes, seconds.
const TIMEOUT: f64 = 60.0;

/// A property: a vector that belongs to no device yet.
pub(super) type Property = Vector<'static>;

/// A piece of text that is usually part of the program.
type Text = Cow<'static, str>;

fn vector(name: &'static str, label: &'static str, group: &'static str, elements: Elements<'static>) -> Property {
    let mut vector = Vector::new("", name, elements);
    vector.label = Some(label.into());
    vector.group = Some(group.into());
    vector.state = Some(State::Ok);
    vector.perm = Some(Perm::ReadOnly);
    vector.timeout = Some(TIMEOUT);
    vector
}

/// A vector of numbers, read only.
pub(super) fn numbers(
    name: &'static str,
    label: &'static str,
    group: &'static str,
    elements: impl IntoIterator<Item = Element<'static, Number<'static>>>,
) -> Property {
    vector(name, label, group, Elements::Number(elements.into_iter().collect()))
}

/// A number with a format and limits; no limits when they are equal.
pub(super) fn number(
    name: &'static str,
    label: &'static str,
    value: f64,
    format: &'static str,
    (min, max, step): (f64, f64, f64),
) -> Element<'static, Number<'static>> {
    // What cannot be printed as a number must not be.
    let finite = |value: f64| value.is_finite().then_some(value);
    let (min, max) = if min.is_finite() && max.is_finite() { (min, max) } else { (0.0, 0.0) };
    let number = Number {
        value: finite(value).or(Some(0.0)),
        format: Some(format.into()),
        min: Some(min),
        max: Some(max),
        step: finite(step).or(Some(0.0)),
    };
    Element { name: name.into(), label: Some(label.into()), value: number }
}

/// A vector of texts, read only.
pub(super) fn texts(
    name: &'static str,
    label: &'static str,
    group: &'static str,
    elements: impl IntoIterator<Item = Element<'static, Text>>,
) -> Property {
    vector(name, label, group, Elements::Text(elements.into_iter().collect()))
}

/// A text.
pub(super) fn text(name: impl Into<Text>, label: impl Into<Text>, value: impl Into<Text>) -> Element<'static, Text> {
    Element { name: name.into(), label: Some(label.into()), value: value.into() }
}

/// A vector of switches, read only.
pub(super) fn switches(
    name: &'static str,
    label: &'static str,
    group: &'static str,
    rule: Rule,
    elements: impl IntoIterator<Item = Element<'static, bool>>,
) -> Property {
    let mut vector = vector(name, label, group, Elements::Switch(elements.into_iter().collect()));
    vector.rule = Some(rule);
    vector
}

/// A switch.
pub(super) fn switch(name: impl Into<Text>, label: impl Into<Text>, on: bool) -> Element<'static, bool> {
    Element { name: name.into(), label: Some(label.into()), value: on }
}

/// A button: one switch, which is never on.
pub(super) fn button(
    name: &'static str,
    label: &'static str,
    group: &'static str,
    element: &'static str,
    caption: &'static str,
) -> Property {
    switches(name, label, group, Rule::AtMostOne, [switch(element, caption, false)]).writable().state(State::Idle)
}

/// On and off, as `libindi` names them.
pub(super) fn on_off(name: &'static str, label: &'static str, group: &'static str, on: bool) -> Property {
    let both = [switch("INDI_ENABLED", "On", on), switch("INDI_DISABLED", "Off", !on)];
    switches(name, label, group, Rule::OneOfMany, both)
}

/// A vector of one BLOB of the same name.
pub(super) fn blob(name: &'static str, label: &'static str, group: &'static str) -> Property {
    let mut element = Element::new(name, astrobackend::wire::indi::Blob::default());
    element.label = Some(label.into());
    vector(name, label, group, Elements::Blob(vec![element]))
}

/// What can be said about a property.
pub(super) trait With: Sized {
    /// Clients may change it.
    fn writable(self) -> Self;
    /// Clients may change it where a condition holds.
    fn writable_if(self, condition: bool) -> Self;
    /// Its state.
    fn state(self, state: State) -> Self;
}

impl With for Property {
    fn writable(mut self) -> Self {
        self.perm = Some(Perm::ReadWrite);
        self
    }

    fn writable_if(self, condition: bool) -> Self {
        if condition { self.writable() } else { self }
    }

    fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }
}

/// Busy, or else another state.
pub(super) fn busy_or(busy: bool, otherwise: State) -> State {
    if busy { State::Busy } else { otherwise }
}

/// The present value of a number.
pub(super) fn current(vectors: &[Property], property: &str, element: &str) -> Option<f64> {
    let vector = vectors.iter().find(|vector| vector.name == property)?;
    match &vector.elements {
        Elements::Number(all) => all.iter().find(|one| one.name == element)?.value.value,
        _ => None,
    }
}

/// The present moment as INDI writes it.
pub(super) fn now() -> String {
    moment(astrobackend::Timestamp::now())
}

/// A moment as INDI writes it: UTC, to the second.
pub(super) fn moment(at: astrobackend::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
