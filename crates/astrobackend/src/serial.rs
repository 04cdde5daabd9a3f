//! How the contract's types are written down for another program: durations as seconds, cards as lists.

use crate::{
    Error, ErrorKind,
    fits::{Card, Header, Value},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{ops::RangeInclusive, time::Duration};

/// From seconds; what is too long for the type is as long as it can be.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 { Duration::MAX } else { Duration::ZERO })
}

/// A duration in seconds.
pub(crate) mod seconds {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_secs_f64())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        f64::deserialize(from).map(duration)
    }
}

/// A duration that may be unknown.
pub(crate) mod maybe_seconds {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        value.map(|value| value.as_secs_f64()).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<f64>::deserialize(from)?.map(duration))
    }
}

/// The shortest and the longest duration.
pub(crate) mod seconds_range {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &RangeInclusive<Duration>, to: S) -> Result<S::Ok, S::Error> {
        [value.start(), value.end()].map(Duration::as_secs_f64).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RangeInclusive<Duration>, D::Error> {
        let [start, end] = <[f64; 2]>::deserialize(from)?.map(duration);
        Ok(start..=end)
    }
}

/// When an exposure began, and how long it took.
pub(crate) mod moment_and_seconds {
    use super::*;
    use crate::Timestamp;

    pub(crate) fn serialize<S: Serializer>(value: &Option<(Timestamp, Duration)>, to: S) -> Result<S::Ok, S::Error> {
        value.map(|(at, length)| (at, length.as_secs_f64())).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<(Timestamp, Duration)>, D::Error> {
        Ok(Option::<(Timestamp, f64)>::deserialize(from)?.map(|(at, length)| (at, duration(length))))
    }
}

/// `[keyword, value, comment]` for each card.
pub(crate) mod cards {
    use super::*;
    use serde_json::Value as Json;

    pub(crate) fn serialize<S: Serializer>(header: &Header, to: S) -> Result<S::Ok, S::Error> {
        let card = |card: &Card| {
            let value = match &card.value {
                Value::Logical(value) => Json::from(*value),
                Value::Integer(value) => Json::from(*value),
                Value::Real(value) => Json::from(*value),
                Value::Text(value) => Json::from(value.as_str()),
                Value::None => Json::Null,
            };
            (card.keyword.clone(), value, card.comment.clone())
        };
        to.collect_seq(header.cards().iter().map(card))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Header, D::Error> {
        let mut header = Header::new();
        for (keyword, value, comment) in Vec::<(String, Json, String)>::deserialize(from)? {
            let value = match value {
                Json::Bool(value) => Value::Logical(value),
                Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(value), _) => Value::Integer(value),
                    (None, value) => value.map_or(Value::None, Value::Real),
                },
                Json::String(value) => Value::Text(value),
                _ => Value::None,
            };
            header.push(Card::new(keyword, value, comment)).map_err(D::Error::custom)?;
        }
        Ok(header)
    }
}

/// An error as it is told.
#[derive(Serialize, Deserialize)]
struct Told {
    kind: ErrorKind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

/// Kind, sentence and device; what caused it stays where it happened.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let device = self.device().map(str::to_owned);
        Told { kind: self.kind(), message: self.message().to_owned(), device }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Error {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Told { kind, message, device } = Told::deserialize(from)?;
        let error = Error::new(kind, message);
        Ok(match device {
            Some(device) => error.on(device),
            None => error,
        })
    }
}
