//! Replies read liberally: any order and casing of keys, ids missing or 0, numbers that come as text.
//!
//! Real servers deviate in all of these. Where the meaning stays clear it is taken; where it does not, the reply
//! is an error that says so.

use super::image_bytes;
use crate::{Error, ErrorKind, Result, Timestamp};
use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};

/// The longest text of a server that goes into an error.
const LONGEST_TEXT: usize = 400;

/// Reads the body of a reply with status 200: its `Value`, null when there is none.
///
/// # Errors
/// The device's own, by its ASCOM number; `Protocol` when it is no reply.
pub fn parse(body: &[u8]) -> Result<Value> {
    let Ok(Value::Object(mut reply)) = serde_json::from_slice(body) else {
        return Err(Error::protocol(format!("answered what is no Alpaca reply: {:?}", shortened(body))));
    };
    let number = take(&mut reply, "ErrorNumber").map_or(Some(0), |value| integer(&value));
    let text = take(&mut reply, "ErrorMessage").as_ref().and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    match number {
        Some(0) => Ok(take(&mut reply, "Value").unwrap_or(Value::Null)),
        Some(number) => Err(error(number, &text)),
        None => Err(Error::protocol(format!("answered an error without a number: {text:?}"))),
    }
}

/// The failure that a status other than 200 tells, with the server's text.
///
/// 400 means a parameter, or a member that the server does not have; 404 and 405 the latter.
pub fn refusal(status: u16, body: &[u8]) -> Error {
    // Some servers wrap the text in a reply.
    if let Ok(Value::Object(mut reply)) = serde_json::from_slice::<Value>(body) {
        let number = take(&mut reply, "ErrorNumber").and_then(|value| integer(&value)).unwrap_or(0);
        let text = ["ErrorMessage", "detail", "message"].iter().find_map(|key| take(&mut reply, key));
        let text = text.map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_owned)).unwrap_or_default();
        return if number == 0 { of_status(status, &text) } else { error(number, &text) };
    }
    of_status(status, &shortened(body))
}

fn of_status(status: u16, text: &str) -> Error {
    let kind = match status {
        400 | 422 => ErrorKind::InvalidValue,
        401 | 403 => ErrorKind::InvalidOperation,
        404 | 405 | 501 => ErrorKind::Unsupported,
        408 | 504 => ErrorKind::Timeout,
        500..=599 => ErrorKind::Device(0),
        _ => ErrorKind::Protocol,
    };
    let text = shorten(text);
    let message = match status {
        401 => "its server wants a user and a password (options user and password)".to_owned(),
        _ if text.is_empty() => format!("its server answered HTTP status {status}"),
        _ => format!("{text} (HTTP status {status})"),
    };
    Error::new(kind, message)
}

/// The failure of an ASCOM error number.
pub fn error(number: i64, text: &str) -> Error {
    // COM's way: 0x80040400 as a negative number.
    let code = u32::try_from(number & 0xFFFF_FFFF).unwrap_or_default();
    let code = if code & 0xFFFF_F000 == 0x8004_0000 { code & 0xFFF } else { code };
    let kind = if code <= 0xFFF { ErrorKind::from_ascom_code(code) } else { ErrorKind::Device(code) };
    let text = shorten(text);
    Error::new(kind, if text.is_empty() { format!("failed with error number {number:#x}") } else { text })
}

/// The failure in an ImageBytes reply: its number, and the text that follows the header.
pub fn image_error(header: &image_bytes::Header, text: &[u8]) -> Error {
    error(header.error.into(), String::from_utf8_lossy(text).trim())
}

fn shortened(body: &[u8]) -> String {
    shorten(&String::from_utf8_lossy(&body[..body.len().min(4 * LONGEST_TEXT)]))
}

/// The text on one line, not longer than a person reads.
fn shorten(text: &str) -> String {
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_TEXT) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Takes the value of a key, in the right casing if it is there, else in any.
pub fn take(object: &mut Map<String, Value>, key: &str) -> Option<Value> {
    let name = match object.contains_key(key) {
        true => key.to_owned(),
        false => object.keys().find(|name| name.eq_ignore_ascii_case(key))?.clone(),
    };
    object.remove(&name)
}

/// A truth value; `None` for what is none.
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => [false, true].into_iter().find(|value| number.as_f64() == Some(f64::from(*value))),
        Value::String(text) => match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A number that may come as text; `None` for what is none and what is not finite.
pub fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A whole number; what comes as a float is rounded.
pub fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) if number.is_i64() => number.as_i64(),
        _ => real(value).map(f64::round).filter(|number| number.abs() < 9e15).map(|number| number as i64),
    }
}

/// A text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A list, each element read; `None` when one cannot be.
pub fn list<T>(value: &Value, element: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(element).collect()
}

/// A moment in UTC: ISO 8601 with or without `Z`.
pub fn moment(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?.trim();
    text.parse().ok().or_else(|| TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn replies_of_real_servers_are_read() {
        for body in [
            r#"{"Value":5,"ClientTransactionID":1,"ServerTransactionID":2,"ErrorNumber":0,"ErrorMessage":""}"#,
            r#"{"errorMessage":null,"errorNumber":0,"serverTransactionId":0,"VALUE":5,"More":[]}"#,
            r#" {"Value":5} "#,
            r#"{"Value":5,"ErrorNumber":"0","ClientTransactionID":0}"#,
        ] {
            assert_eq!(parse(body.as_bytes()).unwrap(), json!(5), "{body}");
        }
        assert_eq!(parse(br#"{"ErrorNumber":0}"#).unwrap(), Value::Null);
    }

    #[test]
    fn errors_keep_number_and_text() {
        let error = parse(br#"{"ErrorNumber":1032,"ErrorMessage":"Parked\n now","Value":null}"#).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Parked, "Parked now"));
        // COM's 0x80040407 as a signed number.
        let error = parse(br#"{"ErrorNumber":-2147220473}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert_eq!(parse(b"<html>").unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(parse(br#"{"ErrorNumber":"x"}"#).unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(refusal(400, b"no such method").to_string(), "no such method (HTTP status 400)");
        assert_eq!(refusal(404, b"").kind(), ErrorKind::Unsupported);
        assert!(refusal(422, br#"{"detail":[{"msg":"field required"}]}"#).to_string().contains("field required"));
        assert!(refusal(500, &[0xff; 100_000]).to_string().len() < 2000);
    }

    #[test]
    fn values_are_taken_where_their_meaning_is_clear() {
        assert_eq!(boolean(&json!("True")), Some(true));
        assert_eq!((boolean(&json!(1)), boolean(&json!(2)), boolean(&json!("yes"))), (Some(true), None, None));
        assert_eq!((integer(&json!(41.7)), integer(&json!("7")), integer(&json!([]))), (Some(42), Some(7), None));
        assert_eq!((real(&json!("1.5")), real(&json!("NaN")), real(&Value::Null)), (Some(1.5), None, None));
        assert_eq!(list(&json!([1, 2.0]), integer), Some(vec![1, 2]));
        let then = "2026-01-02T03:04:05.1234567Z";
        assert_eq!(moment(&json!(then)), then.parse().ok());
        assert_eq!(moment(&json!("2026-01-02T03:04:05")), "2026-01-02T03:04:05Z".parse().ok());
        assert_eq!(moment(&json!("yesterday")), None);
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..80), status in 0..700_u16) {
            let _ = (parse(&body), refusal(status, &body));
        }

        #[test]
        fn any_number_is_an_error(number in any::<i64>()) {
            let _ = error(number, "text");
        }
    }
}
