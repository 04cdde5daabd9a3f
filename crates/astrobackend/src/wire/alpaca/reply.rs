//! What a server answers: JSON with exactly the keys that the Reference lists.
//!
//! A member that answers something has five keys, also in an error, where `Value` is the default of its type: strict
//! clients build a record from them. One that only does something has four.

use super::Type;
use crate::{Error, Result};
use serde::Serialize;
use std::borrow::Cow;

/// The numbers of a request: the client's, 0 without one, and the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// `ClientTransactionID`.
    pub client: u32,
    /// `ServerTransactionID`, from 1.
    pub server: u32,
}

/// What a member answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: it did something.
    Done,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i32),
    /// A number; JSON has none that is not finite, such a one is printed as `null`.
    Double(f64),
    /// Text.
    Text(Cow<'static, str>),
    /// Whole numbers.
    Ints(Vec<i32>),
    /// Texts.
    Texts(Vec<String>),
    /// Names and values: `DeviceState`.
    States(Vec<(&'static str, Value)>),
    /// From and to: `AxisRates`.
    Rates(Vec<(f64, f64)>),
}

impl Value {
    /// Text from anything that has one.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Value::Text(text.into())
    }

    /// What stands for a value of a type in an error; `None`, that of a member that answers nothing.
    pub fn default_of(returns: Option<Type>) -> Self {
        match returns {
            None => Value::Done,
            Some(Type::Bool) => Value::Bool(false),
            Some(Type::Int) => Value::Int(0),
            Some(Type::Double) => Value::Double(0.0),
            Some(Type::Text | Type::Date) => Value::text(""),
            Some(Type::Ints | Type::Texts | Type::Objects | Type::Image) => Value::Ints(Vec::new()),
        }
    }

    fn print(&self, out: &mut Vec<u8>) {
        match self {
            Value::Done => out.extend_from_slice(b"null"),
            Value::Bool(value) => json(out, value),
            Value::Int(value) => json(out, value),
            Value::Double(value) => json(out, value),
            Value::Text(value) => json(out, value),
            Value::Ints(values) => json(out, values),
            Value::Texts(values) => json(out, values),
            Value::States(states) => list(out, states, |out, (name, value)| {
                out.extend_from_slice(b"{\"Name\":");
                json(out, name);
                out.extend_from_slice(b",\"Value\":");
                value.print(out);
                out.push(b'}');
            }),
            Value::Rates(rates) => list(out, rates, |out, (low, high)| {
                out.extend_from_slice(b"{\"Minimum\":");
                json(out, low);
                out.extend_from_slice(b",\"Maximum\":");
                json(out, high);
                out.push(b'}');
            }),
        }
    }
}

fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing to memory does not fail, and these types have no other reason to.
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok());
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut print: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        print(out, item);
    }
    out.push(b']');
}

/// The reply to a member that answers `returns`: its value, or the number and the sentence of an error.
pub fn print(returns: Option<Type>, outcome: &Result<Value>, ids: Transaction) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    out.push(b'{');
    if returns.is_some() {
        out.extend_from_slice(b"\"Value\":");
        match outcome {
            Ok(value) => value.print(&mut out),
            Err(_) => Value::default_of(returns).print(&mut out),
        }
        out.push(b',');
    }
    print_ids(&mut out, ids);
    print_error(&mut out, outcome.as_ref().err());
    out.push(b'}');
    out
}

/// A reply of the management API, whose value is any JSON and which has no error.
pub fn print_management<T: Serialize + ?Sized>(value: &T, ids: Transaction) -> Vec<u8> {
    let mut out = b"{\"Value\":".to_vec();
    json(&mut out, value);
    out.push(b',');
    print_ids(&mut out, ids);
    out.push(b'}');
    out
}

/// The reply to `imagearray` when there is no image: JSON also for those who asked for ImageBytes.
pub fn print_image_error(error: &Error, ids: Transaction) -> Vec<u8> {
    let mut out = b"{\"Type\":0,\"Rank\":0,\"Value\":[],".to_vec();
    print_ids(&mut out, ids);
    print_error(&mut out, Some(error));
    out.push(b'}');
    out
}

pub(super) fn print_ids(out: &mut Vec<u8>, ids: Transaction) {
    out.extend_from_slice(b"\"ClientTransactionID\":");
    json(out, &ids.client);
    out.extend_from_slice(b",\"ServerTransactionID\":");
    json(out, &ids.server);
}

pub(super) fn print_error(out: &mut Vec<u8>, error: Option<&Error>) {
    out.extend_from_slice(b",\"ErrorNumber\":");
    match error {
        None => out.extend_from_slice(b"0,\"ErrorMessage\":\"\""),
        Some(error) => {
            json(out, &error.kind().ascom_code());
            out.extend_from_slice(b",\"ErrorMessage\":");
            json(out, &error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: Transaction = Transaction { client: 4294967295, server: 1 };

    fn printed(returns: Option<Type>, outcome: Result<Value>) -> String {
        String::from_utf8(print(returns, &outcome, IDS)).unwrap()
    }

    #[test]
    fn five_keys_for_an_answer_and_four_for_a_deed() {
        assert_eq!(
            printed(Some(Type::Double), Ok(Value::Double(2.0))),
            r#"{"Value":2.0,"ClientTransactionID":4294967295,"ServerTransactionID":1,"ErrorNumber":0,"ErrorMessage":""}"#
        );
        assert_eq!(
            printed(None, Ok(Value::Done)),
            r#"{"ClientTransactionID":4294967295,"ServerTransactionID":1,"ErrorNumber":0,"ErrorMessage":""}"#
        );
    }

    #[test]
    fn an_error_keeps_the_keys_and_says_its_sentence() {
        let error = || Err(Error::invalid("no \"such\" place").on("Wheel"));
        let text = printed(Some(Type::Texts), error());
        assert!(text.starts_with(r#"{"Value":[],"#), "{text}");
        assert!(text.ends_with(r#""ErrorNumber":1025,"ErrorMessage":"Wheel: no \"such\" place"}"#), "{text}");
        assert!(printed(None, error()).starts_with(r#"{"ClientTransactionID""#));
    }

    #[test]
    fn objects_have_the_names_of_the_reference() {
        let states = Value::States(vec![("Slewing", Value::Bool(true)), ("UTCDate", Value::text("2026"))]);
        let text = printed(Some(Type::Objects), Ok(states));
        assert!(text.contains(r#"[{"Name":"Slewing","Value":true},{"Name":"UTCDate","Value":"2026"}]"#), "{text}");
        let text = printed(Some(Type::Objects), Ok(Value::Rates(vec![(0.0, 8.5)])));
        assert!(text.contains(r#"[{"Minimum":0.0,"Maximum":8.5}]"#), "{text}");
    }
}
