//! What all devices have in common: their members, read and changed by name, and what is known about them.

use super::{
    carrier::{Arguments, Carrier},
    command::{Command, Work},
    extras::{self, Extras},
    values::{FromValue, Values},
};
use crate::{
    Error, ErrorKind, Result, Timestamp, Wait,
    backend::keeping::Claim,
    device::{Age, DeviceId, DeviceInfo, DeviceKind, Reply, ReplyKind},
    event::{Event, EventKind, Hub},
    sync::lock,
    wire::alpaca::extensions,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Drivers from before Platform 7 may answer a command only when it is done, which takes this long at most.
const SLOWEST_COMMAND: Duration = Duration::from_secs(900);

/// The member that says whether a device is connected, and what `IFocuser`'s first version has instead.
const CONNECTED: &str = "connected";
const LINK: &str = "link";

/// Between two looks at a device that connects.
const POLL: Duration = Duration::from_millis(50);

/// A device whose members are carried.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) carrier: Arc<dyn Carrier>,
    pub(super) id: DeviceId,
    hub: Arc<Hub>,
    info: Mutex<DeviceInfo>,
    /// Members that the device does not have, as it said.
    absent: Mutex<BTreeSet<&'static str>>,
    /// Members that its `DeviceState` leaves out.
    left_out: Mutex<BTreeSet<&'static str>>,
    common: Remembered<Common>,
    /// Grows whenever what is known may have become wrong: it is connected, disconnected, or found disconnected.
    resets: Arc<AtomicU64>,
    /// We have disconnected from a device that others go on using.
    left: AtomicBool,
    command: Arc<Command>,
    /// When its state was read last.
    looked: Mutex<Option<Instant>>,
    /// What was done to it from here.
    pub(super) claim: Arc<Claim>,
}

/// What is asked of every connected device.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) version: u16,
    pub(super) extras: Extras,
}

/// Something read once and kept while the device stays connected and the server stays there.
#[derive(Debug)]
pub(super) struct Remembered<T>(Mutex<Option<(u64, Arc<T>)>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Remembered(Mutex::new(None))
    }
}

impl<T> Remembered<T> {
    /// What is known, or else what `read` finds.
    pub(super) fn get(&self, handle: &Handle, read: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        handle.refuse_when_left()?;
        let now = handle.epoch();
        if let Some((then, known)) = &*lock(&self.0)
            && *then == now
        {
            return Ok(known.clone());
        }
        let known = Arc::new(read()?);
        *lock(&self.0) = Some((now, known.clone()));
        Ok(known)
    }

    /// Forgets it.
    pub(super) fn forget(&self) {
        *lock(&self.0) = None;
    }
}

/// The first version of each kind's interface that Platform 7 brought.
fn platform_7(kind: DeviceKind) -> u16 {
    match kind {
        DeviceKind::Camera | DeviceKind::Focuser | DeviceKind::Mount => 4,
        DeviceKind::FilterWheel => 3,
    }
}

impl Handle {
    pub(super) fn new(carrier: Arc<dyn Carrier>, hub: Arc<Hub>, info: DeviceInfo, claim: Arc<Claim>) -> Self {
        Handle {
            id: info.id.clone(),
            command: Arc::new(Command::new(carrier.limit())),
            carrier,
            hub,
            info: Mutex::new(info),
            absent: Mutex::default(),
            left_out: Mutex::default(),
            common: Remembered::default(),
            resets: Arc::default(),
            left: AtomicBool::new(false),
            looked: Mutex::default(),
            claim,
        }
    }

    pub(super) fn info(&self) -> DeviceInfo {
        lock(&self.info).clone()
    }

    /// The error, with the device's name.
    pub(super) fn name(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::NotConnected {
            self.reset();
            self.claim.doubt();
        }
        error.on(&self.id)
    }

    pub(super) fn fail<T>(&self, error: Error) -> Result<T> {
        Err(self.name(error))
    }

    fn epoch(&self) -> u64 {
        self.carrier.losses() + self.resets.load(Ordering::Relaxed)
    }

    /// Changes whenever the device is connected, disconnected, or found disconnected.
    pub(super) fn resets(&self) -> Arc<AtomicU64> {
        self.resets.clone()
    }

    fn reset(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
        lock(&self.absent).clear();
        lock(&self.left_out).clear();
    }

    fn refuse_when_left(&self) -> Result<()> {
        self.claim.check()?;
        if self.left.load(Ordering::Relaxed) { Err(Error::not_connected().on(&self.id)) } else { Ok(()) }
    }

    /// The command that is all that the driver can do now: nothing of it can be read.
    pub(super) fn deaf(&self) -> Option<&'static str> {
        if self.carrier.is_serial() { self.command.doing() } else { None }
    }

    /// Fails at once where an answer would come only after a command that takes its time.
    fn refuse_when_deaf(&self) -> Result<()> {
        match self.deaf() {
            Some(member) => self.fail(Error::new(ErrorKind::Busy, format!("answers nothing until {member} is done"))),
            None => Ok(()),
        }
    }

    /// What is asked of every device, which must be connected.
    pub(super) fn common(&self) -> Result<Arc<Common>> {
        self.common.get(self, || {
            if !self.is_connected()? {
                return self.fail(Error::not_connected());
            }
            let asked = ["interfaceversion", "description", "driverinfo", "driverversion", "supportedactions"];
            let values = self.values(&asked)?;
            let version = values.maybe::<i64>("interfaceversion")?.and_then(|version| u16::try_from(version).ok());
            {
                let mut info = lock(&self.info);
                info.interface_version = version;
                info.description = values.maybe("description")?;
                info.driver = values.maybe("driverinfo")?;
                info.driver_version = values.maybe("driverversion")?;
            }
            let actions = values.maybe::<Vec<String>>("supportedactions")?.unwrap_or_default();
            Ok(Common { version: version.unwrap_or(1), extras: extras::read(self, actions)? })
        })
    }

    /// True when starting something returns at once, and `DeviceState` tells a state in one go.
    fn is_modern(&self) -> Result<bool> {
        Ok(self.common()?.version >= platform_7(self.id.kind))
    }

    /// Reads a member.
    pub(super) fn get<T: FromValue>(&self, member: &'static str) -> Result<T> {
        self.get_with(member, Arguments::new())
    }

    /// Reads a member that takes parameters.
    pub(super) fn get_with<T: FromValue>(&self, member: &'static str, arguments: Arguments) -> Result<T> {
        self.refuse_when_left()?;
        self.refuse_when_deaf()?;
        let value = self.carrier.get(member, &arguments).map_err(|error| self.name(error))?;
        T::read(&value).ok_or_else(|| self.name(no_sense(member, &value)))
    }

    /// Reads several members, those that the device is known not to have excepted.
    pub(super) fn values(&self, members: &[&'static str]) -> Result<Values> {
        let wanted = members.iter().map(|member| (*member, *member, Arguments::new()));
        self.read_all(wanted.collect())
    }

    /// Reads several members that take parameters: for each a name of its own, the member, and the parameters.
    pub(super) fn read_all(&self, wanted: Vec<(&'static str, &'static str, Arguments)>) -> Result<Values> {
        self.refuse_when_left()?;
        self.refuse_when_deaf()?;
        let wanted: Vec<_> = {
            let absent = lock(&self.absent);
            wanted.into_iter().filter(|(name, ..)| !absent.contains(name)).collect()
        };
        let asked: Vec<_> = wanted.iter().map(|(_, member, arguments)| (*member, arguments.clone())).collect();
        let mut values = Values::of(self.id.clone());
        for ((name, ..), value) in wanted.into_iter().zip(self.carrier.get_many(&asked)) {
            // A server without a member answers 400 to it, or says that it is not implemented.
            let refused = value.as_ref().err().map(Error::kind);
            if matches!(refused, Some(ErrorKind::Unsupported | ErrorKind::InvalidValue)) {
                lock(&self.absent).insert(name);
                continue;
            }
            values.insert(name, value.map_err(|error| self.name(error)));
        }
        Ok(values)
    }

    /// Reads a state: what `DeviceState` has in one request, the rest, and `others`, at the same time.
    pub(super) fn look(&self, state: &[&'static str], others: &[&'static str]) -> Result<Values> {
        const STATE: &str = "devicestate";
        *lock(&self.looked) = Some(Instant::now());
        let in_one_go = self.is_modern()? && !lock(&self.absent).contains(STATE);
        if !in_one_go {
            return self.values(&[state, others].concat());
        }
        let singly: Vec<_> = lock(&self.left_out).iter().copied().filter(|member| state.contains(member)).collect();
        let mut values = self.values(&[&singly[..], &[STATE], others].concat())?;
        // A server that does not answer is not asked for each member.
        values.take_state(STATE)?;
        let missing: Vec<_> =
            state.iter().copied().filter(|member| !values.has(member) && !singly.contains(member)).collect();
        {
            let mut left_out = lock(&self.left_out);
            left_out.retain(|member| !values.is_in_state(member));
            left_out.extend(&missing);
        }
        if !missing.is_empty() {
            values.extend(self.values(&missing)?);
        }
        Ok(values)
    }

    /// How old a state is that is remembered, since the driver answers nothing now.
    pub(super) fn since_told(&self) -> Age {
        lock(&self.looked).map_or(Age::NOW, |at| at.elapsed().into())
    }

    /// Changes something.
    pub(super) fn put(&self, member: &'static str, arguments: Arguments) -> Result<()> {
        self.put_for(member, arguments).map(drop)
    }

    /// Changes something that answers a value.
    pub(super) fn put_for(&self, member: &'static str, arguments: Arguments) -> Result<Value> {
        self.refuse_when_left()?;
        self.refuse_when_deaf()?;
        self.carrier.put(member, &arguments, self.carrier.limit()).map_err(|error| self.name(error))
    }

    /// Starts something that takes its time. Where the driver answers only when it is done, that is waited for
    /// elsewhere; see [`Handle::work`].
    pub(super) fn start(&self, member: &'static str, arguments: Arguments) -> Result<()> {
        if self.is_modern()? {
            return self.put(member, arguments);
        }
        // What an earlier one came to is told first.
        self.work()?;
        if let Err(busy) = self.command.begin(member) {
            return self.fail(Error::new(ErrorKind::Busy, format!("has not finished the last command, {busy}")));
        }
        let (carrier, id, command) = (self.carrier.clone(), self.id.clone(), self.command.clone());
        let work = move || {
            let done = carrier.put(member, &arguments, SLOWEST_COMMAND);
            command.finish(done.map(drop).map_err(|error| error.on(id)));
        };
        let thread = std::thread::Builder::new().name("astrobackend-command".into()).spawn(work);
        if let Err(why) = thread {
            self.command.finish(Ok(()));
            return self.fail(Error::io("starting a thread", why));
        }
        self.command.early().unwrap_or(Ok(())).map_err(|error| self.name(error))
    }

    /// The member that an old driver has not answered yet.
    ///
    /// # Errors
    /// The last command's failure, once.
    pub(super) fn work(&self) -> Result<Option<&'static str>> {
        match self.command.work() {
            Work::Idle => Ok(None),
            Work::Doing(member) => Ok(Some(member)),
            Work::Failed(_, error) => Err(error),
        }
    }

    /// The same, the failure with its member.
    pub(super) fn work_or_failure(&self) -> Work {
        self.command.work()
    }

    /// Connects the device to its hardware.
    pub(super) fn connect(&self) -> Result<()> {
        self.left.store(false, Ordering::Relaxed);
        self.claim.await_release(self.carrier.limit());
        if self.is_connected()? {
            self.claim.take();
            if !self.claim.is_keeper() {
                self.claim.note_connected(true);
            }
            return Ok(());
        }
        self.reset();
        self.switch(true)?;
        if !self.is_connected()? {
            return self.fail(Error::new(ErrorKind::Device(0), "the driver says neither why nor that it is connected"));
        }
        self.reset();
        self.claim.take();
        self.note_connected(true);
        Ok(())
    }

    /// Tells listeners, unless they know; of a device that is brought back the keeper tells.
    fn note_connected(&self, connected: bool) {
        if !self.claim.is_keeper() && self.claim.note_connected(connected) {
            self.publish(EventKind::Connected(connected));
        }
    }

    /// Connects or disconnects: as Platform 7 does it where the driver can, else as all do.
    fn switch(&self, on: bool) -> Result<()> {
        let version = self.values(&["interfaceversion"])?.maybe::<i64>("interfaceversion")?.unwrap_or(1);
        if version >= i64::from(platform_7(self.id.kind)) {
            match self.put(if on { "connect" } else { "disconnect" }, Arguments::new()) {
                Ok(()) => return self.wait_while_connecting(),
                Err(error) if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidValue) => {}
                Err(error) => return Err(error),
            }
        }
        match self.put(CONNECTED, Arguments::new().with("Connected", on)) {
            Err(error) if self.has_link(&error) => self.put(LINK, Arguments::new().with("Link", on)),
            done => done,
        }
    }

    /// True when the failure may be that of a driver of `IFocuser`'s first version.
    fn has_link(&self, error: &Error) -> bool {
        self.id.kind == DeviceKind::Focuser && self.carrier.is_serial() && error.kind() == ErrorKind::Unsupported
    }

    fn wait_while_connecting(&self) -> Result<()> {
        let look = || Ok((!self.get::<bool>("connecting")?).then_some(()));
        let wait = Wait::new(self.carrier.limit()).every(POLL);
        wait.until("connecting or disconnecting", look, || Ok(())).map_err(|error| self.name(error))
    }

    /// Disconnects it, for all its users unless it is shared.
    pub(super) fn disconnect(&self) -> Result<()> {
        self.claim.let_go();
        if self.carrier.is_shared() {
            self.left.store(true, Ordering::Relaxed);
            self.note_connected(false);
            return Ok(());
        }
        if self.is_connected()? {
            self.switch(false)?;
            self.note_connected(false);
        }
        self.reset();
        Ok(())
    }

    pub(super) fn is_connected(&self) -> Result<bool> {
        if self.left.load(Ordering::Relaxed) || self.claim.is_away()? {
            return Ok(false);
        }
        match self.get(CONNECTED) {
            // The first focusers have another name for it.
            Err(error) if self.has_link(&error) => self.get(LINK),
            connected => connected,
        }
    }

    pub(super) fn publish(&self, kind: EventKind) {
        self.hub.publish(&Event { at: Timestamp::now(), device: Some(self.id.clone()), kind });
    }

    /// The device's own actions, without those that this client uses by itself.
    pub(super) fn actions(&self) -> Result<Vec<String>> {
        let actions = self.get::<Vec<String>>("supportedactions");
        match actions {
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Vec::new()),
            actions => Ok(actions?.into_iter().filter(|name| !is_extension(name)).collect()),
        }
    }

    /// Does an action.
    pub(super) fn action(&self, name: &str, parameters: &str) -> Result<String> {
        let arguments = Arguments::new().with("Action", name).with("Parameters", parameters);
        match self.put_for("action", arguments) {
            Ok(value) => Ok(String::read(&value).unwrap_or_default()),
            // A server that knows no actions, or no better number.
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let message = format!("has no action {name:?}");
                self.fail(Error::new(ErrorKind::UnknownAction, message).caused_by(error))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn command(&self, command: &str, raw: bool, reply: ReplyKind) -> Result<Reply> {
        let arguments = Arguments::new().with("Command", command).with("Raw", raw);
        let answer = |member| self.put_for(member, arguments);
        match reply {
            ReplyKind::None => answer("commandblind").map(|_| Reply::None),
            ReplyKind::Bool => answer("commandbool").and_then(|value| {
                bool::read(&value).map(Reply::Bool).ok_or_else(|| self.name(no_sense("commandbool", &value)))
            }),
            ReplyKind::Text => {
                answer("commandstring").map(|value| Reply::Text(String::read(&value).unwrap_or_default()))
            }
        }
    }
}

fn is_extension(name: &str) -> bool {
    use extensions::*;
    [DESCRIBE, SETTINGS, SETTING, SET_SETTING, PICTURE_META, SYNC_POSITION, SET_NAMES].contains(&name)
}

/// A value that the member cannot have.
pub(super) fn no_sense(member: &str, value: &Value) -> Error {
    let text: String = value.to_string().chars().take(80).collect();
    Error::protocol(format!("answered {text} for {member}"))
}

/// Implements [`Device`](crate::device::Device) for a type with a `handle`, and with `settings` and `prepare`.
macro_rules! impl_device {
    ($type:ident) => {
        impl crate::device::Device for $type {
            fn info(&self) -> crate::device::DeviceInfo {
                self.handle.info()
            }
            fn connect(&self) -> crate::Result<()> {
                self.handle.connect()?;
                self.prepare()
            }
            fn disconnect(&self) -> crate::Result<()> {
                self.handle.disconnect()
            }
            fn is_connected(&self) -> crate::Result<bool> {
                self.handle.is_connected()
            }
            fn actions(&self) -> crate::Result<Vec<String>> {
                self.handle.actions()
            }
            fn action(&self, name: &str, parameters: &str) -> crate::Result<String> {
                self.handle.action(name, parameters)
            }
            fn command(
                &self,
                command: &str,
                raw: bool,
                reply: crate::device::ReplyKind,
            ) -> crate::Result<crate::device::Reply> {
                self.handle.command(command, raw, reply)
            }
            fn controls(&self) -> crate::Result<Vec<crate::device::ControlInfo>> {
                crate::backend::interfaces::controls::list(&self.handle, &self.settings, || self.ascom_settings())
            }
            fn control(&self, control: crate::device::Control) -> crate::Result<f64> {
                crate::backend::interfaces::controls::get(&self.handle, &self.settings, control, || {
                    self.ascom_settings()
                })
            }
            fn set_control(&self, control: crate::device::Control, value: f64) -> crate::Result<()> {
                crate::backend::interfaces::controls::set(&self.handle, &self.settings, control, value, || {
                    self.ascom_settings()
                })
            }
        }
    };
}

pub(super) use impl_device;
