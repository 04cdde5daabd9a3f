//! ASCOM Alpaca on the wire: paths, parameters, replies, images and discovery, for the client and the server alike.
//!
//! After the ASCOM Alpaca API Reference 12 and ImageBytes 1.0. What is sent keeps to the letter of these;
//! what is received may deviate wherever a real peer does and the meaning stays clear.

pub mod answer;
pub mod array;
mod block;
pub mod codes;
pub mod columns;
pub mod discovery;
pub mod extensions;
pub mod form;
pub mod head;
pub mod image_bytes;
pub mod json_image;
mod members;
pub mod reply;
pub mod request;
pub mod transpose;

pub use members::{Member, Parameter, Type, Verb, member, members, members_of};

/// The port that Alpaca servers usually listen on.
pub const PORT: u16 = 11111;
