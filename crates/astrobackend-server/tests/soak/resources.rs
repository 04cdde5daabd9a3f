//! Threads, descriptors and memory of this process.

use std::{
    fs,
    sync::{Condvar, Mutex},
    time::{Duration, Instant},
};

/// What may be in use after the work beyond what was before: what the allocator keeps for itself.
const MEMORY: u64 = 96 << 20;

/// Time for threads to end that were told to.
const PATIENCE: Duration = Duration::from_secs(20);

/// Counts at one moment.
#[derive(Debug, PartialEq)]
pub(super) struct Resources {
    threads: usize,
    descriptors: usize,
}

fn count(folder: &str) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Memory in use, bytes.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

impl Resources {
    pub(super) fn now() -> Self {
        Resources { threads: count("/proc/self/task"), descriptors: count("/proc/self/fd") }
    }

    /// Waits until no more is in use than then; what is left over.
    pub(super) fn is_back(&self) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let now = Resources::now();
            if now.threads <= self.threads && now.descriptors <= self.descriptors {
                println!("soak: threads and descriptors are back: {now:?}");
                return None;
            }
            if Instant::now() > end {
                return Some(format!("{self:?} before, {now:?} after all is dropped"));
            }
            pause(Duration::from_millis(50));
        }
    }
}

/// Memory over the time of the work.
pub(super) struct Memory(Vec<u64>);

impl Memory {
    /// Looks at it until the end.
    pub(super) fn watch(end: Instant) -> Self {
        let step = end.saturating_duration_since(Instant::now()) / 20;
        let mut samples = Vec::new();
        while Instant::now() < end {
            pause(step.min(end.saturating_duration_since(Instant::now())));
            samples.push(resident());
        }
        Memory(samples)
    }

    /// Whether more and more of it is used: the largest of the last third against that of the first two.
    pub(super) fn grows(&self) -> Option<String> {
        let (early, late) = self.0.split_at(self.0.len() * 2 / 3);
        let most = |samples: &[u64]| samples.iter().max().copied().unwrap_or(0);
        let (early, late) = (most(early), most(late));
        println!("soak: memory: {} MB at most in the first two thirds, {} MB in the last", early >> 20, late >> 20);
        (late > early + MEMORY).then(|| format!("memory grows: {} MB, then {} MB", early >> 20, late >> 20))
    }
}

/// There is nothing to be told of: these are counts of the system's.
fn pause(time: Duration) {
    drop(Condvar::new().wait_timeout_while(Mutex::new(()).lock().unwrap(), time, |()| true));
}
