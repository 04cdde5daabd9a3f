//! Nights in which everything goes wrong that links do: one script, over every framework.
//!
//! After each loss the state is true or unknown, never stale; what was declared is back, as the peer itself says; nothing
//! has moved by itself; and the events came in their order. COM's drivers, which need Windows, have a night of their own
//! (`crates/astrobackend/tests/ascom/night`).
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod line;
mod losses;
mod peers;
mod policies;
mod script;

use std::time::Duration;

/// Time for what should come at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn a_night_over_alpaca() {
    script::night(peers::OurAlpaca::new());
}

#[test]
fn a_night_over_our_rpc() {
    script::night(peers::OurRpc::new());
}

#[test]
fn a_night_over_the_original_rpc() {
    script::night(peers::Original::new());
}

#[test]
fn a_night_over_indi() {
    script::night(peers::Indi::new());
}
