//! A thread with a single-threaded apartment that pumps messages: the only place where a driver's object lives.
//!
//! Calls come as closures with a deadline. One that is not begun by then is never begun; one that has begun and does not
//! end makes the later ones `Busy`, with what it is busy with.

use super::dispatch::Dispatch;
use crate::{Error, ErrorKind, Result, sync::lock, wait::Deadline};
use std::{
    os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    time::{Duration, Instant},
};
use windows::Win32::{
    Foundation::HANDLE,
    System::{
        Com::{COINIT_APARTMENTTHREADED, CoInitializeEx, CoUninitialize},
        Threading::{CreateEventW, INFINITE, SetEvent},
    },
    UI::WindowsAndMessaging::{
        DispatchMessageW, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW, QS_ALLINPUT,
        TranslateMessage,
    },
};

/// What lives in an apartment.
pub(super) type Home = Option<Dispatch>;

type Job = Box<dyn FnOnce(&mut Home) + Send>;

/// Says what a call has come to, for those whom it keeps waiting.
pub(super) struct Progress<'a>(&'a Mutex<Option<Running>>);

impl Progress<'_> {
    /// The member that is being called.
    pub(super) fn at(&self, member: &'static str) {
        if let Some(running) = &mut *lock(self.0) {
            running.what = member;
        }
    }
}

/// The call that is being made.
#[derive(Debug)]
struct Running {
    what: &'static str,
    since: Instant,
    overdue: Instant,
}

/// How long both sides look out for each other before they sleep: most drivers answer sooner than a thread wakes up.
const LOOKOUT: Duration = Duration::from_micros(30);

/// Looks that take about as long as a driver that answers from memory.
const QUICK_LOOKS: u32 = 200;

/// The longest that messages wait while one job follows another.
const PUMPED_EVERY: Duration = Duration::from_millis(5);

/// The answer to a call, from the driver's thread to the one that waits for it.
#[derive(Debug)]
struct Answer<T> {
    slot: Mutex<Slot<T>>,
    given: Condvar,
}

#[derive(Debug)]
enum Slot<T> {
    Awaited,
    Unwanted,
    Given(Result<T>),
}

impl<T> Answer<T> {
    fn new() -> Self {
        Answer { slot: Mutex::new(Slot::Awaited), given: Condvar::new() }
    }

    fn is_unwanted(&self) -> bool {
        matches!(*lock(&self.slot), Slot::Unwanted)
    }

    /// Gives the answer, if it is awaited.
    fn give(&self, answer: Result<T>) {
        let mut slot = lock(&self.slot);
        if matches!(*slot, Slot::Awaited) {
            *slot = Slot::Given(answer);
            self.given.notify_one();
        }
    }

    /// The answer, if it is there.
    fn take(&self) -> Option<Result<T>> {
        Self::out_of(&mut lock(&self.slot))
    }

    fn out_of(slot: &mut Slot<T>) -> Option<Result<T>> {
        match std::mem::replace(slot, Slot::Awaited) {
            Slot::Given(answer) => Some(answer),
            other => {
                *slot = other;
                None
            }
        }
    }

    fn wait(&self, deadline: Deadline) -> Option<Result<T>> {
        let mut slot = lock(&self.slot);
        while matches!(*slot, Slot::Awaited) && !deadline.has_passed() {
            slot = self.given.wait_timeout(slot, deadline.pause()).unwrap_or_else(PoisonError::into_inner).0;
        }
        Self::out_of(&mut slot)
    }

    /// Says that nobody waits any more; the answer, if it has just come.
    fn refuse(&self) -> Option<Result<T>> {
        let mut slot = lock(&self.slot);
        let late = Self::out_of(&mut slot);
        *slot = Slot::Unwanted;
        late
    }
}

/// Gives an answer in any case: when the thread ends with the job, that it has ended.
struct Giver<T>(Arc<Answer<T>>);

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        self.0.give(Err(Error::new(ErrorKind::Unreachable, "the driver's thread has ended")));
    }
}

/// The way to the thread; it ends, when it can, after this was dropped.
#[derive(Debug)]
pub(super) struct Apartment {
    jobs: Sender<Job>,
    bell: Arc<Bell>,
    running: Arc<Mutex<Option<Running>>>,
}

/// Wakes the thread, when it sleeps.
#[derive(Debug)]
struct Bell {
    event: OwnedHandle,
    sleeping: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        if self.sleeping.swap(false, Ordering::SeqCst) {
            // SAFETY: the event is open as long as this is.
            unsafe {
                // It cannot fail for an event of ours.
                SetEvent(HANDLE(self.event.as_raw_handle())).ok();
            }
        }
    }
}

/// Looks until there is something, for a moment: first all the time, then whenever nobody else wants the processor.
fn look_out<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..QUICK_LOOKS {
        if let Some(seen) = look() {
            return Some(seen);
        }
        std::hint::spin_loop();
    }
    let begun = Instant::now();
    loop {
        let seen = look();
        if seen.is_some() || begun.elapsed() > LOOKOUT {
            return seen;
        }
        std::thread::yield_now();
    }
}

impl Apartment {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives neither thread nor event.
    pub(super) fn start(name: &str) -> Result<Self> {
        let failed = |why: String| Error::new(ErrorKind::Device(0), format!("no apartment can be started: {why}"));
        // SAFETY: the event is made here and owned by nobody else.
        let event = unsafe {
            let event = CreateEventW(None, false, false, None).map_err(|why| failed(why.to_string()))?;
            OwnedHandle::from_raw_handle(event.0)
        };
        let bell = Arc::new(Bell { event, sleeping: AtomicBool::new(false) });
        let (jobs, receiver) = channel();
        let heard = bell.clone();
        std::thread::Builder::new()
            .name(format!("ascom {name}"))
            .spawn(move || live(&receiver, &heard))
            .map_err(|why| failed(why.to_string()))?;
        Ok(Apartment { jobs, bell, running: Arc::default() })
    }

    /// Does something there, and waits for it until the limit.
    ///
    /// # Errors
    /// `Busy` while an earlier call is overdue; `Timeout`; what the work fails with.
    pub(super) fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        limit: Duration,
        work: impl FnOnce(&mut Home, &Progress<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.refuse_when_overdue()?;
        // By the backend's limit: a caller who wants less does not make the driver overdue.
        let overdue = Instant::now() + limit;
        let (deadline, answer, running) = (Deadline::after(limit), Arc::new(Answer::new()), self.running.clone());
        let giver = Giver(answer.clone());
        let job: Job = Box::new(move |home| {
            {
                let mut running = lock(&running);
                if giver.0.is_unwanted() {
                    return;
                }
                *running = Some(Running { what, since: Instant::now(), overdue });
            }
            let done = work(home, &Progress(&running));
            *lock(&running) = None;
            giver.0.give(done);
        });
        // Should nobody be there to take it, the job is dropped, which is an answer too.
        self.jobs.send(job).ok();
        self.bell.ring();
        if let Some(done) = look_out(|| answer.take()).or_else(|| answer.wait(deadline)) {
            return done;
        }
        // Under the lock, so that a call is either begun by now, or never.
        let running = lock(&self.running);
        let slow = running.as_ref().map_or(what, |running| running.what);
        answer.refuse().unwrap_or_else(|| Err(Error::timeout(slow, limit)))
    }

    fn refuse_when_overdue(&self) -> Result<()> {
        match &*lock(&self.running) {
            Some(running) if Instant::now() >= running.overdue => {
                let (what, since) = (running.what, running.since.elapsed());
                Err(Error::new(ErrorKind::Busy, format!("has not answered {what} for {since:.0?}")))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Apartment {
    fn drop(&mut self) {
        // The thread sees the closed channel as soon as it looks; the sender goes with this.
        let (none, _) = channel();
        drop(std::mem::replace(&mut self.jobs, none));
        self.bell.ring();
    }
}

/// The thread: does jobs and pumps messages until nobody can send jobs any more.
fn live(jobs: &Receiver<Job>, bell: &Bell) {
    // SAFETY: the apartment is entered and left on this thread, and everything of it is dropped in between.
    unsafe {
        if CoInitializeEx(None, COINIT_APARTMENTTHREADED).is_err() {
            return;
        }
    }
    let (mut home, mut pumped) = (None, Instant::now());
    while let Found::Job(job) = next(jobs, bell) {
        job(&mut home);
        if pumped.elapsed() > PUMPED_EVERY {
            pump();
            pumped = Instant::now();
        }
    }
    drop(home);
    // SAFETY: as above.
    unsafe { CoUninitialize() };
}

/// What a look at the jobs finds.
enum Found {
    Job(Job),
    /// Nobody can send any more.
    Nobody,
}

fn look(jobs: &Receiver<Job>) -> Option<Found> {
    match jobs.try_recv() {
        Ok(job) => Some(Found::Job(job)),
        Err(TryRecvError::Disconnected) => Some(Found::Nobody),
        Err(TryRecvError::Empty) => None,
    }
}

/// Waits for the next job, and handles messages meanwhile.
fn next(jobs: &Receiver<Job>, bell: &Bell) -> Found {
    loop {
        if let Some(found) = look_out(|| look(jobs)) {
            return found;
        }
        // First said, then looked: who sends a job after the look sees that the bell is wanted.
        bell.sleeping.store(true, Ordering::SeqCst);
        let found = look(jobs);
        if found.is_none() {
            let handles = [HANDLE(bell.event.as_raw_handle())];
            // SAFETY: the event is open while this waits.
            unsafe { MsgWaitForMultipleObjectsEx(Some(&handles), INFINITE, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
            pump();
        }
        bell.sleeping.store(false, Ordering::SeqCst);
        if let Some(found) = found {
            return found;
        }
    }
}

/// Handles messages for a while, on the thread of a driver.
pub(super) fn pump_for(time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now()).as_millis();
        if left == 0 {
            return;
        }
        // SAFETY: it only waits.
        unsafe { MsgWaitForMultipleObjectsEx(None, left as u32, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
        pump();
    }
}

/// Handles the messages that there are.
fn pump() {
    // SAFETY: messages are handled on the thread that they came to.
    unsafe {
        let mut message = MSG::default();
        while PeekMessageW(&mut message, None, 0, 0, PM_REMOVE).as_bool() {
            let _ = TranslateMessage(&message);
            DispatchMessageW(&message);
        }
    }
}
