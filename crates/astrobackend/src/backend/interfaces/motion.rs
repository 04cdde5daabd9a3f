//! Commands just accepted: the device counts as busy at once, even where its server is slow to say so.
//!
//! ASCOM wants the state to be moving before a command is answered. Servers that lag behind are given a moment; one
//! that was seen moving, or that is where it was sent, is believed from then on.

use crate::{Result, sync::lock};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a server may take until it says that something moves.
const LAG: Duration = Duration::from_secs(2);

/// The last command, until the device has shown that it obeys, or has to be connected again.
#[derive(Debug)]
pub(super) struct Motion<G> {
    order: Mutex<Option<Order<G>>>,
    /// See [`Motion::new`].
    life: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Order<G> {
    goal: G,
    at: Instant,
    lag: Duration,
    life: u64,
}

impl<G> Motion<G> {
    /// No command; `life` changes whenever a device is connected, disconnected, or found disconnected.
    pub(super) fn new(life: Arc<AtomicU64>) -> Self {
        Motion { order: Mutex::new(None), life }
    }

    /// A command was accepted.
    pub(super) fn started(&self, goal: G) {
        self.started_for(goal, LAG);
    }

    /// One that lasts so long was accepted.
    pub(super) fn started_for(&self, goal: G, length: Duration) {
        let life = self.life.load(Ordering::Relaxed);
        *lock(&self.order) = Some(Order { goal, at: Instant::now(), lag: length.min(LAG), life });
    }

    /// It was taken back.
    pub(super) fn forget(&self) {
        *lock(&self.order) = None;
    }

    /// Whether the device moves: it says so, or it has been told to and has not shown yet that it obeys.
    pub(super) fn is_moving(&self, says: bool, reached: impl FnOnce(&G) -> bool) -> bool {
        let mut order = lock(&self.order);
        let life = self.life.load(Ordering::Relaxed);
        let waits = |order: &Order<G>| order.life == life && order.at.elapsed() < order.lag && !reached(&order.goal);
        let waiting = order.as_ref().is_some_and(waits);
        if says || !waiting {
            *order = None;
        }
        says || waiting
    }

    /// Looks at the device, and once more at one that has only just come to stand.
    ///
    /// Its members are read one after another or at the same time: the place told beside the first "it stands" may be
    /// one on its way there.
    pub(super) fn look<S>(
        &self,
        seen: Option<&S>,
        moves: impl Fn(&S) -> bool,
        look: impl Fn() -> Result<S>,
    ) -> Result<S> {
        let stood = lock(&self.order).is_none() && seen.is_none_or(|seen| !moves(seen));
        let state = look()?;
        if stood || moves(&state) { Ok(state) } else { look() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_command_counts_until_the_device_shows_that_it_obeys() {
        let life = Arc::<AtomicU64>::default();
        let motion = Motion::new(life.clone());
        assert!(!motion.is_moving(false, |_: &i32| false));
        motion.started(7);
        assert!(motion.is_moving(false, |goal| *goal == 8), "not seen moving, not there");
        assert!(motion.is_moving(true, |_| false) && !motion.is_moving(false, |_| false), "moved, and stands");
        motion.started(7);
        assert!(!motion.is_moving(false, |goal| *goal == 7), "there at once");
        motion.started(7);
        life.fetch_add(1, Ordering::Relaxed);
        assert!(!motion.is_moving(false, |_| false), "what was connected again was told nothing");
        motion.started_for(7, Duration::ZERO);
        assert!(!motion.is_moving(false, |_| false), "nothing lasts that short");
    }

    #[test]
    fn what_has_only_just_come_to_stand_is_looked_at_again() {
        let motion = Motion::new(Arc::default());
        let looks = |seen: Option<bool>, now: bool| {
            let count = Cell::new(0);
            let look = || {
                count.set(count.get() + 1);
                Ok(now)
            };
            motion.look(seen.as_ref(), |moves| *moves, look).unwrap();
            count.get()
        };
        assert_eq!([looks(None, false), looks(Some(false), false), looks(Some(true), true)], [1, 1, 1]);
        assert_eq!(looks(Some(true), false), 2, "it came to stand meanwhile");
        motion.started(7);
        assert_eq!(looks(Some(false), false), 2, "it was told to move since");
    }
}
