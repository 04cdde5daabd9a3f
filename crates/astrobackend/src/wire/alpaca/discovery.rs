//! Discovery: the question that goes to everybody by UDP, and the answer with the port of a server.

use serde::Deserialize;

/// The UDP port that Alpaca servers are asked on, unless somebody chose another.
pub const PORT: u16 = 32227;

/// The IPv6 group that is asked, on the same port.
pub const GROUP: std::net::Ipv6Addr = std::net::Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0xa1, 0x9aca);

/// The question, version 1.
pub const QUESTION: &[u8] = b"alpacadiscovery1";

/// The most bytes that question or answer can have.
pub const LONGEST: usize = 1024;

/// True for a question that a server of version 1 must answer: later versions keep its beginning.
pub fn is_question(packet: &[u8]) -> bool {
    let Some((name, rest)) = packet.split_at_checked(QUESTION.len() - 1) else { return false };
    name == &QUESTION[..name.len()] && rest.first().is_some_and(|version| (b'1'..=b'9').contains(version))
}

/// The answer of a server on a port.
pub fn print_answer(port: u16) -> String {
    format!("{{\"AlpacaPort\":{port}}}")
}

/// The port in an answer; `None` for what is no answer.
///
/// Keys in any casing, and further keys, are accepted.
pub fn parse_answer(packet: &[u8]) -> Option<u16> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(alias = "alpacaport", alias = "alpacaPort", alias = "Alpacaport", alias = "ALPACAPORT")]
        #[serde(rename = "AlpacaPort")]
        port: u16,
    }
    // Some servers pad with NUL.
    let end = packet.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    serde_json::from_slice::<Answer>(&packet[..end]).ok().map(|answer| answer.port).filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn questions_of_this_and_later_versions_are_answered() {
        assert!(is_question(QUESTION));
        assert!(is_question(b"alpacadiscovery2 with more"));
        let mut padded = [0; 64];
        padded[..16].copy_from_slice(QUESTION);
        assert!(is_question(&padded));
        for other in [&b"alpacadiscovery"[..], b"alpacadiscovery0", b"Alpacadiscovery1", b"", b"hello"] {
            assert!(!is_question(other), "{other:?}");
        }
    }

    #[test]
    fn answers_of_real_servers_are_read() {
        assert_eq!(parse_answer(print_answer(11111).as_bytes()), Some(11111));
        assert_eq!(parse_answer(b"{ \"alpacaport\" : 6800, \"More\": null }\r\n\0\0"), Some(6800));
        for wrong in [&b"{\"AlpacaPort\":0}"[..], b"{\"AlpacaPort\":70000}", b"{}", b"", b"\0", b"11111"] {
            assert_eq!(parse_answer(wrong), None);
        }
    }

    proptest! {
        #[test]
        fn any_packet_is_read_or_left_alone(packet in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (is_question(&packet), parse_answer(&packet));
        }
    }
}
