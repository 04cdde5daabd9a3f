//! Which properties and elements are meant: `device.property.element` with wildcards.

use super::model::{Kind, Property, Value};
use crate::{Error, Result};
use std::{fmt, str::FromStr};

/// A pattern in the manner of `indi_getprop`: `CCD Simulator.CCD_GAIN.GAIN`, `*.CONNECTION.*`, `*.CCD_*._STATE`.
///
/// `*` stands for any letters, none included, within its part. Parts that are left out are `*`; the
/// device's name may contain dots, the other two may not. An element that begins with `_` and is none of
/// the property's own is an attribute, see [`Property::attribute`].
///
/// ```
/// use astrobackend::backend::indi::properties::Pattern;
/// let pattern: Pattern = "*.CCD_*.GAIN".parse()?;
/// assert!(pattern.fits("CCD Simulator", "CCD_GAIN") && !pattern.fits("CCD Simulator", "FILTER_SLOT"));
/// # Ok::<(), astrobackend::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Of the device.
    pub device: String,
    /// Of the property.
    pub property: String,
    /// Of the element, or the name of an attribute.
    pub element: String,
}

impl Pattern {
    /// Everything.
    pub fn all() -> Self {
        let any = || "*".to_owned();
        Pattern { device: any(), property: any(), element: any() }
    }

    /// Everything of one device, whatever its name.
    pub fn of_device(device: impl Into<String>) -> Self {
        Pattern { device: device.into(), ..Pattern::all() }
    }

    /// True when the device and the property are meant.
    pub fn fits(&self, device: &str, property: &str) -> bool {
        fits(&self.device, device) && fits(&self.property, property)
    }

    /// The elements of a property that are meant, or the attribute, with their values; not the content of files.
    pub fn select(&self, property: &Property) -> Vec<(String, String)> {
        if !self.fits(&property.device, &property.name) {
            return Vec::new();
        }
        let own = property.elements.iter().filter(|element| fits(&self.element, &element.name));
        let own = own.filter(|element| element.value != Value::Blob);
        let all: Vec<_> = own.map(|element| (element.name.clone(), element.value.to_string())).collect();
        match property.attribute(&self.element) {
            Some(value) if all.is_empty() => vec![(self.element.clone(), value)],
            _ => all,
        }
    }

    /// The same property with only those elements that are meant; `None` when nothing of it is.
    pub fn cut(&self, property: &Property) -> Option<Property> {
        let whole = property.attribute(&self.element).is_some() && property.element(&self.element).is_none();
        let mut cut = property.clone();
        cut.elements.retain(|element| whole || fits(&self.element, &element.name));
        let file = property.kind == Kind::Blob;
        let something = file || !self.select(property).is_empty();
        (self.fits(&property.device, &property.name) && something && !cut.elements.is_empty()).then_some(cut)
    }

    /// The device and the property, when exactly one of each can be meant.
    pub(super) fn one(&self) -> Option<(&str, &str)> {
        let exact = |text: &str| !text.contains('*');
        (exact(&self.device) && exact(&self.property)).then_some((&self.device, &self.property))
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.rsplitn(3, '.').collect::<Vec<_>>().into_iter().rev();
        let mut part = || parts.next().unwrap_or("*").trim().to_owned();
        let pattern = Pattern { device: part(), property: part(), element: part() };
        let all = [&pattern.device, &pattern.property, &pattern.element];
        match all.iter().any(|part| part.is_empty()) {
            true => Err(Error::invalid(format!("{text:?} is no property: DEVICE.PROPERTY.ELEMENT, * for any"))),
            false => Ok(pattern),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.device, self.property, self.element)
    }
}

/// Whether a text fits a pattern with `*`: greedy from the left, and the last part at the end.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, yes) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*a", "a", false),
            ("*ab*ab", "ab", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(fits(pattern, text), yes, "{pattern} {text}");
        }
    }

    #[test]
    fn parts_may_be_left_out_and_devices_may_have_dots() {
        let parsed = |text: &str| text.parse::<Pattern>().map(|pattern| pattern.to_string());
        assert_eq!(parsed("CCD").unwrap(), "CCD.*.*");
        assert_eq!(parsed("CCD.GAIN").unwrap(), "CCD.GAIN.*");
        assert_eq!(parsed("My 10.5 inch.GAIN._STATE").unwrap(), "My 10.5 inch.GAIN._STATE");
        assert!(parsed("").is_err() && parsed("CCD..GAIN").is_err());
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_with_any_part_starred(text in "[ab*]{0,8}", at in 0usize..8, len in 0usize..8) {
            let text = text.replace('*', "c");
            let from = at.min(text.len());
            let to = (from + len).min(text.len());
            let starred = format!("{}*{}", &text[..from], &text[to..]);
            prop_assert!(fits(&starred, &text), "{starred} {text}");
        }
    }
}
