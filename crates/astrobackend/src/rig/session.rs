//! The devices of one piece of work, opened by role, name or address and connected when first used.

use super::{Rig, usual_roles};
use crate::{
    Address, Backend, Error, ErrorKind, Framework, Result, Wait,
    backend::{BACKEND_VARIABLE, chosen_backend, default_backend},
    device::{AnyDevice, Camera, DeviceId, DeviceInfo, DeviceKind, FilterWheel, Focuser, Mount},
    sync::lock,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

/// A device of a session.
#[derive(Clone, Debug)]
pub struct Member {
    /// The role that the rig gives it.
    pub role: Option<String>,
    /// What it is; no I/O was made for more than the backend told.
    pub info: DeviceInfo,
    pub(super) backend: Arc<dyn Backend>,
}

impl Member {
    /// The device itself, connected or not.
    ///
    /// # Errors
    /// As [`Backend::device`].
    pub fn device(&self) -> Result<AnyDevice> {
        self.backend.device(&self.info.id)
    }

    /// The backend that it belongs to.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    pub(super) fn id(&self) -> &DeviceId {
        &self.info.id
    }

    fn is(&self, other: &Member) -> bool {
        self.info.id == other.info.id && self.backend.address() == other.backend.address()
    }
}

/// The devices of one piece of work: a backend, a rig, or both.
///
/// Backends are opened when first needed, each address once, so that all devices of a simulator share
/// one world and all devices of a server one connection. Devices are connected when first asked for
/// and stay so: other programs may use them.
///
/// A device is named by its role in the rig (`@main`), its name (`CCD Simulator`) or its whole address
/// (`indi://pi:7624/CCD Simulator`). Without a name it is the one that [`Session::with_devices`] names, the
/// rig's, or the only one of its kind.
///
/// ```
/// # fn main() -> astrobackend::Result<()> {
/// use astrobackend::{Wait, device::FocuserExt, rig::Session};
/// use std::time::Duration;
/// let session = Session::new().with_backend("sim://?speed=100");
/// let focuser = session.focuser(None)?;
/// focuser.start_move(20_000)?;
/// let stood = session.wait_on_focuser(&*focuser, Some(20_000), &Wait::new(Duration::from_secs(60)))?;
/// assert_eq!(stood, Some(20_000));
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Session {
    backend: Option<String>,
    devices: Vec<String>,
    rig: Rig,
    open: Mutex<Vec<(Address, Arc<dyn Backend>)>>,
    members: Mutex<Vec<Member>>,
}

macro_rules! of_kind {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $trait:ident) => {
        $(#[$doc])*
        /// found as [`Session`] says, and connected.
        ///
        /// # Errors
        /// `NotFound` without one; `InvalidValue` when there are several and none is named; what connecting fails with.
        pub fn $name(&self, name: Option<&str>) -> Result<Arc<dyn $trait>> {
            match self.connected(DeviceKind::$variant, name)? {
                AnyDevice::$variant(device) => Ok(device),
                other => Err(Error::protocol(format!("{other:?} was given for a {}", DeviceKind::$variant))),
            }
        }
    };
}

impl Session {
    /// On the default backend of the system, see [`default_backend`].
    pub fn new() -> Self {
        Session::default()
    }

    /// On a backend, by address or name; opened when first needed.
    #[must_use]
    pub fn with_backend(mut self, backend: impl Into<String>) -> Self {
        self.backend = Some(backend.into());
        self
    }

    /// With a rig: its roles, its site and optics, and its devices unless a backend is named too.
    #[must_use]
    pub fn with_rig(mut self, rig: Rig) -> Self {
        self.rig = rig;
        self
    }

    /// With devices that are preferred to others of their kind, by role, name or address; without any other
    /// backend, the one of the first whole address is used for the other kinds too.
    #[must_use]
    pub fn with_devices<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.devices.extend(names.into_iter().map(Into::into));
        self
    }

    /// The rig; empty without one.
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    of_kind!(
        /// A camera,
        camera, Camera, Camera
    );
    of_kind!(
        /// A filter wheel,
        filter_wheel, FilterWheel, FilterWheel
    );
    of_kind!(
        /// A focuser,
        focuser, Focuser, Focuser
    );
    of_kind!(
        /// A mount,
        mount, Mount, Mount
    );

    /// A device of a kind, found as [`Session`] says, and connected.
    ///
    /// # Errors
    /// `NotFound` without one; `InvalidValue` when there are several and none is named; what connecting fails with.
    pub fn connected(&self, kind: DeviceKind, name: Option<&str>) -> Result<AnyDevice> {
        self.join(self.find(kind, name)?)
    }

    /// A device of a kind, found as [`Session`] says; it is not connected by this.
    ///
    /// # Errors
    /// `NotFound` without one; `InvalidValue` when there are several and none is named.
    pub fn find(&self, kind: DeviceKind, name: Option<&str>) -> Result<Member> {
        if let Some(name) = name {
            let named = self.named(name)?;
            let kinds: Vec<_> = named.iter().map(|member| member.id().kind.to_string()).collect();
            let wrong = || Error::not_found(format!("{name} is no {kind} but a {}", kinds.join(" and a ")));
            return one_of(kind, named).transpose().unwrap_or_else(|| Err(wrong()));
        }
        for name in &self.devices {
            if let Some(member) = one_of(kind, self.named(name)?)? {
                return Ok(member);
            }
        }
        self.only(kind)
    }

    /// All devices whose role, name or address this is; one name may stand for devices of several kinds.
    ///
    /// # Errors
    /// `NotFound` without any, naming what there is.
    pub fn named(&self, name: &str) -> Result<Vec<Member>> {
        if name.starts_with('@') {
            return self.at(self.rig.role(name)?);
        }
        if let Some(address) = as_address(name) {
            return self.at(&address?);
        }
        let all = self.all()?;
        let exact: Vec<_> = all.iter().filter(|member| member.id().name == name).cloned().collect();
        if !exact.is_empty() {
            return Ok(exact);
        }
        let loose = |member: &&Member| member.id().name.eq_ignore_ascii_case(name);
        let found: Vec<_> = all.iter().filter(loose).cloned().collect();
        if found.is_empty() { Err(no_device(name, &all)) } else { Ok(found) }
    }

    /// All devices: those of the rig's roles, or all that the backend has.
    ///
    /// # Errors
    /// What opening fails with; see [`Session::reachable`] for the devices that can be reached nevertheless.
    pub fn all(&self) -> Result<Vec<Member>> {
        let (members, mut errors) = self.reachable();
        if errors.is_empty() { Ok(members) } else { Err(errors.swap_remove(0)) }
    }

    /// The devices of [`Session::all`] that can be reached, and why the others cannot.
    pub fn reachable(&self) -> (Vec<Member>, Vec<Error>) {
        let found: Vec<Result<Vec<Member>>> = match self.uses_rig() {
            true => self.rig.devices.values().map(|address| self.at(address)).collect(),
            false => vec![self.backend().and_then(|backend| self.members_of(&backend))],
        };
        let (mut members, mut errors) = (Vec::new(), Vec::new());
        for result in found {
            match result {
                Ok(more) => members.extend(more),
                Err(error) => errors.push(error),
            }
        }
        (members, errors)
    }

    /// The backends of this session, opened: the one named, or those of the rig's roles, or the default one.
    ///
    /// # Errors
    /// As [`open`](crate::open).
    pub fn backends(&self) -> Result<Vec<Arc<dyn Backend>>> {
        if !self.uses_rig() {
            return Ok(vec![self.backend()?]);
        }
        let mut backends: Vec<Arc<dyn Backend>> = Vec::new();
        for address in self.rig.devices.values() {
            let backend = self.server(address)?;
            if !backends.iter().any(|known| Arc::ptr_eq(known, &backend)) {
                backends.push(backend);
            }
        }
        Ok(backends)
    }

    /// Waits until the focuser says itself that it stands, and gives its position; halts it on timeout and cancel.
    ///
    /// With a position it must also stand there, to one step.
    ///
    /// # Errors
    /// `Timeout`, `Cancelled`, what the focuser reports, or `Device` if it stands somewhere else.
    pub fn wait_on_focuser(&self, focuser: &dyn Focuser, position: Option<i32>, wait: &Wait) -> Result<Option<i32>> {
        let look = || {
            let state = focuser.state()?;
            Ok((!state.moving).then_some(state.position))
        };
        let halt = || match focuser.halt() {
            Err(error) if error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(()),
        };
        let stood = wait.until("the move", look, halt).map_err(|error| error.on(focuser.info().id))?;
        match (position, stood) {
            (Some(wanted), Some(place)) if wanted.abs_diff(place) > 1 => {
                let message = format!("stands at {place} instead of {wanted}");
                Err(Error::new(ErrorKind::Device(0), message).on(focuser.info().id))
            }
            _ => Ok(stood),
        }
    }

    /// The devices that were asked for so far.
    pub(super) fn members(&self) -> Vec<Member> {
        lock(&self.members).clone()
    }

    /// Connects a device that was found and makes it part of the session: pictures tell of it from then on.
    ///
    /// # Errors
    /// What connecting fails with.
    pub fn join(&self, member: Member) -> Result<AnyDevice> {
        let device = member.device()?;
        device.device().connect()?;
        let mut members = lock(&self.members);
        if !members.iter().any(|known| known.is(&member)) {
            members.push(member);
        }
        Ok(device)
    }

    /// The devices at an address: the one that it names, or all of its server.
    pub(super) fn at(&self, address: &Address) -> Result<Vec<Member>> {
        let backend = self.server(address)?;
        let all = self.members_of(&backend)?;
        let path = address.path();
        if path.is_empty() || backend.address().path() == path {
            return Ok(all);
        }
        let is_named = |member: &&Member| member.id().name == path || member.info.address.path() == path;
        let found: Vec<_> = all.iter().filter(is_named).cloned().collect();
        if found.is_empty() { Err(no_device(path, &all).on(backend)) } else { Ok(found) }
    }

    fn uses_rig(&self) -> bool {
        self.backend.is_none() && !self.rig.devices.is_empty()
    }

    fn only(&self, kind: DeviceKind) -> Result<Member> {
        if !self.uses_rig() {
            let backend = self.backend()?;
            let id = backend.only(kind)?;
            let all = self.members_of(&backend)?;
            return one_of(kind, all.into_iter().filter(|member| *member.id() == id).collect())?
                .ok_or_else(|| Error::not_found(format!("{backend} has no {kind}")));
        }
        let usual = usual_roles(kind).iter().find_map(|role| self.rig.devices.get(*role));
        let candidates = match usual {
            Some(address) => self.at(address)?,
            None => self.all()?,
        };
        one_of(kind, candidates)?.ok_or_else(|| Error::not_found(format!("the rig has no {kind}")))
    }

    /// The backend that is named, or the one of a device that is named by its whole address, or the default one.
    fn backend(&self) -> Result<Arc<dyn Backend>> {
        if let Some(backend) = &self.backend {
            return self.opened(backend.parse()?);
        }
        match self.devices.iter().find_map(|name| as_address(name)) {
            Some(address) => self.server(&address?),
            None => self.default_backend(),
        }
    }

    fn default_backend(&self) -> Result<Arc<dyn Backend>> {
        let opened = default_backend().parse().and_then(|address| self.opened(address));
        match chosen_backend() {
            // Nobody looks for a typo where the error does not point to.
            Some(name) => opened.map_err(|error| {
                Error::new(error.kind(), format!("{BACKEND_VARIABLE}={name}: {error}")).caused_by(error)
            }),
            None => opened,
        }
    }

    /// The server that a device's address belongs to.
    fn server(&self, address: &Address) -> Result<Arc<dyn Backend>> {
        self.opened(server_of(address))
    }

    fn opened(&self, address: Address) -> Result<Arc<dyn Backend>> {
        let mut open = lock(&self.open);
        if let Some((_, backend)) = open.iter().find(|(known, _)| *known == address) {
            return Ok(backend.clone());
        }
        let backend = Framework::find(address.scheme())?.open(&address)?;
        open.push((address, backend.clone()));
        Ok(backend)
    }

    fn members_of(&self, backend: &Arc<dyn Backend>) -> Result<Vec<Member>> {
        let member = |info: DeviceInfo| Member { role: self.role_of(backend, &info), info, backend: backend.clone() };
        Ok(backend.devices()?.into_iter().map(member).collect())
    }

    fn role_of(&self, backend: &Arc<dyn Backend>, info: &DeviceInfo) -> Option<String> {
        let is_it = |address: &Address| {
            server_of(address) == server_of(backend.address())
                && (address.path() == info.id.name || address.path() == info.address.path())
        };
        self.rig.devices.iter().find(|(_, address)| is_it(address)).map(|(role, _)| role.clone())
    }
}

/// The address without the device.
fn server_of(address: &Address) -> Address {
    address.clone().with_path("")
}

/// The address that a text means, or `None` when it is only a name: a name may have a colon too.
fn as_address(text: &str) -> Option<Result<Address>> {
    let (scheme, rest) = text.split_once(':')?;
    let parsed = text.parse::<Address>();
    let known = parsed.as_ref().is_ok_and(|address| Framework::find(address.scheme()).is_ok());
    (rest.starts_with("//") || known || Framework::find(scheme).is_ok()).then_some(parsed)
}

/// The one of a kind among several; `None` without one.
fn one_of(kind: DeviceKind, members: Vec<Member>) -> Result<Option<Member>> {
    let mut of_kind: Vec<_> = members.into_iter().filter(|member| member.id().kind == kind).collect();
    if of_kind.len() > 1 {
        let names: Vec<_> = of_kind.iter().map(name_for_people).collect();
        return Err(Error::invalid(format!("there are several {kind}s, name one of {}", names.join(", "))));
    }
    Ok(of_kind.pop())
}

fn name_for_people(member: &Member) -> String {
    match &member.role {
        Some(role) => format!("@{role}"),
        None => format!("{:?}", member.id().name),
    }
}

fn no_device(name: &str, there: &[Member]) -> Error {
    let mut names: Vec<_> = there.iter().map(name_for_people).collect();
    // One driver may be a camera and a wheel.
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let there = if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", names.join(", ")) };
    Error::not_found(format!("there is no device {name:?}; {there}"))
}
