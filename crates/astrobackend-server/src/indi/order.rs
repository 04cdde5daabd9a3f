//! What a client wants a property to be.

use super::property::current;
use astrobackend::{
    Error, Result,
    wire::indi::{Elements, Perm, Rule, Vector},
};

/// New values for the elements of a vector.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) property: String,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Texts(Vec<(String, String)>),
    /// `None` for what is no number.
    Numbers(Vec<(String, Option<f64>)>),
    Switches(Vec<(String, bool)>),
    Others,
}

impl Order {
    /// What a `new` message says.
    pub(super) fn read(vector: &Vector<'_>) -> Self {
        let values = match &vector.elements {
            Elements::Text(all) => {
                Values::Texts(all.iter().map(|one| (one.name.to_string(), one.value.to_string())).collect())
            }
            Elements::Number(all) => {
                Values::Numbers(all.iter().map(|one| (one.name.to_string(), one.value.value)).collect())
            }
            Elements::Switch(all) => {
                Values::Switches(all.iter().map(|one| (one.name.to_string(), one.value)).collect())
            }
            Elements::Light(_) | Elements::Blob(_) => Values::Others,
        };
        Order { property: vector.name.to_string(), values }
    }

    /// Refuses what the property does not take.
    ///
    /// # Errors
    /// `Unsupported` for what can only be read or is not there, `InvalidValue` for values beyond the limits.
    pub(super) fn check(&self, vector: &Vector<'_>) -> Result<()> {
        if vector.perm == Some(Perm::ReadOnly) {
            return Err(Error::unsupported(format!("{} can only be read", self.property)));
        }
        match (&self.values, &vector.elements) {
            (Values::Texts(given), Elements::Text(all)) => {
                known(&self.property, given, all.iter().map(|one| one.name.as_ref()))
            }
            (Values::Numbers(given), Elements::Number(all)) => {
                known(&self.property, given, all.iter().map(|one| one.name.as_ref()))?;
                self.check_numbers(vector, given)
            }
            (Values::Switches(given), Elements::Switch(all)) => {
                known(&self.property, given, all.iter().map(|one| one.name.as_ref()))?;
                self.check_switches(vector, given)
            }
            _ => Err(Error::invalid(format!("{} is of another type", self.property))),
        }
    }

    fn check_numbers(&self, vector: &Vector<'_>, given: &[(String, Option<f64>)]) -> Result<()> {
        for (name, value) in given {
            let value = value.filter(|value| value.is_finite());
            let value = value.ok_or_else(|| Error::invalid(format!("{}.{name} is no number", self.property)))?;
            let limits = match &vector.elements {
                Elements::Number(all) => all.iter().find(|one| one.name == *name).map(|one| &one.value),
                _ => None,
            };
            let limits = limits.and_then(|number| number.min.zip(number.max)).filter(|(min, max)| max > min);
            if let Some((min, max)) = limits.filter(|(min, max)| !(*min..=*max).contains(&value)) {
                return Err(Error::invalid(format!("{}.{name} {value} is not within {min} to {max}", self.property)));
            }
        }
        Ok(())
    }

    fn check_switches(&self, vector: &Vector<'_>, given: &[(String, bool)]) -> Result<()> {
        let on = given.iter().filter(|(_, on)| *on).count();
        match vector.rule {
            Some(Rule::OneOfMany) if on != 1 => {
                Err(Error::invalid(format!("of {} exactly one can be on, not {on}", self.property)))
            }
            Some(Rule::AtMostOne) if on > 1 => {
                Err(Error::invalid(format!("of {} at most one can be on, not {on}", self.property)))
            }
            _ => Ok(()),
        }
    }

    /// A number, if it was given.
    pub(super) fn number(&self, element: &str) -> Option<f64> {
        match &self.values {
            Values::Numbers(all) => all.iter().rev().find(|(name, _)| name == element).and_then(|(_, value)| *value),
            _ => None,
        }
    }

    /// A number that was given, or the one that the property has.
    pub(super) fn number_or(&self, element: &str, vectors: &[Vector<'static>]) -> Option<f64> {
        self.number(element).or_else(|| current(vectors, &self.property, element))
    }

    /// The switch that is to be on.
    pub(super) fn on(&self) -> Option<&str> {
        match &self.values {
            Values::Switches(all) => all.iter().find(|(_, on)| *on).map(|(name, _)| name.as_str()),
            _ => None,
        }
    }

    /// A text, if it was given.
    pub(super) fn text(&self, element: &str) -> Option<&str> {
        match &self.values {
            Values::Texts(all) => all.iter().rev().find(|(name, _)| name == element).map(|(_, text)| text.as_str()),
            _ => None,
        }
    }
}

fn known<'a, T>(property: &str, given: &[(String, T)], there: impl Iterator<Item = &'a str> + Clone) -> Result<()> {
    match given.iter().find(|(name, _)| !there.clone().any(|known| known == name)) {
        Some((name, _)) => Err(Error::unsupported(format!("{property} has no element {name}"))),
        None if given.is_empty() => Err(Error::invalid(format!("{property}: no value was given"))),
        None => Ok(()),
    }
}
