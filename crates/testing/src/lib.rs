//! What tests and benches need to meet real peers: servers, drivers, and networks of their own; and fake ones that misbehave.

pub mod fake_indi;
mod indipy;
mod peer;

pub use fake_indi::FakeIndi;
pub use indipy::IndipyServer;
pub use peer::{Missing, python, script};
