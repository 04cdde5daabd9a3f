//! Connections that are kept from one request to the next.
//!
//! A server with few threads gives each to a connection for as long as that lives: idle ones then keep others waiting.
//! Where that is seen, the idle ones are closed, and from then on none is kept.

use super::http::{Connection, Reply};
use crate::sync::lock;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Connections that are kept while nobody needs them, and for how long: many servers close them after five seconds.
const KEPT: usize = 8;
const KEPT_FOR: Duration = Duration::from_secs(15);

/// How soon an answer comes that had only waited for an idle connection to be closed, and how soon that is seen again
/// where it is no accident: a server may be slow once.
const PROMPT: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_secs(10);

/// The connections to a server that nobody uses at the moment.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    /// When an answer last seemed to have waited for an idle connection.
    waited: Mutex<Option<Instant>>,
    crowded: AtomicBool,
}

impl Pool {
    /// The one used last.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        idle.retain(|connection| connection.idle() < KEPT_FOR);
        idle.pop()
    }

    /// Keeps the connection of a reply that is complete.
    pub(super) fn keep(&self, reply: Reply) {
        if let Some(connection) = reply.into_connection().filter(|_| !self.is_crowded()) {
            let mut idle = lock(&self.idle);
            if idle.len() < KEPT {
                idle.push(connection);
            }
        }
    }

    /// Closes all; false when there were none.
    pub(super) fn clear(&self) -> bool {
        let idle = std::mem::take(&mut *lock(&self.idle));
        !idle.is_empty()
    }

    /// The server has no thread for each connection: requests go one after another, each over a connection of its own.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pool: &'a Pool,
    /// The answer takes the server no time.
    quick: bool,
    freed: Option<Instant>,
}

impl<'a> Turn<'a> {
    pub(super) fn of(pool: &'a Pool, quick: bool) -> Self {
        Turn { pool, quick, freed: None }
    }

    /// Nothing has come for a while.
    pub(super) fn passes(&mut self) {
        if self.pool.clear() {
            self.freed = Some(Instant::now());
        }
    }

    /// Something has come.
    pub(super) fn comes(&mut self) {
        let Some(freed) = self.freed.take().filter(|freed| self.quick && freed.elapsed() < PROMPT) else { return };
        let before = lock(&self.pool.waited).replace(freed);
        if before.is_some_and(|before| before.elapsed() < AGAIN) {
            self.pool.crowded.store(true, Ordering::Relaxed);
        }
    }
}
