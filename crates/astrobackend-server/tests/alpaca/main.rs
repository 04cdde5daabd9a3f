//! The Alpaca server as its clients see it, over the simulated observatory and over backends that misbehave.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod client;
mod devices;
mod images;
mod limits;
mod protocol;
mod proxy;
mod security;
mod serving;
mod wrapped;
