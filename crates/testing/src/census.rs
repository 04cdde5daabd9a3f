//! What this process has, to see whether something is left behind: threads, descriptors, memory.

use std::{
    fmt, fs, thread,
    time::{Duration, Instant},
};

/// The threads, descriptors and memory of this process; nothing where the system does not tell (Linux does).
#[derive(Clone, Copy, Debug)]
pub struct Census {
    /// Threads.
    pub threads: usize,
    /// Open descriptors.
    pub descriptors: usize,
    /// Memory in use, bytes.
    pub memory: usize,
}

impl Census {
    /// As it is now.
    pub fn take() -> Self {
        if !cfg!(target_os = "linux") {
            // Under Wine there is a /proc, which tells of Wine.
            return Census { threads: 0, descriptors: 0, memory: 0 };
        }
        let count = |folder: &str| fs::read_dir(folder).map_or(0, Iterator::count);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<usize>().ok());
        Census {
            threads: count("/proc/self/task"),
            descriptors: count("/proc/self/fd"),
            memory: kilobytes.unwrap_or_default() << 10,
        }
    }

    /// Waits until there is no more than this, but for so many bytes of memory; what there is then.
    ///
    /// # Errors
    /// What there is more of, when it does not go away in this time.
    pub fn returns(&self, memory: usize, patience: Duration) -> Result<Self, String> {
        let end = Instant::now() + patience;
        loop {
            let now = Census::take();
            let flat = now.threads <= self.threads && now.descriptors <= self.descriptors;
            if flat && now.memory <= self.memory.saturating_add(memory) {
                return Ok(now);
            }
            if Instant::now() > end {
                return Err(format!("before: {self}; after: {now}"));
            }
            // The system has no event for this.
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} threads, {} descriptors, {} MB", self.threads, self.descriptors, self.memory >> 20)
    }
}
