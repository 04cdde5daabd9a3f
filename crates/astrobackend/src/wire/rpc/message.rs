//! Requests, answers, events: one JSON object a line.

use super::{ascii::write_line, params::Params};
use crate::{Error, ErrorKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::fmt;

/// The error codes of the original server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// -32700: no JSON.
    Parse,
    /// -32600: no request, or parameters that are missing or of another type.
    Invalid,
    /// -32601: no such method.
    UnknownMethod,
    /// -1: the device or the server cannot.
    Application,
}

impl Code {
    /// As it is sent.
    pub fn number(self) -> i64 {
        match self {
            Code::Parse => -32700,
            Code::Invalid => -32600,
            Code::UnknownMethod => -32601,
            Code::Application => -1,
        }
    }
}

/// Why a request is not granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The original's code.
    pub code: Code,
    /// A sentence.
    pub message: String,
    /// Kind and device, which the original does not tell.
    pub error: Option<Error>,
}

impl Refusal {
    /// -32600 with a sentence.
    pub fn invalid(message: impl Into<String>) -> Self {
        Refusal { code: Code::Invalid, message: message.into(), error: None }
    }

    /// -1 with a sentence.
    pub fn application(message: impl Into<String>) -> Self {
        Refusal { code: Code::Application, message: message.into(), error: None }
    }

    /// -32601.
    pub fn unknown_method(name: &str) -> Self {
        Refusal { code: Code::UnknownMethod, message: format!("Method {name} not found"), error: None }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal { code: Code::Application, message: error.to_string(), error: Some(error) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.number())
    }
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What to do.
    pub method: String,
    /// Any value; it comes back with the answer.
    pub id: Value,
    /// With what.
    pub params: Params,
}

/// A line that is no request, and the id to answer with.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestError {
    /// What is wrong.
    pub refusal: Refusal,
    /// The request's own id, or the text `null` as the original sends it.
    pub id: Value,
}

#[derive(Deserialize)]
struct RawRequest {
    method: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    #[serde(default)]
    params: Option<Map<String, Value>>,
}

/// An object; a list of values in the right order is none, although it could be read as one.
fn object<T: DeserializeOwned>(line: &[u8]) -> Option<T> {
    let is_object = line.trim_ascii_start().first() == Some(&b'{');
    is_object.then(|| serde_json::from_slice(line).ok()).flatten()
}

/// `null` is there, too.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// What to answer instead.
    pub fn parse(line: &[u8]) -> Result<Self, RequestError> {
        let raw: RawRequest = object(line).ok_or_else(|| why_not(line))?;
        let id = raw.id.unwrap_or_else(unknown_id);
        match raw.method {
            Some(Value::String(method)) => Ok(Request { method, id, params: raw.params.unwrap_or_default().into() }),
            _ => Err(RequestError { refusal: Refusal::invalid("Invalid request - no method"), id }),
        }
        .and_then(|request| match has_id(line, &request.id) {
            true => Ok(request),
            false => {
                let refusal = Refusal::invalid("Invalid request - no ID");
                Err(RequestError { refusal, id: unknown_id() })
            }
        })
    }
}

/// Our stand-in for a missing id is a text that a client may send as well.
fn has_id(line: &[u8], id: &Value) -> bool {
    if *id != unknown_id() {
        return true;
    }
    serde_json::from_slice::<Value>(line).is_ok_and(|request| request.get("id").is_some())
}

/// What is wrong with a line that is no request.
fn why_not(line: &[u8]) -> RequestError {
    match serde_json::from_slice::<Value>(line) {
        Err(_) => {
            let refusal = Refusal { code: Code::Parse, message: "Parse error".into(), error: None };
            RequestError { refusal, id: unknown_id() }
        }
        Ok(value) => {
            let message = if value.is_object() { "Invalid request - params is no object" } else { "Invalid request" };
            let id = value.get("id").cloned().unwrap_or_else(unknown_id);
            RequestError { refusal: Refusal::invalid(message), id }
        }
    }
}

/// The original answers the text, not the value, when it does not know the id.
fn unknown_id() -> Value {
    Value::from("null")
}

/// A request as a line.
///
/// # Errors
/// `InvalidValue` when the parameters cannot be written.
pub fn request_line(method: &str, id: u64, params: Option<&Value>) -> crate::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(128);
    let written = match params {
        Some(params) => write_line(&mut line, &json!({ "method": method, "id": id, "params": params })),
        None => write_line(&mut line, &json!({ "method": method, "id": id })),
    };
    written.map_err(|error| Error::invalid(format!("{method} cannot be written: {error}")))?;
    Ok(line)
}

#[derive(Serialize)]
struct Success<'a> {
    jsonrpc: &'static str,
    id: &'a Value,
    result: &'a Value,
}

#[derive(Serialize)]
struct Failure<'a> {
    jsonrpc: &'static str,
    error: FailureBody<'a>,
    id: &'a Value,
}

#[derive(Serialize)]
struct FailureBody<'a> {
    code: i64,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Error>,
}

/// What a server answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Of the request.
    pub id: Value,
    /// The result, or why there is none.
    pub outcome: Result<Value, Refusal>,
}

impl Answer {
    /// Appends it as a line.
    pub fn write(&self, to: &mut Vec<u8>) {
        const VERSION: &str = "2.0";
        let written = match &self.outcome {
            Ok(result) => write_line(to, &Success { jsonrpc: VERSION, id: &self.id, result }),
            Err(Refusal { code, message, error }) => {
                let body = FailureBody { code: code.number(), message, data: error.as_ref() };
                write_line(to, &Failure { jsonrpc: VERSION, error: body, id: &self.id })
            }
        };
        // What is a `Value` can always be written.
        debug_assert!(written.is_ok());
    }
}

/// The first line of a server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Greeting {
    /// Its name.
    #[serde(rename = "Server")]
    pub server: String,
    /// Its version.
    #[serde(rename = "Version")]
    pub version: String,
    /// What it has beyond the original, see [`EXTENSIONS`](super::EXTENSIONS).
    #[serde(rename = "Extensions")]
    pub extensions: Vec<String>,
    /// Another one after each start of the server.
    #[serde(rename = "Instance")]
    pub instance: String,
}

impl Greeting {
    /// As a line.
    pub fn line(&self) -> Vec<u8> {
        let (server, version) = (&self.server, &self.version);
        let (extensions, instance) = (&self.extensions, &self.instance);
        event_line(
            "Connection",
            &json!({ "Server": server, "Version": version, "Extensions": extensions, "Instance": instance }),
        )
    }
}

/// An event as a line; its keys follow the name.
pub fn event_line(name: &str, keys: &Value) -> Vec<u8> {
    let mut event = Map::new();
    event.insert("Event".into(), name.into());
    event.extend(keys.as_object().cloned().unwrap_or_default());
    let mut line = Vec::new();
    // What is a `Value` can always be written.
    let written = write_line(&mut line, &event);
    debug_assert!(written.is_ok());
    line
}

/// What a client receives.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// The greeting.
    Greeting(Greeting),
    /// Another event, with its name.
    Event(String, Value),
    /// The answer to the request of a number.
    Answer(u64, Result<Value, Error>),
    /// An answer to a request whose number the server does not know.
    Unknown(Error),
    /// Nothing that means anything.
    Nothing,
}

#[derive(Deserialize)]
struct RawAnswer {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(default)]
    id: Value,
    result: Option<Value>,
    error: Option<Value>,
}

impl Incoming {
    /// Reads a line.
    pub fn parse(line: &[u8]) -> Self {
        let Some(raw) = object::<RawAnswer>(line) else { return Incoming::Nothing };
        if let Some(event) = raw.event {
            let whole = serde_json::from_slice::<Value>(line).unwrap_or_default();
            return match event.as_str() {
                "Connection" => Incoming::Greeting(Greeting::deserialize(whole).unwrap_or_default()),
                _ => Incoming::Event(event, whole),
            };
        }
        let id = match &raw.id {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64().or_else(|| whole_number(number.as_f64()?)),
            _ => None,
        };
        let outcome = match (raw.result, raw.error) {
            (_, Some(error)) => Err(refused(&error)),
            (Some(result), None) => Ok(result),
            (None, None) => return Incoming::Nothing,
        };
        match (id, outcome) {
            (Some(id), outcome) => Incoming::Answer(id, outcome),
            (None, Err(error)) => Incoming::Unknown(error),
            (None, Ok(_)) => Incoming::Nothing,
        }
    }
}

fn whole_number(value: f64) -> Option<u64> {
    ((0.0..9e15).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}

/// The error of an answer, in our words.
fn refused(error: &Value) -> Error {
    if let Some(told) = error.get("data").and_then(|data| Error::deserialize(data).ok()) {
        return told;
    }
    let message = match (error.get("message"), error) {
        (Some(Value::String(message)), _) | (None, Value::String(message)) => message.clone(),
        _ => "the server gives no reason".to_owned(),
    };
    let kind = match error.get("code").and_then(Value::as_i64) {
        Some(-32601) => ErrorKind::Unsupported,
        Some(-32600 | -32602) => ErrorKind::InvalidValue,
        Some(-32700) => ErrorKind::Protocol,
        _ if message.ends_with("not connected!") => ErrorKind::NotConnected,
        _ if message.starts_with("Could not lock camera") => ErrorKind::Busy,
        _ if message.starts_with("No image available") => ErrorKind::InvalidOperation,
        _ => ErrorKind::Device(0),
    };
    Error::new(kind, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> (i64, Value) {
        let RequestError { refusal, id } = Request::parse(line.as_bytes()).unwrap_err();
        (refusal.code.number(), id)
    }

    #[test]
    fn what_is_no_request_is_answered_with_the_id_it_has() {
        assert_eq!(refusal("{"), (-32700, json!("null")));
        for line in ["42", "[1,2]", "[\"x\",1]", "null", "\"x\"", "{\"method\":\"x\"}"] {
            assert_eq!(refusal(line), (-32600, json!("null")), "{line}");
        }
        assert_eq!(refusal(r#"{"id":5,"foo":1}"#), (-32600, json!(5)));
        assert_eq!(refusal(r#"{"id":5,"method":"a","params":[1]}"#), (-32600, json!(5)));
        for id in [json!(1), json!("a"), json!(null), json!("null"), json!({"a": []})] {
            let line = json!({ "method": "x", "id": id }).to_string();
            assert_eq!(Request::parse(line.as_bytes()).unwrap().id, id);
        }
    }

    #[test]
    fn answers_are_as_the_original_writes_them() {
        let mut line = Vec::new();
        Answer { id: json!(1), outcome: Ok(json!({ "complete": true })) }.write(&mut line);
        Answer { id: json!("null"), outcome: Err(Refusal::application("Mount not connected!")) }.write(&mut line);
        let expected = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"complete\":true}}\n\
            {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-1,\"message\":\"Mount not connected!\"},\"id\":\"null\"}\n";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
    }

    #[test]
    fn an_error_of_ours_keeps_kind_and_device() {
        let error = Error::invalid("is too much").on("Camera");
        let mut line = Vec::new();
        Answer { id: json!(7), outcome: Err(error.clone().into()) }.write(&mut line);
        let Incoming::Answer(7, Err(read)) = Incoming::parse(&line) else { panic!("{line:?}") };
        assert_eq!(read, error);
    }

    #[test]
    fn answers_of_the_original_are_understood() {
        let kind = |line: &str| match Incoming::parse(line.as_bytes()) {
            Incoming::Answer(_, Err(error)) | Incoming::Unknown(error) => error.kind(),
            other => panic!("{other:?}"),
        };
        let error = |code: i64, message: &str, id: &str| {
            format!(r#"{{"jsonrpc": "2.0", "error": {{"code": {code}, "message": "{message}"}}, "id": {id}}}"#)
        };
        assert_eq!(kind(&error(-1, "Camera not connected!", "3")), ErrorKind::NotConnected);
        assert_eq!(kind(&error(-1, "Could not lock camera", "3.0")), ErrorKind::Busy);
        assert_eq!(kind(&error(-32700, "Parse error", "\"null\"")), ErrorKind::Protocol);
        assert!(matches!(Incoming::parse(br#"{"id":"12","result":{}}"#), Incoming::Answer(12, Ok(_))));
        assert!(matches!(Incoming::parse(b"[]"), Incoming::Nothing));
        let greeting = br#"{"Event": "Connection", "Server": "pyastroimageview", "Version": "1.0"}"#;
        let Incoming::Greeting(greeting) = Incoming::parse(greeting) else { panic!("no greeting") };
        assert_eq!((greeting.server.as_str(), greeting.extensions.len()), ("pyastroimageview", 0));
    }
}
