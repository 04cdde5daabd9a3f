//! One call while its server stalls: how it is ended, and what it may answer.

use crate::{
    Way,
    calls::{Call, Open},
    lag,
    peers::Running,
};
use astrobackend::{Cancel, ErrorKind, Framework, Result, Wait};
use std::{
    fmt,
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use testing::Line;

/// The limit of the address, where that is what ends a call.
const ADDRESS: Duration = Duration::from_millis(500);

/// The limit of a single call.
const CALL: Duration = Duration::from_millis(150);

/// When a call is cancelled.
const CANCEL: Duration = Duration::from_millis(60);

/// What a helper that waits has for stopping what it started.
const STOPPING: Duration = Duration::from_millis(50);

/// How long the end of something is waited for while all is well: longer than it takes to ask several times.
const USUAL: Duration = Duration::from_millis(400);

/// Limits that are not to be reached.
const LONG: Duration = Duration::from_secs(10);

/// What the promise allows beyond the deadline.
const ALLOWED: Duration = Duration::from_millis(100);

/// What ends a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// The limits of the backend's address.
    Address,
    /// A limit for this call.
    Limit,
    /// Another thread.
    Cancelled,
}

/// What was tried.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: AtomicUsize,
    cases: AtomicU64,
    /// Those that the end had to end.
    held: AtomicU64,
    /// Those that were made again because they were late once.
    again: AtomicU64,
    worst: Mutex<(Duration, String)>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (worst, whose) = &*self.worst.lock().unwrap_or_else(PoisonError::into_inner);
        write!(
            f,
            "deadlines: {} calls x {} servers x {} ways to stall and end: {} cases, {} of them held until their end, \
             {} made again; the latest came {worst:.0?} after its deadline ({whose})",
            self.calls.load(Ordering::Relaxed),
            crate::PEERS.len(),
            crate::WAYS.len(),
            self.cases.load(Ordering::Relaxed),
            self.held.load(Ordering::Relaxed),
            self.again.load(Ordering::Relaxed),
        )
    }
}

/// A case that was late once is made again while nobody else is.
static ALONE: RwLock<()> = RwLock::new(());

/// How a call answers while all is well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    answer: Option<ErrorKind>,
    /// What the server says for it.
    pub(crate) bytes: u64,
}

/// A call that was made.
struct Made {
    answer: Option<ErrorKind>,
    sentence: String,
    /// How long after its deadline it returned.
    late: Duration,
    held: bool,
    /// The line went on to its end.
    whole: bool,
}

pub(crate) struct Case<'a> {
    pub(crate) running: &'a Running,
    pub(crate) end: End,
    pub(crate) tally: &'a Tally,
}

impl Case<'_> {
    /// A new object, with what the address has to end.
    pub(crate) fn fresh(&self) -> std::result::Result<Open, String> {
        self.running.line.set(Line::Whole);
        let limit = if self.end == End::Address { ADDRESS } else { LONG };
        until(|| self.running.open(limit)).map_err(|why| format!("opening: {why}"))
    }

    /// How the call answers while the line is whole.
    pub(crate) fn usual(&self, open: &Open, call: &Call) -> std::result::Result<Usual, String> {
        let once = || {
            self.prepare(open, call)?;
            self.running.line.set(Line::Whole);
            let wait = Wait::new(USUAL).stopping_within(LONG);
            let answer = wait.within(|| call.make(open, &wait)).err().map(|error| error.kind());
            Ok(Usual { answer, bytes: self.running.line.passed() })
        };
        // What is asked only once is known the second time.
        once().and_then(|_| once())
    }

    fn prepare(&self, open: &Open, call: &Call) -> std::result::Result<(), String> {
        self.running.line.set(Line::Whole);
        until(|| open.prepare(call)).map_err(|why| format!("cannot be prepared: {why}"))
    }

    /// The call while the line stalls.
    pub(crate) fn stall(&self, open: &Open, call: &Call, usual: &Usual, line: Line) -> std::result::Result<(), String> {
        let attempt = |anew| {
            let usual = if anew { self.usual(open, call)? } else { *usual };
            self.prepare(open, call)?;
            self.running.line.set(line);
            let made = self.make(call.stops(), |wait| call.make(open, wait));
            self.running.line.set(Line::Whole);
            self.answers_again(open, call)?;
            Ok((usual, made))
        };
        self.judge(&call.title(), Some(line), attempt)
    }

    /// Opening the backend while the line stalls.
    pub(crate) fn open(&self, way: Way) -> std::result::Result<(), String> {
        let limit = if self.end == End::Address { ADDRESS } else { LONG };
        let address = self.running.address(limit);
        until(|| astrobackend::open(&address))?;
        let usual = Usual { answer: None, bytes: self.running.line.passed() };
        for line in way.lines(usual.bytes, 0) {
            let attempt = |_anew| {
                self.running.line.set(line);
                let made = self.make(false, |_| astrobackend::open(&address).map(drop));
                self.running.line.set(Line::Whole);
                Ok((usual, made))
            };
            self.judge("open", None, attempt).map_err(|why| format!("open at {line:?}: {why}"))?;
        }
        Ok(())
    }

    /// Makes an attempt, and another one, with what is usual seen anew, where that was not as it should be.
    fn judge(
        &self,
        title: &str,
        line: Option<Line>,
        attempt: impl Fn(bool) -> std::result::Result<(Usual, Made), String>,
    ) -> std::result::Result<(), String> {
        let (usual, made) = {
            let _beside_others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
            attempt(false)?
        };
        let (usual, made) = match self.verdict(title, &usual, line, &made) {
            Ok(()) => (usual, made),
            // A busy machine; or a server that did what it heard before only now, while the usual was looked at.
            Err(_) => {
                let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
                self.tally.again.fetch_add(1, Ordering::Relaxed);
                attempt(true)?
            }
        };
        self.tally.cases.fetch_add(1, Ordering::Relaxed);
        self.tally.held.fetch_add(made.held.into(), Ordering::Relaxed);
        let mut worst = self.tally.worst.lock().unwrap_or_else(PoisonError::into_inner);
        if made.late > worst.0 {
            *worst = (made.late, format!("{} {title}, {:?}", self.running.peer.name, self.end));
        }
        drop(worst);
        self.verdict(title, &usual, line, &made)
    }

    fn verdict(&self, title: &str, usual: &Usual, line: Option<Line>, made: &Made) -> std::result::Result<(), String> {
        if made.late > ALLOWED {
            return Err(format!("returned {:.0?} after its deadline: {}", made.late, made.sentence));
        }
        let expected = match (made.answer, self.end) {
            (answer, _) if answer == usual.answer || made.whole => true,
            (Some(ErrorKind::Cancelled), End::Cancelled) => true,
            (Some(ErrorKind::Timeout | ErrorKind::Unreachable), End::Address | End::Limit) => true,
            _ => false,
        };
        // Only what is known by contract is told without the server that is usually asked.
        let silent = line == Some(Line::After(0)) && !made.held && usual.bytes > 0 && made.answer.is_none();
        match expected && !(silent && !self.running.peer.answers_from_memory && title != "Backend::events") {
            true => Ok(()),
            false => Err(format!("answered {:?} ({}), usually {:?}", made.answer, made.sentence, usual.answer)),
        }
    }

    /// Makes a call and ends it.
    fn make(&self, stops: bool, call: impl FnOnce(&Wait) -> Result<()>) -> Made {
        let stopping = if stops { STOPPING } else { Duration::ZERO };
        let begun = Instant::now();
        let (answer, deadline) = match self.end {
            End::Address => (call(&Wait::new(ADDRESS).stopping_within(STOPPING)), begun + ADDRESS),
            End::Limit => {
                let limit = Wait::new(CALL).stopping_within(STOPPING);
                (limit.within(|| call(&Wait::new(LONG))), begun + CALL)
            }
            End::Cancelled => cancelled(call),
        };
        let returned = Instant::now();
        let over = returned.saturating_duration_since(deadline + stopping);
        Made {
            late: over.saturating_sub(lag::since(begun)),
            held: returned >= deadline,
            whole: self.running.line.has_more(),
            sentence: answer.as_ref().err().map_or_else(String::new, ToString::to_string),
            answer: answer.err().map(|error| error.kind()),
        }
    }

    fn answers_again(&self, open: &Open, call: &Call) -> std::result::Result<(), String> {
        let answers = || match call.kind {
            Some(kind) => open.device(kind).is_connected().map(drop),
            None => open.backend.devices().map(drop),
        };
        until(answers).map_err(|why| format!("does not answer again: {why}"))
    }
}

/// A call that another thread cancels; with the moment at which it did.
fn cancelled(call: impl FnOnce(&Wait) -> Result<()>) -> (Result<()>, Instant) {
    let (cancel, over) = (Cancel::new(), Cancel::new());
    std::thread::scope(|scope| {
        let (switch, ended) = (cancel.clone(), over.clone());
        let thread = scope.spawn(move || {
            ended.wait(CANCEL);
            switch.cancel();
            Instant::now()
        });
        let limit = Wait::new(LONG).stopping_within(STOPPING).cancelled_by(&cancel);
        let answer = limit.within(|| call(&Wait::new(LONG)));
        let returned = Instant::now();
        over.cancel();
        (answer, thread.join().unwrap_or(returned))
    })
}

/// Looking for servers with a limit, and cancelled.
pub(crate) fn looks(framework: &Framework) -> std::result::Result<(), String> {
    looks_once(framework).or_else(|_| {
        let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
        looks_once(framework)
    })
}

fn looks_once(framework: &Framework) -> std::result::Result<(), String> {
    let (begun, limit) = (Instant::now(), Wait::new(CALL));
    // What is answered without waiting is as good.
    let _ = limit.within(|| framework.discover(LONG));
    let (late, lag) = (begun.elapsed().saturating_sub(CALL), lag::since(begun));
    if late > ALLOWED + lag {
        return Err(format!("{}: looking for servers ended {late:.0?} late", framework.name));
    }
    let (_, at) = cancelled(|_| framework.discover(LONG).map(drop));
    let (late, lag) = (at.elapsed(), lag::since(at));
    match late > ALLOWED + lag {
        true => Err(format!("{}: looking for servers ended {late:.0?} after it was cancelled", framework.name)),
        false => Ok(()),
    }
}

/// Tries until it goes well: a link that was cut comes back in its own time.
fn until<T>(mut work: impl FnMut() -> Result<T>) -> std::result::Result<T, String> {
    let begun = Instant::now();
    loop {
        match work() {
            Ok(done) => return Ok(done),
            Err(error) if begun.elapsed() > LONG => return Err(error.to_string()),
            Err(_) => drop(Cancel::new().wait(Duration::from_millis(10))),
        }
    }
}
