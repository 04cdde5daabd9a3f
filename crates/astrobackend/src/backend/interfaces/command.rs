//! The last command of an old driver: it may be answered only when it is done.

use crate::{Error, Result, sync::lock, wait::Deadline};
use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a command is waited for, since most are refused or accepted at once.
const EARLY: Duration = Duration::from_secs(1);

/// The command, from its beginning until its outcome was told.
#[derive(Debug)]
pub(super) struct Command {
    state: Mutex<State>,
    over: Condvar,
    early: Duration,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    None,
    Running {
        member: &'static str,
        since: Instant,
    },
    Over {
        member: &'static str,
        outcome: Result<()>,
    },
}

/// How it stands.
#[derive(Debug)]
pub(super) enum Work {
    Idle,
    /// The driver has not answered this member yet.
    Doing(&'static str),
    /// It failed after it was no longer waited for; said once.
    Failed(&'static str, Error),
}

impl Command {
    /// With the longest that a call may take.
    pub(super) fn new(limit: Duration) -> Self {
        Command { state: Mutex::default(), over: Condvar::new(), early: EARLY.min(limit) }
    }

    /// Begins one; what it is busy with, if there is one under way.
    pub(super) fn begin(&self, member: &'static str) -> std::result::Result<(), &'static str> {
        let mut state = lock(&self.state);
        match *state {
            State::Running { member, .. } => Err(member),
            _ => {
                *state = State::Running { member, since: Instant::now() };
                Ok(())
            }
        }
    }

    /// The driver has answered.
    pub(super) fn finish(&self, outcome: Result<()>) {
        let mut state = lock(&self.state);
        if let State::Running { member, .. } = *state {
            *state = State::Over { member, outcome };
        }
        self.over.notify_all();
    }

    /// Waits for a moment; the outcome, if it has come by then.
    pub(super) fn early(&self) -> Option<Result<()>> {
        let mut state = self.when_over_or_late();
        match std::mem::take(&mut *state) {
            State::Over { outcome, .. } => Some(outcome),
            running => {
                *state = running;
                None
            }
        }
    }

    /// The member that is waited for, after the moment in which most are answered.
    pub(super) fn doing(&self) -> Option<&'static str> {
        match *self.when_over_or_late() {
            State::Running { member, .. } => Some(member),
            _ => None,
        }
    }

    /// How it stands now.
    pub(super) fn work(&self) -> Work {
        let mut state = lock(&self.state);
        match std::mem::take(&mut *state) {
            State::Over { member, outcome: Err(error) } => Work::Failed(member, error),
            State::Running { member, since } => {
                *state = State::Running { member, since };
                Work::Doing(member)
            }
            _ => Work::Idle,
        }
    }

    fn when_over_or_late(&self) -> std::sync::MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        let State::Running { since, .. } = *state else { return state };
        let deadline = Deadline::after(self.early.saturating_sub(since.elapsed()));
        while matches!(*state, State::Running { .. }) && !deadline.has_passed() {
            state = self.over.wait_timeout(state, deadline.pause()).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_command_is_one_at_a_time_and_its_failure_is_said_once() {
        let command = Command::new(Duration::from_secs(5));
        command.begin("move").unwrap();
        assert_eq!(command.begin("halt"), Err("move"));
        assert!(matches!(command.work(), Work::Doing("move")));
        command.finish(Err(Error::new(ErrorKind::Parked, "is parked")));
        assert!(command.doing().is_none());
        assert!(matches!(command.work(), Work::Failed("move", error) if error.kind() == ErrorKind::Parked));
        assert!(matches!(command.work(), Work::Idle));
        command.begin("halt").unwrap();
        command.finish(Ok(()));
        assert!(command.early().unwrap().is_ok());
        assert!(command.early().is_none(), "told already");
    }
}
