//! What a process has: threads, descriptors, memory.

use std::{
    fmt, fs,
    time::{Duration, Instant},
};

/// The longest that threads may take to end after what they belong to was dropped.
const LAST: Duration = Duration::from_secs(10);

/// What the process may keep of memory: the allocator gives back what threads had only in part.
const KEPT: u64 = 96 << 20;

/// The threads, descriptors and memory of this process.
#[derive(Debug)]
pub(crate) struct Census {
    threads: usize,
    descriptors: usize,
    memory: u64,
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} descriptors, {} MB", self.threads, self.descriptors, self.memory >> 20)
    }
}

impl Census {
    pub(crate) fn take() -> Self {
        let count = |folder: &str| fs::read_dir(folder).map_or(0, Iterator::count);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        Census {
            threads: count("/proc/self/task"),
            descriptors: count("/proc/self/fd"),
            memory: kilobytes.unwrap_or_default() << 10,
        }
    }

    /// # Errors
    /// What there is more of now, when it does not go away.
    pub(crate) fn compare(&self) -> Result<(), String> {
        let deadline = Instant::now() + LAST;
        loop {
            let now = Census::take();
            let flat = now.threads <= self.threads && now.descriptors <= self.descriptors;
            if flat && now.memory <= self.memory + KEPT {
                println!("before: {self}; after: {now}");
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("before: {self}; after: {now}"));
            }
            // The system has no event for this.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
