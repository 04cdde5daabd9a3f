//! INDI 1.7 on the wire: a stream of small XML elements without a document around them.
//!
//! [`Parser`] turns chunks of bytes, cut anywhere, into [`Message`]s that borrow from its buffer;
//! [`Message::write`] prints them. The format is XML in name only (five entities, no prolog, no
//! numeric references, Latin-1 here and there), so a general XML reader would refuse real traffic.
//!
//! ```
//! use astrobackend::wire::indi::{Message, Parser, parse_number};
//! let mut parser = Parser::default();
//! parser.push(b"<message device='CCD' message='[INFO] hel");
//! assert!(parser.next_message().is_none());
//! parser.push(b"lo'/>");
//! let Some(Ok(Message::Message { text, .. })) = parser.next_message() else { panic!() };
//! assert_eq!(text, "[INFO] hello");
//! assert_eq!(parse_number("-0:30:00"), Some(-0.5));
//! ```

mod base64;
mod build;
mod leaving;
mod message;
mod number;
mod parser;
mod parts;
mod print;
mod root;
mod shape;
mod tag;
mod text;

pub use leaving::Leaving;
pub use message::{Blob, BlobMode, Element, Elements, Message, Number, Perm, Rule, State, Vector};
pub use number::{format_number, parse_number};
pub use parser::{Arriving, Limits, Parser};
