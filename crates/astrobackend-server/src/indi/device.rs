//! One device: orders and questions in the order they came, as a driver of its own would work through them.
//!
//! What the backend does may take its time: a device that hangs keeps its own orders waiting, and nobody else's.

use super::{
    Service,
    audience::{Audience, Listener},
    order::Order,
    part::{Done, Part},
    picture::Picture,
    property::{self, GENERAL, MAIN, Property, With, switch, text},
    published::{Failure, News, Published, lock_all},
};
use crate::calls::Calls;
use astrobackend::{
    Error, ErrorKind, Result,
    wire::indi::{Message, Rule, State},
};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    time::{self, Instant},
};

const CONNECTION: &str = "CONNECTION";

/// How often what turns with the sky is told.
const SKY: Duration = Duration::from_secs(1);

/// What a device is to deal with.
pub(super) enum Task {
    /// A client wants something changed. The place is given back when it is dealt with.
    Order(Order, OwnedSemaphorePermit),
    Question(Question),
    /// The backend told that something has changed.
    Wake,
    /// It consists of these from now on.
    Parts(Vec<Arc<dyn Part>>),
    /// A picture was fetched, or could not be.
    Fetched(Arc<dyn Part>, Result<Option<Vec<u8>>>),
    /// It went away.
    Gone,
}

/// A client asks for the definitions of all properties, or of one.
pub(super) struct Question {
    pub(super) from: Arc<Listener>,
    pub(super) name: Option<String>,
    pub(super) _place: OwnedSemaphorePermit,
}

/// The way to a device.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    tasks: UnboundedSender<Task>,
    bell: Arc<Bell>,
}

/// What of it has changed since it last looked.
#[derive(Debug, Default)]
struct Bell {
    rung: AtomicBool,
    all: AtomicBool,
}

impl Lane {
    /// Gives it something to deal with.
    pub(super) fn give(&self, task: Task) {
        // One that is gone needs nothing more.
        let _ = self.tasks.send(task);
    }

    /// Lets it look at its state, or at all there is, once, however often this is said meanwhile.
    pub(super) fn wake(&self, all: bool) {
        if all {
            self.bell.all.store(true, Ordering::Release);
        }
        if !self.bell.rung.swap(true, Ordering::AcqRel) {
            self.give(Task::Wake);
        }
    }
}

/// How it is with the hardware.
#[derive(Debug)]
enum Presence {
    Connected,
    Disconnected,
    /// Nobody knows, for this reason.
    Unknown(String),
}

/// A device at work.
pub(super) struct Device {
    parts: Vec<Arc<dyn Part>>,
    published: Published,
    presence: Presence,
    audience: Arc<Audience>,
    calls: Arc<Calls>,
    service: Arc<Service>,
    lane: Lane,
    tasks: UnboundedReceiver<Task>,
}

/// Begins to serve a device under a name.
pub(super) fn begin(service: &Arc<Service>, name: String, parts: Vec<Arc<dyn Part>>) -> Lane {
    let (sender, tasks) = unbounded_channel();
    let lane = Lane { tasks: sender, bell: Arc::default() };
    let device = Device {
        parts,
        published: Published::new(name),
        presence: Presence::Disconnected,
        audience: service.audience.clone(),
        calls: Calls::new(service.limits.calls),
        service: service.clone(),
        lane: lane.clone(),
        tasks,
    };
    service.runtime.spawn(device.run());
    lane
}

impl Device {
    async fn run(mut self) {
        self.look(true, None).await;
        let refresh = self.service.limits.refresh;
        let (mut all_due, mut state_due) = (Instant::now() + refresh, Instant::now() + SKY);
        loop {
            let turns = self.parts.iter().any(|part| part.turns());
            let due = if turns { state_due.min(all_due) } else { all_due };
            let Ok(task) = time::timeout_at(due, self.tasks.recv()).await else {
                let all = all_due <= due;
                if !self.audience.is_empty() {
                    self.look(all, None).await;
                }
                state_due = Instant::now() + SKY;
                all_due = if all { Instant::now() + refresh } else { all_due };
                continue;
            };
            match task {
                None => return,
                Some(Task::Order(order, _place)) => self.obey(order).await,
                Some(Task::Question(question)) => self.answer(question).await,
                Some(Task::Wake) => {
                    self.lane.bell.rung.store(false, Ordering::Release);
                    let all = self.lane.bell.all.swap(false, Ordering::AcqRel);
                    self.look(all, None).await;
                }
                Some(Task::Parts(parts)) => {
                    self.parts = parts;
                    self.look(true, None).await;
                }
                Some(Task::Fetched(part, picture)) => self.deliver(&*part, picture).await,
                Some(Task::Gone) => {
                    let device = self.published.device.clone();
                    let gone = Message::DelProperty { device: device.as_str().into(), name: None, message: None };
                    return self.audience.tell(&device, None, &gone);
                }
            }
        }
    }

    fn tell(&self, news: impl IntoIterator<Item = News>) {
        for (name, message) in news {
            self.audience.tell(&self.published.device, Some(&name), &message);
        }
    }

    /// Looks at the parts and tells what has changed; `answer` is told even when it has not.
    async fn look(&mut self, all: bool, answer: Option<&str>) {
        let parts = self.parts.clone();
        let looked = self.calls.run("looking at it", self.service.limits.call, move || look(&parts, all)).await;
        let failures = match looked {
            Ok((presence, failures)) => {
                self.presence = presence;
                failures
            }
            // It hangs: what was told last is all there is to tell.
            Err(error) => {
                let news = self.published.overlook(CONNECTION, error.message());
                return self.tell(news);
            }
        };
        let news = self.published.update(self.properties(), answer, &failures);
        self.tell(news);
        self.fetch_what_is_due();
    }

    /// All properties as of the last look.
    fn properties(&self) -> Vec<Property> {
        let connected = matches!(self.presence, Presence::Connected);
        let mut all = vec![self.connection(), self.driver()];
        if connected {
            for property in self.parts.iter().flat_map(|part| part.properties()) {
                // Of two parts with the same property the first one has it.
                if all.iter().all(|known| known.name != property.name) {
                    all.push(property);
                }
            }
        }
        if self.service.read_only {
            lock_all(&mut all);
        }
        all
    }

    fn connection(&self) -> Property {
        let connected = matches!(self.presence, Presence::Connected);
        let both = [switch("CONNECT", "Connect", connected), switch("DISCONNECT", "Disconnect", !connected)];
        let state = match self.presence {
            Presence::Connected => State::Ok,
            Presence::Disconnected => State::Idle,
            Presence::Unknown(_) => State::Alert,
        };
        property::switches(CONNECTION, "Connection", MAIN, Rule::OneOfMany, both).writable().state(state)
    }

    fn driver(&self) -> Property {
        let info = self.parts.first().map(|part| part.device().info());
        let bits = self.parts.iter().fold(0, |bits, part| bits | part.interface());
        let or = |text: Option<String>, otherwise: &str| text.unwrap_or_else(|| otherwise.to_owned());
        let driver = info.as_ref().and_then(|info| info.driver.clone().or_else(|| info.description.clone()));
        let version = info.and_then(|info| info.driver_version);
        let elements = [
            text("DRIVER_NAME", "Name", or(driver, &self.published.device)),
            text("DRIVER_EXEC", "Exec", "astrobackend"),
            text("DRIVER_VERSION", "Version", or(version, env!("CARGO_PKG_VERSION"))),
            text("DRIVER_INTERFACE", "Interface", bits.to_string()),
        ];
        property::texts("DRIVER_INFO", "Driver Info", GENERAL, elements).state(State::Idle)
    }

    async fn answer(&mut self, question: Question) {
        self.look(false, None).await;
        for message in self.published.definitions(question.name.as_deref()) {
            question.from.outbox.put(Bytes::from(message.to_bytes()));
        }
    }

    async fn obey(&mut self, order: Order) {
        let name = order.property.clone();
        let Some(vector) = self.published.find(&name) else {
            return self.say(&format!("[ERROR] has no property {name}"));
        };
        if let Err(error) = order.check(vector) {
            return self.refuse(&name, &error);
        }
        if name == CONNECTION {
            return self.connect(order.on() == Some("CONNECT")).await;
        }
        let owner = self.parts.iter().find(|part| part.properties().iter().any(|property| property.name == name));
        let Some(part) = owner.cloned() else { return };
        let now = self.published.vectors.clone();
        let outcome = self.calls.run(name.clone(), self.service.limits.call, move || part.obey(&order, &now)).await;
        match outcome {
            Ok(done) => {
                self.published.forgive(&name);
                let settings = matches!(done, Done::Set);
                if let Done::Begun(states) = done {
                    for (property, state) in states {
                        let news = self.published.show(property, state);
                        self.tell(news);
                    }
                }
                self.look(settings, Some(&name)).await;
            }
            Err(error) => {
                self.refuse(&name, &error);
                self.look(false, None).await;
            }
        }
    }

    fn refuse(&mut self, name: &str, error: &Error) {
        let news = self.published.refuse(name, &sentence(error));
        self.tell(news);
    }

    fn say(&self, text: &str) {
        say(&self.audience, &self.published.device, text);
    }

    async fn connect(&mut self, on: bool) {
        let news = self.published.show(CONNECTION, State::Busy);
        self.tell(news);
        let parts = self.parts.clone();
        let work = move || {
            parts.iter().try_for_each(|part| if on { part.device().connect() } else { part.device().disconnect() })
        };
        let what = if on { "connecting" } else { "disconnecting" };
        let outcome = self.calls.run(what, self.service.limits.connect, work).await;
        let answer = match outcome {
            Ok(()) => Some(CONNECTION),
            Err(error) => {
                let news = self.published.fail(CONNECTION, &sentence(&error));
                self.tell(news);
                None
            }
        };
        self.look(true, answer).await;
    }

    /// Fetches pictures that are there, beside everything else.
    fn fetch_what_is_due(&self) {
        for part in &self.parts {
            if !part.is_due(self.audience.sees(&self.published.device, part.main_picture())) {
                continue;
            }
            let (part, lane, calls, limit) =
                (part.clone(), self.lane.clone(), self.calls.clone(), self.service.limits.image);
            tokio::spawn(async move {
                let fetching = part.clone();
                let picture = calls.run("the picture", limit, move || fetching.fetch()).await;
                lane.give(Task::Fetched(part, picture));
            });
        }
    }

    /// The picture comes before the end of the exposure is told.
    async fn deliver(&mut self, part: &dyn Part, picture: Result<Option<Vec<u8>>>) {
        let failure = match picture {
            Ok(Some(file)) => {
                let picture = Picture::new(&self.published.device, part.main_picture(), file);
                self.audience.show(&Arc::new(picture));
                None
            }
            Ok(None) => None,
            Err(error) => Some(error),
        };
        part.fetched();
        if let Some(error) = failure {
            let news = self.published.fail(part.main(), &sentence(&error));
            self.tell(news);
        }
        self.look(false, None).await;
    }
}

/// Something said to people.
pub(super) fn say(audience: &Audience, device: &str, text: &str) {
    let timestamp = Some(property::now().into());
    audience.tell(device, None, &Message::Message { device: Some(device.into()), timestamp, text: text.into() });
}

/// What is wrong, without the device's name, which clients show anyway.
fn sentence(error: &Error) -> String {
    error.message().to_owned()
}

/// Whether the device is connected, and what failed of what it was doing.
type Looked = (Presence, Vec<Failure>);

fn look(parts: &[Arc<dyn Part>], all: bool) -> Result<Looked> {
    let mut failures = Vec::new();
    let mut presence = Presence::Disconnected;
    for part in parts {
        match part.device().is_connected() {
            Ok(true) => {}
            Ok(false) => {
                part.forget();
                continue;
            }
            Err(error) => {
                part.forget();
                presence = Presence::Unknown(sentence(&error));
                continue;
            }
        }
        let looked = part.look(all).or_else(|error| match error.kind() {
            ErrorKind::NotConnected | ErrorKind::Unreachable => Err(error),
            // Why something has ended is told once; then it is as it is.
            _ => {
                let passing = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Busy | ErrorKind::Protocol);
                failures.push(Failure { property: part.main(), why: sentence(&error), passing });
                part.look(all)
            }
        });
        match looked {
            Ok(()) => presence = Presence::Connected,
            Err(error) if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::Unreachable) => part.forget(),
            Err(_) => presence = Presence::Connected,
        }
    }
    if let Presence::Unknown(why) = &presence {
        failures.push(Failure { property: CONNECTION, why: why.clone(), passing: true });
    }
    Ok((presence, failures))
}
