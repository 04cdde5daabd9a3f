//! Threads, descriptors and memory of this process over the time of the work.

use super::rest;
use std::time::{Duration, Instant};
use testing::Census;

/// What may be in use after the work beyond what was before: what the allocator keeps for itself.
const MEMORY: usize = 96 << 20;

/// Time for threads to end that were told to.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is left over of threads and descriptors after all is dropped.
pub(super) fn left_over(before: &Census) -> Option<String> {
    match before.returns(usize::MAX, PATIENCE) {
        Ok(after) => {
            println!("soak: before: {before}; after: {after}");
            None
        }
        Err(why) => Some(why),
    }
}

/// Memory over the time of the work.
pub(super) struct Memory(Vec<usize>);

impl Memory {
    /// Looks at it until the end.
    pub(super) fn watch(end: Instant) -> Self {
        let step = end.saturating_duration_since(Instant::now()) / 20;
        let mut samples = Vec::new();
        while Instant::now() < end {
            rest(step.min(end.saturating_duration_since(Instant::now())));
            samples.push(Census::take().memory);
        }
        Memory(samples)
    }

    /// Whether more and more of it is used: the largest of the last third against that of the first two.
    pub(super) fn grows(&self) -> Option<String> {
        let (early, late) = self.0.split_at(self.0.len() * 2 / 3);
        let most = |samples: &[usize]| samples.iter().max().copied().unwrap_or(0);
        let (early, late) = (most(early), most(late));
        println!("soak: memory: {} MB at most in the first two thirds, {} MB in the last", early >> 20, late >> 20);
        (late > early + MEMORY).then(|| format!("memory grows: {} MB, then {} MB", early >> 20, late >> 20))
    }
}
