//! New values written in one line, in the manner of `indi_setprop`.

use crate::{Error, Result};
use std::str::FromStr;

/// New values for elements of a property: `CCD Simulator.CCD_GAIN.GAIN=100`, `D.CCD_BINNING.HOR_BIN;VER_BIN=2;2`
/// or `D.CCD_BINNING.HOR_BIN=2;VER_BIN=2`.
///
/// A single value may contain anything, `;` and `=` included, unless it reads like the third form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The device.
    pub device: String,
    /// The property.
    pub property: String,
    /// Elements and their values.
    pub values: Vec<(String, String)>,
}

impl Assignment {
    /// For a device that is known: `CCD_GAIN.GAIN=100`.
    ///
    /// # Errors
    /// `InvalidValue` for any other form.
    pub fn for_device(device: &str, text: &str) -> Result<Self> {
        let wrong = || Error::invalid(format!("{text:?} is no assignment: PROPERTY.ELEMENT=VALUE"));
        let (left, right) = text.split_once('=').ok_or_else(wrong)?;
        let (property, elements) = left.split_once('.').ok_or_else(wrong)?;
        let values = values(elements, right).ok_or_else(wrong)?;
        let named = !property.trim().is_empty() && values.iter().all(|(element, _)| !element.is_empty());
        let assignment = Assignment { device: device.to_owned(), property: property.trim().to_owned(), values };
        if named { Ok(assignment) } else { Err(wrong()) }
    }

    /// The values, as [`Properties::set`](super::Properties::set) takes them.
    pub fn values(&self) -> Vec<(&str, &str)> {
        self.values.iter().map(|(element, value)| (element.as_str(), value.as_str())).collect()
    }
}

impl FromStr for Assignment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid(format!("{text:?} is no assignment: DEVICE.PROPERTY.ELEMENT=VALUE"));
        let end = text.find('=').ok_or_else(wrong)?;
        // The device's name may contain dots.
        let (at, _) = text[..end].rmatch_indices('.').nth(1).ok_or_else(wrong)?;
        let device = text[..at].trim();
        let assignment = Assignment::for_device(device, &text[at + 1..]).map_err(|_| wrong())?;
        if device.is_empty() { Err(wrong()) } else { Ok(assignment) }
    }
}

fn values(elements: &str, right: &str) -> Option<Vec<(String, String)>> {
    let pair = |element: &str, value: &str| (element.trim().to_owned(), value.to_owned());
    let elements: Vec<&str> = elements.split(';').collect();
    if let [first] = elements[..] {
        let mut parts = right.split(';');
        let value = parts.next()?;
        let rest: Option<Vec<_>> = parts.map(|part| part.split_once('=')).collect();
        return Some(match rest {
            Some(rest) => {
                std::iter::once((first, value)).chain(rest).map(|(element, value)| pair(element, value)).collect()
            }
            None => vec![pair(first, right)],
        });
    }
    let parts: Vec<&str> = right.splitn(elements.len(), ';').collect();
    (parts.len() == elements.len()).then(|| elements.iter().zip(parts).map(|(e, v)| pair(e, v)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(String, String, String)> {
        let Assignment { device, property, values } = text.parse().ok()?;
        let values: Vec<_> = values.into_iter().map(|(element, value)| format!("{element}:{value}")).collect();
        Some((device, property, values.join(" ")))
    }

    #[test]
    fn the_forms_of_indi_setprop_are_read() {
        for (text, values) in [
            ("My 1.5 m.P.A=1", "A:1"),
            ("My 1.5 m.P.A;B=1;2", "A:1 B:2"),
            ("My 1.5 m.P.A=1;B=2", "A:1 B:2"),
            ("My 1.5 m.P.A=a;b", "A:a;b"),
            ("My 1.5 m.P.A=http://x/?y=1", "A:http://x/?y=1"),
            ("My 1.5 m.P.A=", "A:"),
        ] {
            assert_eq!(read(text), Some(("My 1.5 m".into(), "P".into(), values.into())), "{text}");
        }
        for text in ["", "D.P.A", "D.P=1", "P=1", ".P.A=1", "D..A=1", "D.P.=1", "D.P.A;B=1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[AB.;= é]{0,20}") {
            let _ = text.parse::<Assignment>();
        }
    }
}
