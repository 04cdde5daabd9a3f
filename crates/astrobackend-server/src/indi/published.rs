//! What clients were told of a device, and what is to be told when it is another: definitions once, changes as they
//! come, nothing twice.

use super::property::{Property, now};
use astrobackend::wire::indi::{Element, Elements, Message, Number, Perm, State, Vector};
use std::collections::HashSet;

/// The properties of a device as clients know them.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) device: String,
    pub(super) vectors: Vec<Property>,
    /// Refused, and nothing has changed since.
    alerts: HashSet<String>,
}

/// What went wrong with a property at a look.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) property: &'static str,
    pub(super) why: String,
    /// Only the look failed: the next good one ends it. What has failed itself is an alert until something changes.
    pub(super) passing: bool,
}

/// Something to be told about a property.
pub(super) type News = (String, Message<'static>);

impl Published {
    pub(super) fn new(device: String) -> Self {
        Published { device, vectors: Vec::new(), alerts: HashSet::new() }
    }

    /// A property as it was last told.
    pub(super) fn find(&self, name: &str) -> Option<&Property> {
        self.vectors.iter().find(|vector| vector.name == name)
    }

    /// The definitions of all properties, or of one.
    pub(super) fn definitions(&self, name: Option<&str>) -> Vec<Message<'static>> {
        let wanted = self.vectors.iter().filter(|vector| name.is_none_or(|name| vector.name == name));
        wanted.map(|vector| self.definition(vector)).collect()
    }

    /// Takes in how the properties are now, and which of them failed and why; what to tell. `answer` is told even when
    /// it is as before.
    pub(super) fn update(&mut self, mut now: Vec<Property>, answer: Option<&str>, failures: &[Failure]) -> Vec<News> {
        let mut news = Vec::new();
        for before in &self.vectors {
            if !now.iter().any(|vector| is_same(before, vector)) {
                news.push((before.name.to_string(), self.deletion(&before.name)));
                self.alerts.remove(before.name.as_ref());
            }
        }
        let mut changes = Vec::new();
        for vector in &mut now {
            let Some(before) = self.vectors.iter().find(|before| is_same(before, vector)) else {
                news.push((vector.name.to_string(), self.definition(vector)));
                continue;
            };
            let failure = failures.iter().find(|failure| vector.name == failure.property);
            if let Some(failure) = failure {
                vector.state = Some(State::Alert);
                if !failure.passing {
                    self.alerts.insert(vector.name.to_string());
                }
            } else if self.alerts.contains(vector.name.as_ref()) {
                match vector.state != Some(State::Busy) && vector.elements == before.elements {
                    true => vector.state = Some(State::Alert),
                    false => drop(self.alerts.remove(vector.name.as_ref())),
                }
            }
            if vector != before || answer == Some(vector.name.as_ref()) || failure.is_some() {
                let message = failure.map(|failure| complaint(&failure.why));
                changes.push((vector.name.to_string(), self.report(vector, Some(before), message)));
            }
        }
        news.append(&mut changes);
        self.vectors = now;
        news
    }

    /// A property is in a state for a moment, whatever it will be next.
    pub(super) fn show(&mut self, name: &str, state: State) -> Option<News> {
        self.alerts.remove(name);
        self.enter(name, state, None)
    }

    /// A command was obeyed: an earlier refusal is over.
    pub(super) fn forgive(&mut self, name: &str) {
        self.alerts.remove(name);
    }

    /// A command was refused, or what it started failed: the property becomes an alert, unless it is at work.
    pub(super) fn refuse(&mut self, name: &str, why: &str) -> Option<News> {
        match self.find(name)?.state {
            Some(State::Busy) => self.enter(name, State::Busy, Some(why)),
            _ => self.fail(name, why),
        }
    }

    /// What started failed, whatever its state was.
    pub(super) fn fail(&mut self, name: &str, why: &str) -> Option<News> {
        let news = self.overlook(name, why)?;
        self.alerts.insert(name.to_owned());
        Some(news)
    }

    /// A property cannot be looked at: an alert until the next look that succeeds.
    pub(super) fn overlook(&mut self, name: &str, why: &str) -> Option<News> {
        self.enter(name, State::Alert, Some(why))
    }

    /// A property is in a state now; what to tell of it.
    fn enter(&mut self, name: &str, state: State, why: Option<&str>) -> Option<News> {
        self.vectors.iter_mut().find(|vector| vector.name == name)?.state = Some(state);
        let vector = self.find(name)?;
        Some((name.to_owned(), self.report(vector, Some(vector), why.map(complaint))))
    }

    fn definition(&self, vector: &Property) -> Message<'static> {
        Message::Def(self.addressed(vector.clone()))
    }

    fn deletion(&self, name: &str) -> Message<'static> {
        let (device, name) = (self.device.clone().into(), Some(name.to_owned().into()));
        Message::DelProperty { device, name, message: None }
    }

    /// The values of a vector; limits where they are others than before.
    fn report(&self, vector: &Property, before: Option<&Property>, message: Option<String>) -> Message<'static> {
        let mut report = self.addressed(vector.clone());
        (report.label, report.group, report.perm, report.rule) = (None, None, None, None);
        report.message = message.map(Into::into);
        strip(&mut report.elements, before.map(|before| &before.elements));
        Message::Set(report)
    }

    fn addressed(&self, mut vector: Vector<'static>) -> Vector<'static> {
        vector.device = self.device.clone().into();
        vector.timestamp = Some(now().into());
        vector
    }
}

/// As `libindi` marks what went wrong.
fn complaint(why: &str) -> String {
    format!("[ERROR] {why}")
}

/// The same property with the same elements, so that a change needs no new definition.
fn is_same(a: &Property, b: &Property) -> bool {
    (&a.name, &a.label, &a.perm, &a.rule) == (&b.name, &b.label, &b.perm, &b.rule) && shape(a) == shape(b)
}

type Names<'a> = Vec<(&'a str, Option<&'a str>)>;

fn shape(vector: &Property) -> (u8, Names<'_>) {
    fn names<'a, T>(all: &'a [Element<'static, T>]) -> Names<'a> {
        all.iter().map(|one| (one.name.as_ref(), one.label.as_deref())).collect()
    }
    match &vector.elements {
        Elements::Text(all) => (0, names(all)),
        Elements::Number(all) => (1, names(all)),
        Elements::Switch(all) => (2, names(all)),
        Elements::Light(all) => (3, names(all)),
        Elements::Blob(all) => (4, names(all)),
    }
}

/// Takes out what only definitions say.
fn strip(elements: &mut Elements<'static>, before: Option<&Elements<'static>>) {
    fn unlabel<T>(all: &mut [Element<'static, T>]) {
        all.iter_mut().for_each(|one| one.label = None);
    }
    match elements {
        Elements::Text(all) => unlabel(all),
        Elements::Switch(all) => unlabel(all),
        Elements::Light(all) => unlabel(all),
        // A report without elements changes only the state.
        Elements::Blob(all) => all.clear(),
        Elements::Number(all) => {
            unlabel(all);
            let old = match before {
                Some(Elements::Number(old)) => &old[..],
                _ => &[],
            };
            for one in all {
                let number = &mut one.value;
                let limits = |number: &Number<'_>| (number.min, number.max, number.step);
                let same = old.iter().any(|old| old.name == one.name && limits(&old.value) == limits(number));
                number.format = None;
                if same {
                    (number.min, number.max, number.step) = (None, None, None);
                }
            }
        }
    }
}

/// Nobody may change anything.
pub(super) fn lock_all(vectors: &mut [Property]) {
    vectors.iter_mut().for_each(|vector| vector.perm = Some(Perm::ReadOnly));
}

#[cfg(test)]
mod tests {
    use super::{
        super::property::{MAIN, With, number, numbers},
        *,
    };

    fn position(value: f64, max: f64) -> Property {
        let element = number("FOCUS_ABSOLUTE_POSITION", "Steps", value, "%.f", (0.0, max, 1.0));
        numbers("ABS_FOCUS_POSITION", "Position", MAIN, [element]).writable()
    }

    fn texts(news: Vec<News>) -> Vec<String> {
        let text = |(_, message): News| String::from_utf8(message.to_bytes()).unwrap();
        news.into_iter().map(text).collect()
    }

    #[test]
    fn what_is_told_once_is_not_told_again() {
        let mut published = Published::new("F".into());
        let told = texts(published.update(vec![position(5.0, 100.0)], None, &[]));
        assert!(told.len() == 1 && told[0].starts_with("<defNumberVector device=\"F\""), "{told:?}");
        assert!(published.update(vec![position(5.0, 100.0)], None, &[]).is_empty());
        let told = texts(published.update(vec![position(6.0, 100.0)], None, &[]));
        assert!(told[0].starts_with("<setNumberVector") && !told[0].contains("max="), "{told:?}");
        assert!(texts(published.update(vec![position(6.0, 50.0)], None, &[]))[0].contains("max=\"50\""));
        assert_eq!(published.update(vec![position(6.0, 50.0)], Some("ABS_FOCUS_POSITION"), &[]).len(), 1, "an answer");
        let mut other = position(6.0, 50.0);
        other.perm = Some(Perm::ReadOnly);
        let told = texts(published.update(vec![other], None, &[]));
        assert!(told[0].starts_with("<delProperty") && told[1].starts_with("<defNumberVector"), "{told:?}");
    }

    #[test]
    fn a_refusal_stays_until_something_changes() {
        let mut published = Published::new("F".into());
        published.update(vec![position(5.0, 100.0)], None, &[]);
        let told = texts(published.refuse("ABS_FOCUS_POSITION", "too far").into_iter().collect());
        assert!(told[0].contains("state=\"Alert\"") && told[0].contains("message=\"[ERROR] too far\""), "{told:?}");
        assert!(published.update(vec![position(5.0, 100.0)], None, &[]).is_empty());
        assert_eq!(published.find("ABS_FOCUS_POSITION").unwrap().state, Some(State::Alert));
        assert!(texts(published.update(vec![position(7.0, 100.0)], None, &[]))[0].contains("state=\"Ok\""));
        published.refuse("ABS_FOCUS_POSITION", "too far");
        let moving = position(7.0, 100.0).state(State::Busy);
        assert!(texts(published.update(vec![moving], None, &[]))[0].contains("state=\"Busy\""));
        let told = texts(published.refuse("ABS_FOCUS_POSITION", "too far").into_iter().collect());
        assert!(told[0].contains("state=\"Busy\""), "at work, it stays so: {told:?}");
        let told = texts(published.update(vec![position(7.5, 100.0)], None, &[failure("stuck", false)]));
        assert!(told[0].contains("7.5") && told[0].contains("Alert") && told[0].contains("stuck"), "{told:?}");
        assert!(published.update(vec![position(7.5, 100.0)], None, &[]).is_empty());
    }

    #[test]
    fn a_look_that_failed_is_over_with_the_next_one() {
        let mut published = Published::new("F".into());
        published.update(vec![position(5.0, 100.0)], None, &[]);
        let told = texts(published.update(vec![position(5.0, 100.0)], None, &[failure("no answer", true)]));
        assert!(told[0].contains("Alert") && told[0].contains("no answer"), "{told:?}");
        assert!(texts(published.update(vec![position(5.0, 100.0)], None, &[]))[0].contains("state=\"Ok\""));
    }

    fn failure(why: &str, passing: bool) -> Failure {
        Failure { property: "ABS_FOCUS_POSITION", why: why.into(), passing }
    }
}
