//! What happens to the devices, for those who want to be told.

use crate::lock;
use astrobackend::{Backend, Error, Event, Events, Result, Timestamp, event::EventKind, wire::rpc::event_line};
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};
use tokio::sync::broadcast::{self, error::RecvError};

/// Events that a client may leave unread before the oldest are dropped.
const CAPACITY: usize = 1024;

/// How long the thread of a backend sleeps before it looks whether anybody still listens.
const LOOK: Duration = Duration::from_millis(500);

type Line = Arc<[u8]>;

/// The news of all backends.
#[derive(Debug)]
pub(super) struct News {
    backends: Vec<Arc<dyn Backend>>,
    /// While somebody listens.
    lines: Arc<Mutex<Option<broadcast::Sender<Line>>>>,
}

/// One client's.
#[derive(Debug)]
pub(super) struct Subscription(broadcast::Receiver<Line>);

impl News {
    pub(super) fn new(backends: Vec<Arc<dyn Backend>>) -> Self {
        News { backends, lines: Arc::default() }
    }

    /// Everything from now on.
    ///
    /// # Errors
    /// `Io` when the system has no thread to give.
    pub(super) async fn subscribe(&self) -> Result<Subscription> {
        if let Some(lines) = &*lock(&self.lines) {
            return Ok(Subscription(lines.subscribe()));
        }
        let (backends, shared) = (self.backends.clone(), self.lines.clone());
        // A backend may look at its devices first.
        let begun = tokio::task::spawn_blocking(move || begin(&backends, &shared)).await;
        begun.map_err(|error| Error::protocol(format!("the news cannot be followed: {error}")))?
    }
}

fn begin(backends: &[Arc<dyn Backend>], shared: &Arc<Mutex<Option<broadcast::Sender<Line>>>>) -> Result<Subscription> {
    let mut lines = lock(shared);
    if let Some(lines) = &*lines {
        return Ok(Subscription(lines.subscribe()));
    }
    let (sender, receiver) = broadcast::channel(CAPACITY);
    for backend in backends {
        let (events, lines, shared) = (backend.events(), sender.clone(), shared.clone());
        let thread = thread::Builder::new().name("rpc-news".into());
        let follow = move || follow(&events, &lines, &shared);
        thread.spawn(follow).map_err(|error| Error::io("no thread for the news", error))?;
    }
    *lines = Some(sender);
    Ok(Subscription(receiver))
}

/// Passes on what a backend tells while somebody listens.
fn follow(events: &Events, lines: &broadcast::Sender<Line>, shared: &Mutex<Option<broadcast::Sender<Line>>>) {
    loop {
        match events.next(LOOK) {
            Some(event) => {
                let _ = lines.send(line(&event));
            }
            None if events.is_closed() => return,
            None => {
                let mut current = lock(shared);
                if lines.receiver_count() == 0 {
                    if current.as_ref().is_some_and(|current| current.same_channel(lines)) {
                        *current = None;
                    }
                    return;
                }
            }
        }
    }
}

fn line(event: &Event) -> Line {
    match serde_json::to_value(event) {
        Ok(keys) => event_line("News", &keys).into(),
        // Nothing else is left to say.
        Err(_) => Arc::from([]),
    }
}

impl Subscription {
    /// The next line; `None` when nothing will come any more.
    pub(super) async fn next(&mut self) -> Option<Line> {
        match self.0.recv().await {
            Ok(line) => Some(line),
            Err(RecvError::Lagged(lost)) => {
                Some(line(&Event { at: Timestamp::now(), device: None, kind: EventKind::Lagged(lost) }))
            }
            Err(RecvError::Closed) => None,
        }
    }
}
