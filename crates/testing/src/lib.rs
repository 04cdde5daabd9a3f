//! Peers for the tests: servers that a test starts, talks to and ends.

pub mod fake_indi;

pub use fake_indi::FakeIndi;
