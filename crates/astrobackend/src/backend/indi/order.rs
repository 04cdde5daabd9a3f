//! Commands and their answers: when is one done, and was it refused?
//!
//! INDI has no replies. A driver may answer with a busy vector, with the new values, with an alert, with
//! a message alone, or not at all; and a report that was already under way looks like an answer. Two
//! things make it certain. A driver works through its input in order, so a question sent after a command
//! (`getProperties` of the same vector, which is answered by its definition) is answered after the command
//! was dealt with. And a report of *busy* since the command can only be its own.

use super::{
    connection::Connection,
    property::Property,
    store::{Device, Store},
};
use crate::{Error, ErrorKind, Result, event::Level, wait::Deadline, wire::indi::State};
use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

/// How long an answer is waited for before the driver is asked whether it has dealt with the command.
const PATIENCE: Duration = Duration::from_millis(100);

/// A refusal often comes as a bare alert, and the message that explains it a moment later.
const EXPLANATION: Duration = Duration::from_millis(200);

/// A driver that was asked and shows neither busy nor the goal may still be about to begin.
const HESITATION: Duration = Duration::from_millis(1000);

/// A command that was sent.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The vector it was for.
    pub(super) property: Cow<'static, str>,
    /// Number of the last message received before it.
    pub(super) mark: u64,
    /// Its own number among what was sent: a question with a higher one was asked after it.
    pub(super) number: u64,
    /// Number under which the device was known: another one means that its driver was restarted.
    pub(super) born: u64,
    /// When it was sent.
    pub(super) sent: Instant,
}

/// How far a command is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Progress {
    /// Nothing that must be an answer has come yet.
    Unanswered,
    /// At work.
    Busy,
    /// Refused or failed; the driver's reason may still come.
    Alert,
    /// Where it was to go.
    Done,
    /// Refused, failed, stopped or ignored.
    Failed(Error),
}

impl Order {
    /// How far it is, now; `reached` tells whether the device is where the command wants it.
    pub(super) fn progress(&self, device: Option<&Device>, reached: impl Fn(&Device) -> bool) -> Progress {
        let device = device.filter(|device| device.born == self.born);
        let Some((device, property)) = device.and_then(|device| Some((device, device.property(&self.property)?)))
        else {
            return Progress::Failed(Error::new(ErrorKind::Device(0), "its driver went away"));
        };
        if let Some((_, when)) = property.alert.filter(|(seq, _)| *seq > self.mark) {
            let explained = device.worst_since(self.mark).is_some_and(|level| level > Level::Info);
            return match explained || when.elapsed() >= EXPLANATION {
                true => Progress::Failed(self.refusal(device, "the driver refused it or failed, without a reason")),
                false => Progress::Alert,
            };
        }
        if property.state == State::Busy && property.busy > self.mark {
            return Progress::Busy;
        }
        self.at_rest(device, property, reached(device))
    }

    /// The vector is not busy: has it been, is it going to be, or will it never?
    fn at_rest(&self, device: &Device, property: &Property, reached: bool) -> Progress {
        let has_been_busy = property.busy > self.mark;
        let asked = property.answered > self.number;
        if reached && (has_been_busy || asked || property.seq > self.mark) {
            return Progress::Done;
        }
        if has_been_busy {
            return match property.state {
                State::Idle => Progress::Failed(Error::new(ErrorKind::Cancelled, "was stopped")),
                // Arrived, as the driver has it; whoever asked compares with the target.
                _ => Progress::Done,
            };
        }
        // Refused by a message alone, or dropped without a word.
        let refused = device.worst_since(self.mark).is_some_and(|level| level > Level::Info);
        if asked && (refused || self.sent.elapsed() >= HESITATION) {
            return Progress::Failed(self.refusal(device, "the driver ignored it"));
        }
        Progress::Unanswered
    }

    fn refusal(&self, device: &Device, otherwise: &str) -> Error {
        let reason = device.reason_since(self.mark).unwrap_or(otherwise);
        Error::new(ErrorKind::Device(0), format!("{}: {reason}", self.property))
    }
}

/// Looks until there is an answer to an order, asking the driver when none comes by itself; `None` when the
/// deadline passes first.
///
/// # Errors
/// Why the connection was lost.
pub(super) fn answer<T>(
    connection: &Connection,
    name: &str,
    order: &Order,
    deadline: Deadline,
    reached: impl Fn(&Device) -> bool,
    settled: impl Fn(Progress, Option<&Device>) -> Option<T>,
) -> Result<Option<T>> {
    let look = |store: &Store| {
        let device = store.device(name);
        settled(order.progress(device, &reached), device)
    };
    if let Some(answer) = connection.wait(Deadline::after(PATIENCE.min(deadline.remaining())), look)? {
        return Ok(Some(answer));
    }
    connection.ask(name, &order.property)?;
    connection.wait(deadline, look)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::indi::Parser;

    const DEFINITION: &str = "<defNumberVector device='F' name='ABS' state='Ok' perm='rw'>\
        <defNumber name='P' format='%g' min='0' max='100' step='1'>50</defNumber></defNumberVector>";

    /// What becomes of an order to go to 70, sent `age` ago, after these messages.
    fn after(messages: &str, age: Duration) -> Progress {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        for text in [DEFINITION, messages] {
            parser.push(text.as_bytes());
            while let Some(message) = parser.next_message() {
                store.apply(message.unwrap()).unwrap();
            }
            // The question after the order, which has number 1.
            store.property_mut("F", "ABS").into_iter().for_each(|property| property.ask(2, Instant::now()));
        }
        let order = Order {
            property: "ABS".into(),
            mark: 1,
            number: 1,
            born: 1,
            sent: Instant::now().checked_sub(age).unwrap(),
        };
        order.progress(store.device("F"), |device| device.number("ABS", "P") == Some(70.0))
    }

    fn set(state: &str, value: u8) -> String {
        format!(
            "<setNumberVector device='F' name='ABS' state='{state}'><oneNumber name='P'>{value}</oneNumber></setNumberVector>"
        )
    }

    fn failure(progress: Progress) -> (ErrorKind, String) {
        match progress {
            Progress::Failed(error) => (error.kind(), error.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_is_told_from_a_report_that_crossed_the_command() {
        let soon = Duration::ZERO;
        assert_eq!(after("", soon), Progress::Unanswered);
        assert_eq!(after(&set("Ok", 50), soon), Progress::Unanswered, "a report that crossed the command");
        assert_eq!(after(&set("Busy", 50), soon), Progress::Busy);
        assert_eq!(after(&set("Ok", 70), soon), Progress::Done);
        assert_eq!(after(&(set("Busy", 60) + &set("Ok", 69)), soon), Progress::Done);
        assert_eq!(failure(after(&(set("Busy", 60) + &set("Idle", 61)), soon)).0, ErrorKind::Cancelled);
    }

    #[test]
    fn a_driver_that_was_asked_and_does_nothing_has_ignored_the_command() {
        assert_eq!(after(DEFINITION, Duration::ZERO), Progress::Unanswered);
        assert!(failure(after(DEFINITION, Duration::from_secs(2))).1.contains("ignored"));
    }

    #[test]
    fn a_definition_that_answers_an_earlier_question_says_nothing() {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        parser.push([DEFINITION, DEFINITION].concat().as_bytes());
        store.apply(parser.next_message().unwrap().unwrap()).unwrap();
        let property = store.property_mut("F", "ABS").unwrap();
        [1, 3].into_iter().for_each(|question| property.ask(question, Instant::now()));
        let order = Order { property: "ABS".into(), mark: 1, number: 2, born: 1, sent: Instant::now() };
        store.apply(parser.next_message().unwrap().unwrap()).unwrap();
        assert_eq!(order.progress(store.device("F"), |_| true), Progress::Unanswered);
        parser.push(DEFINITION.as_bytes());
        store.apply(parser.next_message().unwrap().unwrap()).unwrap();
        assert_eq!(order.progress(store.device("F"), |_| true), Progress::Done);
    }

    #[test]
    fn a_question_that_was_never_answered_does_not_stand_in_the_way_for_ever() {
        let (mut store, mut parser) = (Store::default(), Parser::default());
        parser.push([DEFINITION, DEFINITION].concat().as_bytes());
        store.apply(parser.next_message().unwrap().unwrap()).unwrap();
        let property = store.property_mut("F", "ABS").unwrap();
        property.ask(1, Instant::now().checked_sub(Duration::from_secs(61)).unwrap());
        property.ask(3, Instant::now());
        let order = Order { property: "ABS".into(), mark: 1, number: 2, born: 1, sent: Instant::now() };
        store.apply(parser.next_message().unwrap().unwrap()).unwrap();
        assert_eq!(order.progress(store.device("F"), |_| true), Progress::Done);
    }

    #[test]
    fn a_refusal_waits_for_its_reason() {
        let said = "<message device='F' message='[ERROR] beyond the end'/>";
        assert_eq!(after(&set("Alert", 50), Duration::ZERO), Progress::Alert);
        assert_eq!(failure(after(&(set("Alert", 50) + said), Duration::ZERO)).1, "ABS: beyond the end");
        assert_eq!(
            failure(after(&(said.to_owned() + &set("Alert", 50) + &set("Ok", 50)), Duration::ZERO)).1,
            "ABS: beyond the end"
        );
        let warned = "<message device='F' message='[WARNING] parked'/>".to_owned() + DEFINITION;
        assert_eq!(failure(after(&warned, Duration::ZERO)).1, "ABS: parked");
    }

    #[test]
    fn a_driver_that_died_or_was_restarted_has_failed() {
        assert!(failure(after("<delProperty device='F'/>", Duration::ZERO)).1.contains("went away"));
        assert!(
            failure(after(&format!("<delProperty device='F'/>{DEFINITION}"), Duration::ZERO)).1.contains("went away")
        );
    }
}
