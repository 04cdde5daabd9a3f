//! Threads, descriptors and memory of this process over the time of the work.

use super::rest;
use std::time::{Duration, Instant};
use testing::Census;

/// What may be in use after the work beyond what was before: what the allocator keeps for itself.
const MEMORY: usize = 96 << 20;

/// How many more threads may work at once on another day: more calls that hang.
const THREADS: usize = 32;

/// The same for descriptors: more connections that are being made anew.
const DESCRIPTORS: usize = 32;

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

/// Threads, descriptors and memory over the time of the work.
pub(super) struct Samples(Vec<Census>);

impl Samples {
    /// Looks at them until the end.
    pub(super) fn watch(end: Instant) -> Self {
        let step = end.saturating_duration_since(Instant::now()) / 60;
        let mut samples = Vec::new();
        while Instant::now() < end {
            rest(step.min(end.saturating_duration_since(Instant::now())));
            samples.push(Census::take());
        }
        Samples(samples)
    }

    /// What grows and grows: the most in the last third against the most in the first two.
    pub(super) fn growth(&self) -> Vec<String> {
        let (early, late) = self.0.split_at(self.0.len() * 2 / 3);
        let (early, late) = (most(early), most(late));
        println!("soak: at most in the first two thirds: {early}; in the last: {late}");
        let kinds = [
            ("threads", early.threads + THREADS, late.threads),
            ("descriptors", early.descriptors + DESCRIPTORS, late.descriptors),
            ("bytes of memory", early.memory + MEMORY, late.memory),
        ];
        let grown = kinds.into_iter().filter(|(_, allowed, late)| late > allowed);
        grown.map(|(what, allowed, late)| format!("{late} {what}, where {allowed} would not be a growth")).collect()
    }
}

fn most(samples: &[Census]) -> Census {
    let most = |number: fn(&Census) -> usize| samples.iter().map(number).max().unwrap_or_default();
    Census {
        threads: most(|now| now.threads),
        descriptors: most(|now| now.descriptors),
        memory: most(|now| now.memory),
    }
}
