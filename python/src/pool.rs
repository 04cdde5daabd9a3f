//! Threads on which calls wait while Python's main thread looks for Ctrl-C.
//!
//! A thread that has done its call waits for another one for a while: handing a call over costs some microseconds,
//! starting a thread ten times as much. No lock is waited for: after a fork it might be held by a thread that is gone.

use crate::process::generation;
use std::{
    io, mem,
    sync::{
        Mutex, MutexGuard, TryLockError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// How long a thread without work stays.
const LINGER: Duration = Duration::from_secs(5);

/// A thread that waits for work.
#[derive(Debug)]
struct Idle {
    generation: u32,
    id: u64,
    jobs: Sender<Job>,
}

static IDLE: Mutex<Vec<Idle>> = Mutex::new(Vec::new());

/// Runs a job on one of the threads.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn run(mut job: Job) -> io::Result<()> {
    while let Some(thread) = pop() {
        match thread.jobs.send(job) {
            Ok(()) => return Ok(()),
            Err(returned) => job = returned.0,
        }
    }
    thread::Builder::new().name("astrobackend-call".into()).spawn(move || work(job)).map(drop)
}

fn idle() -> Option<MutexGuard<'static, Vec<Idle>>> {
    match IDLE.try_lock() {
        Ok(idle) => Some(idle),
        Err(TryLockError::Poisoned(idle)) => Some(idle.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn pop() -> Option<Idle> {
    let mut idle = idle()?;
    while let Some(thread) = idle.pop() {
        if thread.generation == generation() {
            return Some(thread);
        }
        // Of the parent process: its channel may be locked for ever.
        mem::forget(thread);
    }
    None
}

fn work(first: Job) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let (sender, jobs) = channel();
    let mut job = Some(first);
    while let Some(next) = job.take() {
        next();
        let Some(mut idle) = idle() else { return };
        idle.push(Idle { generation: generation(), id, jobs: sender.clone() });
        drop(idle);
        job = wait(&jobs, id);
    }
}

/// The next job; `None` when there is none for long.
fn wait(jobs: &Receiver<Job>, id: u64) -> Option<Job> {
    loop {
        match jobs.recv_timeout(LINGER) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
        // Whoever took this thread from the list is about to send it a job.
        let Some(mut idle) = idle() else { continue };
        if let Some(place) = idle.iter().position(|thread| thread.id == id) {
            idle.swap_remove(place);
            return None;
        }
    }
}
