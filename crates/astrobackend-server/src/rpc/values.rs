//! Values as the original's clients take them: whole numbers without a point where they count something, floats where
//! they measure.

use astrobackend::wire::rpc::Refusal;
use serde_json::{Value, json};

/// A number that counts: without a point when it is whole.
pub(super) fn count(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

/// A measurement: always with a point; unknown is null.
pub(super) fn measure(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::from)
}

/// What is answered when something was done.
pub(super) fn complete() -> Value {
    json!({ "complete": true })
}

/// A whole number that fits the type.
pub(super) fn fitting<T: TryFrom<i64>>(name: &str, value: i64) -> Result<T, Refusal> {
    T::try_from(value).map_err(|_| Refusal::invalid(format!("{name} {value} is out of range")))
}
