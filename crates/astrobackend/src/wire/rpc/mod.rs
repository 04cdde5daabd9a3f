//! The JSON RPC of the Python Astroimaging Suite on the wire: one JSON object a line, for the client and the server.
//!
//! The whole wire, the original's and what is added here, is described in `docs/rpc.md`. What is sent keeps to what the
//! original programs understand; what is received may deviate wherever the meaning stays clear.

mod ascii;
mod lines;
mod message;
mod methods;
mod params;
mod picture;

pub use lines::{Line, Lines};
pub use message::{Answer, Code, Greeting, Incoming, Refusal, Request, RequestError, event_line, request_line};
pub use methods::{COMMON, Method, methods};
pub use params::Params;
pub use picture::{PictureHead, bytes_of, bytes_of_mut, room};

/// The port of the original server and of its clients.
pub const PORT: u16 = 8800;

/// The name of our additions in a [`Greeting`]: a server that says so has all the methods that `docs/rpc.md` marks as ours.
pub const EXTENSIONS: &str = "astrobackend/1";

/// The longest request that the original server reads in one piece, its end of line included.
pub const ORIGINAL_LINE: usize = 2048;
