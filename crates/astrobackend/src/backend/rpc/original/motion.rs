//! Commands just accepted: the device counts as busy at once, even where its server is slow to say so.

use crate::sync::lock;
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

/// How long a server may take until it says that something moves.
const LAG: Duration = Duration::from_secs(2);

/// The last command, until the device has shown that it obeys.
#[derive(Debug)]
pub(super) struct Motion<G>(Mutex<Option<(G, Instant)>>);

impl<G> Default for Motion<G> {
    fn default() -> Self {
        Motion(Mutex::new(None))
    }
}

impl<G> Motion<G> {
    /// A command was accepted.
    pub(super) fn started(&self, goal: G) {
        *lock(&self.0) = Some((goal, Instant::now()));
    }

    /// It was taken back.
    pub(super) fn forget(&self) {
        *lock(&self.0) = None;
    }

    /// Whether the device moves: it says so, or it has been told to and has not shown yet that it obeys.
    pub(super) fn is_moving(&self, says: bool, reached: impl FnOnce(&G) -> bool) -> bool {
        let mut order = lock(&self.0);
        let waiting = order.as_ref().is_some_and(|(goal, at)| at.elapsed() < LAG && !reached(goal));
        if says || !waiting {
            *order = None;
        }
        says || waiting
    }
}
