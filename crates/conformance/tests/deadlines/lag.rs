//! How late this machine wakes whoever sleeps: what a busy machine adds is not the library's.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long the reference sleeps.
const SLEEP: Duration = Duration::from_millis(5);

/// For how long its oversleeping is remembered.
const REMEMBERED: Duration = Duration::from_secs(30);

static OVERSLEPT: Mutex<VecDeque<(Instant, Duration)>> = Mutex::new(VecDeque::new());

/// Sleeps beside all that is measured.
pub(crate) struct Reference {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reference {
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                thread::sleep(SLEEP);
                let over = begun.elapsed().saturating_sub(SLEEP);
                let mut all = OVERSLEPT.lock().unwrap_or_else(PoisonError::into_inner);
                all.push_back((Instant::now(), over));
                while all.front().is_some_and(|(at, _)| at.elapsed() > REMEMBERED) {
                    all.pop_front();
                }
            }
        });
        Reference { stop, thread: Some(thread) }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The latest that anybody was woken since then.
pub(crate) fn since(begun: Instant) -> Duration {
    let all = OVERSLEPT.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().rev().take_while(|(at, _)| *at >= begun).map(|(_, over)| *over).max().unwrap_or_default()
}
