//! A client that behaves like the original: numbers from 1, one request at a time, its exact bytes.

use crate::SOON;
use serde_json::Value;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Instant,
};

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    last: u64,
}

impl Client {
    /// Connects and hears the greeting.
    pub(crate) fn new(server: SocketAddr) -> Self {
        let mut client = Client::silent(server);
        let greeting = client.line();
        assert_eq!(greeting["Event"], "Connection", "{greeting}");
        client
    }

    /// Connects only.
    pub(crate) fn silent(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Client { stream, reader, last: 0 }
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> Value {
        let text = self.text().unwrap();
        assert!(text.is_ascii() && text.ends_with('\n'), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The next line as it is; `None` at the end.
    pub(crate) fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let bytes = self.reader.read_line(&mut text).unwrap_or(0);
        (bytes > 0).then_some(text)
    }

    /// All that comes until the connection ends.
    pub(crate) fn rest(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.reader.read_to_end(into)
    }

    /// As Python's `json.dumps` writes it; without parameters when these are empty.
    pub(crate) fn request(&mut self, method: &str, params: &str) -> u64 {
        self.last += 1;
        let id = self.last;
        let params = if params.is_empty() { String::new() } else { format!(", \"params\": {params}") };
        self.send(&format!("{{\"method\": \"{method}\", \"id\": {id}{params}}}\n"));
        id
    }

    /// Asks and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, params: &str) -> Value {
        let id = self.request(method, params);
        let answer = self.line();
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&"2.0".into(), &id.into()), "{method}: {answer}");
        answer
    }

    /// The result, which must be one.
    pub(crate) fn result(&mut self, method: &str, params: &str) -> Value {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
        answer["result"].clone()
    }

    /// Code and message, which must be there.
    pub(crate) fn error(&mut self, method: &str, params: &str) -> (i64, String) {
        let answer = self.ask(method, params);
        let error = &answer["error"];
        (error["code"].as_i64().unwrap_or_else(|| panic!("{method}: {answer}")), error["message"].to_string())
    }

    /// Asks until the answer is as wanted.
    pub(crate) fn until(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) {
        let begin = Instant::now();
        loop {
            let result = self.result(method, "");
            if wanted(&result) {
                return;
            }
            assert!(begin.elapsed() < SOON, "{method} stays {result}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
