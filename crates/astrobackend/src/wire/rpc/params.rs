//! The parameters of a request, read liberally: a number is a number, whole or not.

use super::message::Refusal;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The parameters of a request, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(Map<String, Value>);

impl From<Map<String, Value>> for Params {
    fn from(map: Map<String, Value>) -> Self {
        Params(map)
    }
}

type Read<T> = Result<T, Refusal>;

impl Params {
    /// A parameter that may be missing; `null` is missing, too.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Read<&Value> {
        self.get(name).ok_or_else(|| Refusal::invalid(format!("missing {name} parameter")))
    }

    /// A number, which is finite.
    ///
    /// # Errors
    /// -32600 without one.
    pub fn number(&self, name: &str) -> Read<f64> {
        let value = self.required(name)?;
        value.as_f64().ok_or_else(|| Refusal::invalid(format!("{name} must be float or int")))
    }

    /// A whole number, also as `2.0`.
    ///
    /// # Errors
    /// -32600 without one.
    pub fn whole(&self, name: &str) -> Read<i64> {
        whole(self.required(name)?).ok_or_else(|| Refusal::invalid(format!("{name} must be int")))
    }

    /// A truth value.
    ///
    /// # Errors
    /// -32600 without one.
    pub fn truth(&self, name: &str) -> Read<bool> {
        self.required(name)?.as_bool().ok_or_else(|| Refusal::invalid(format!("{name} must be bool")))
    }

    /// A text.
    ///
    /// # Errors
    /// -32600 without one.
    pub fn text(&self, name: &str) -> Read<&str> {
        self.required(name)?.as_str().ok_or_else(|| Refusal::invalid(format!("{name} must be a string")))
    }

    /// A value of a type of ours.
    ///
    /// # Errors
    /// -32600 without one.
    pub fn value<T: DeserializeOwned>(&self, name: &str) -> Read<T> {
        let value = self.0.get(name).unwrap_or(&Value::Null);
        T::deserialize(value).map_err(|error| Refusal::invalid(format!("{name}: {error}")))
    }
}

/// A whole number, also as `2.0` or, as Python's `int()` takes it, `"2"`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let value = number.as_f64()?;
            (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
