//! A vector of elements as it is known now: its values, and the numbers of the messages that told them.

use crate::{
    Image, Result,
    sync::lock,
    wire::indi::{Element as WireElement, Elements, Number as WireNumber, Perm, Rule, State, Vector},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// What an element costs besides its texts.
pub(super) const ELEMENT_WEIGHT: usize = 160;

/// Questions remembered for each property, and for how long, for drivers that never answer them: a definition counts as
/// the answer to the oldest one, and one that got lost would shift all that follow. Longer than a driver may be busy
/// with something else.
const MAX_QUESTIONS: usize = 16;
const REMEMBERED: Duration = Duration::from_secs(60);

/// Letters of a timestamp; it has 19, and some drivers add fractions and a zone.
const MAX_TIMESTAMP: usize = 40;

/// A vector of elements.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) label: String,
    /// The page it is shown on.
    pub(super) group: String,
    /// How many switches can be on, for switches.
    pub(super) rule: Option<Rule>,
    /// The driver's guess at the longest that a change takes, in seconds.
    pub(super) timeout: f64,
    /// When the driver says that it told the values; empty when it does not.
    pub(super) timestamp: String,
    pub(super) state: State,
    pub(super) perm: Perm,
    pub(super) elements: Vec<Element>,
    /// Number of the last report (not definition).
    pub(super) seq: u64,
    /// Questions for its definition that are not answered yet, by their numbers in the order they were sent, and when.
    asked: VecDeque<(u64, Instant)>,
    /// The last question that was answered.
    pub(super) answered: u64,
    /// Number of the last message that said busy.
    pub(super) busy: u64,
    /// Number and time of the last report (not definition) that said alert.
    pub(super) alert: Option<(u64, Instant)>,
    /// When the last report came.
    pub(super) reported: Option<Instant>,
    /// Somebody waits for a BLOB of this vector; others are not kept.
    pub(super) wanted: bool,
}

/// An element of a vector.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) label: String,
    /// How a number is to be shown.
    pub(super) format: String,
    pub(super) value: Value,
}

/// The value of an element.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Number(Number),
    Switch(bool),
    Light(State),
    Blob(Option<Arc<Blob>>),
}

/// A number with its limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number {
    pub(super) value: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) step: f64,
    /// The last value that any client asked for.
    pub(super) requested: Option<f64>,
}

/// A file that a device sent.
#[derive(Debug)]
pub(super) struct Blob {
    /// Number of the message that brought it.
    pub(super) seq: u64,
    pub(super) format: String,
    content: Mutex<Option<Content>>,
}

/// What a BLOB holds.
#[derive(Debug)]
pub(super) enum Content {
    /// The file itself.
    File(Vec<u8>),
    /// The picture that was made of it while it arrived.
    Picture(Result<Box<Image>>),
}

impl Blob {
    pub(super) fn new(seq: u64, format: String, content: Content) -> Arc<Self> {
        Arc::new(Blob { seq, format, content: Mutex::new(Some(content)) })
    }

    /// The content, the first time.
    pub(super) fn take(&self) -> Option<Content> {
        lock(&self.content).take()
    }
}

impl Element {
    /// What people call it.
    pub(super) fn title(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }
}

impl Property {
    pub(super) fn define(vector: &Vector<'_>, seq: u64) -> Self {
        let timestamp = vector.timestamp.as_deref().filter(|text| text.len() <= MAX_TIMESTAMP);
        let mut property = Property {
            label: own(vector.label.as_deref()),
            group: own(vector.group.as_deref()),
            rule: vector.rule,
            timeout: vector.timeout.unwrap_or(0.0),
            timestamp: own(timestamp),
            state: vector.state.unwrap_or(State::Idle),
            perm: vector.perm.unwrap_or(Perm::ReadWrite),
            elements: elements(&vector.elements),
            seq: 0,
            asked: VecDeque::new(),
            answered: 0,
            busy: 0,
            alert: None,
            reported: None,
            wanted: false,
        };
        if property.state == State::Busy {
            property.busy = seq;
        }
        property
    }

    /// Keeps what a new definition does not tell.
    pub(super) fn inherit(&mut self, old: Property, now: Instant) {
        (self.seq, self.alert, self.reported, self.wanted) = (old.seq, old.alert, old.reported, old.wanted);
        self.busy = self.busy.max(old.busy);
        self.asked = old.asked;
        self.forget_questions(now);
        self.answered = self.asked.pop_front().map_or(old.answered, |(question, _)| question);
        for was in old.elements {
            let Some(element) = self.elements.iter_mut().find(|element| element.name == was.name) else { continue };
            match (&mut element.value, was.value) {
                (Value::Number(number), Value::Number(was)) => number.requested = was.requested,
                (Value::Blob(blob), Value::Blob(was)) => *blob = was,
                _ => {}
            }
        }
    }

    pub(super) fn report(&mut self, vector: &mut Vector<'_>, seq: u64, now: Instant) {
        self.seq = seq;
        self.reported = Some(now);
        self.state = vector.state.unwrap_or(self.state);
        self.timeout = vector.timeout.unwrap_or(self.timeout);
        if let Some(told) = vector.timestamp.as_deref().filter(|text| text.len() <= MAX_TIMESTAMP) {
            self.timestamp.clear();
            self.timestamp.push_str(told);
        }
        match self.state {
            State::Busy => self.busy = seq,
            State::Alert => self.alert = Some((seq, now)),
            _ => {}
        }
        self.take(&mut vector.elements, seq);
    }

    fn take(&mut self, elements: &mut Elements<'_>, seq: u64) {
        match elements {
            Elements::Text(all) => self.each(all, |value, told| {
                if let Value::Text(text) = value {
                    text.clear();
                    text.push_str(told);
                }
            }),
            Elements::Number(all) => self.each(all, |value, told| {
                if let Value::Number(number) = value {
                    number.update(told);
                }
            }),
            Elements::Switch(all) => self.each(all, |value, told| {
                if let Value::Switch(on) = value {
                    *on = *told;
                }
            }),
            Elements::Light(all) => self.each(all, |value, told| {
                if let Value::Light(state) = value {
                    *state = *told;
                }
            }),
            Elements::Blob(all) if self.wanted => self.each(all, |value, told| {
                if let Value::Blob(blob) = value
                    && !told.data.is_empty()
                {
                    let content = Content::File(std::mem::take(&mut told.data));
                    *blob = Some(Blob::new(seq, told.format.to_string(), content));
                }
            }),
            Elements::Blob(_) => {}
        }
    }

    /// Gives each value that is told to the element it is for, if there is one.
    fn each<T>(&mut self, told: &mut [WireElement<'_, T>], mut take: impl FnMut(&mut Value, &mut T)) {
        for one in told {
            if let Some(value) = self.value_mut(&one.name) {
                take(value, &mut one.value);
            }
        }
    }

    pub(super) fn value_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.elements.iter_mut().find(|element| element.name == name).map(|element| &mut element.value)
    }

    /// Remembers that the driver was asked to define it again.
    pub(super) fn ask(&mut self, question: u64, now: Instant) {
        self.forget_questions(now);
        if self.asked.len() >= MAX_QUESTIONS {
            self.asked.pop_front();
        }
        self.asked.push_back((question, now));
    }

    fn forget_questions(&mut self, now: Instant) {
        self.asked.retain(|(_, asked)| now.saturating_duration_since(*asked) < REMEMBERED);
    }

    /// Remembers that a client asked for a value.
    pub(super) fn request(&mut self, element: &str, value: Option<f64>) {
        if let (Some(Value::Number(number)), Some(value)) = (self.value_mut(element), value) {
            number.requested = Some(value);
        }
    }

    /// Forgets the BLOBs and says whether new ones are to be kept.
    pub(super) fn want_blobs(&mut self, wanted: bool) {
        self.wanted = wanted;
        for element in &mut self.elements {
            if let Value::Blob(blob) = &mut element.value {
                *blob = None;
            }
        }
    }

    /// An element.
    pub(super) fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// A number.
    pub(super) fn number(&self, element: &str) -> Option<Number> {
        match self.element(element)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A switch.
    pub(super) fn switch(&self, element: &str) -> Option<bool> {
        match self.element(element)?.value {
            Value::Switch(on) => Some(on),
            _ => None,
        }
    }

    /// The element that is on.
    pub(super) fn on(&self) -> Option<&Element> {
        self.elements.iter().find(|element| matches!(element.value, Value::Switch(true)))
    }

    /// True when clients may change it.
    pub(super) fn writable(&self) -> bool {
        self.perm != Perm::ReadOnly
    }

    pub(super) fn weight(&self) -> usize {
        let text = |value: &Value| match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        let weigh = |element: &Element| {
            ELEMENT_WEIGHT + element.name.len() + element.label.len() + element.format.len() + text(&element.value)
        };
        ELEMENT_WEIGHT + self.label.len() + self.group.len() + self.elements.iter().map(weigh).sum::<usize>()
    }
}

impl Number {
    fn update(&mut self, told: &WireNumber<'_>) {
        self.value = told.value.unwrap_or(self.value);
        self.min = told.min.unwrap_or(self.min);
        self.max = told.max.unwrap_or(self.max);
        self.step = told.step.unwrap_or(self.step);
    }

    /// The limits, where there are any: by convention none when the largest is not above the smallest.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        (self.max > self.min).then_some((self.min, self.max))
    }
}

fn own(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn elements(told: &Elements<'_>) -> Vec<Element> {
    /// Values come with how they are to be shown.
    fn all<'t, T>(told: &'t [WireElement<'_, T>], value: impl Fn(&'t T) -> (Value, Option<&'t str>)) -> Vec<Element> {
        let one = |one: &'t WireElement<'_, T>| {
            let (value, format) = value(&one.value);
            Element { label: own(one.label.as_deref()), name: one.name.to_string(), format: own(format), value }
        };
        told.iter().map(one).collect()
    }
    match told {
        Elements::Text(told) => all(told, |text| (Value::Text(text.to_string()), None)),
        Elements::Number(told) => all(told, |told| {
            let mut number = Number::default();
            number.update(told);
            (Value::Number(number), told.format.as_deref())
        }),
        Elements::Switch(told) => all(told, |on| (Value::Switch(*on), None)),
        Elements::Light(told) => all(told, |state| (Value::Light(*state), None)),
        Elements::Blob(told) => all(told, |_| (Value::Blob(None), None)),
    }
}
