//! Mounts: `EQUATORIAL_EOD_COORD` (or `EQUATORIAL_COORD`), `ON_COORD_SET`, `TELESCOPE_*`.

mod by_hand;
mod place;
mod pointing;
mod tracking;

use super::{
    controls::{self, Settings},
    guide::Pulses,
    order::Order,
    part::{Done, Part},
    property::{MAIN, Property, SITE, With, button, switch, switches},
};
use crate::lock;
use astrobackend::{
    Error, Result, Site,
    device::{Device, DeviceId, GuideRates, Mount, MountCaps, MountState},
    wire::indi::{Rule, State},
};
use pointing::Mode;
use std::sync::{Arc, Mutex};

/// What the stars do, in degrees per second; INDI's guide rates are fractions of it.
const SIDEREAL: f64 = 15.041_067 / 3600.0;

const PARK: &str = "TELESCOPE_PARK";
const PARK_OPTION: &str = "TELESCOPE_PARK_OPTION";
const HOME: &str = "TELESCOPE_HOME";

/// A mount.
#[derive(Debug)]
pub(super) struct MountPart {
    id: DeviceId,
    mount: Arc<dyn Mount>,
    seen: Mutex<Option<Seen>>,
    session: Mutex<Session>,
    pulses: Pulses,
}

/// What was seen of it.
#[derive(Clone, Debug)]
struct Seen {
    caps: Arc<MountCaps>,
    settings: Settings,
    site: Option<Site>,
    guide_rates: Option<GuideRates>,
    state: MountState,
}

/// What a motion is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Place,
    Direction,
    Park,
    Unpark,
    Home,
    Hand,
}

/// What clients have said, and the mount does not keep.
#[derive(Debug, Default)]
struct Session {
    mode: Mode,
    errand: Option<Errand>,
    ways: by_hand::Ways,
    speed: Option<usize>,
    choice: tracking::Choice,
    clock: place::Clock,
}

impl MountPart {
    pub(super) fn new(id: DeviceId, mount: Arc<dyn Mount>) -> Self {
        MountPart { id, mount, seen: Mutex::default(), session: Mutex::default(), pulses: Pulses::default() }
    }

    /// It is on its way: these properties are busy.
    fn begin(&self, errand: Option<Errand>, busy: &[&'static str]) -> Done {
        let Some(errand) = errand else { return Done::Begun(Vec::new()) };
        lock(&self.session).errand = Some(errand);
        Done::Begun(busy.iter().map(|property| (*property, State::Busy)).collect())
    }

    /// Stops it: what was under way did not end where it was to.
    fn abort(&self, seen: &Seen) -> Result<Done> {
        self.mount.abort()?;
        let mut session = lock(&self.session);
        session.ways = [0; 2];
        let mut states = vec![(pointing::ABORT, State::Ok)];
        if seen.state.slewing || session.errand.is_some() {
            states.push((pointing::equatorial(&seen.caps).0, State::Idle));
        }
        session.errand = None;
        Ok(Done::Begun(states))
    }

    fn drive(&self, seen: &Seen, order: &Order) -> Result<Done> {
        let (ways, speed) = {
            let session = lock(&self.session);
            (session.ways, session.speed.unwrap_or(usize::MAX))
        };
        let ways = by_hand::drive(&*self.mount, &seen.caps, ways, speed, order)?;
        let mut session = lock(&self.session);
        session.ways = ways;
        session.errand = Some(Errand::Hand).filter(|_| ways != [0; 2]);
        Ok(Done::Begun(Vec::new()))
    }

    fn track(&self, seen: &Seen, order: &Order) -> Result<Done> {
        let choice = lock(&self.session).choice;
        lock(&self.session).choice = tracking::obey(&*self.mount, seen.state.tracking, choice, order)?;
        Ok(Done::Begun(Vec::new()))
    }

    fn park(&self, seen: &Seen, order: &Order) -> Result<Done> {
        let (coordinates, _) = pointing::equatorial(&seen.caps);
        if order.on() == Some("PARK") {
            self.mount.start_park()?;
            return Ok(self.begin(Some(Errand::Park).filter(|_| !seen.state.parked), &[PARK, coordinates]));
        }
        self.mount.start_unpark()?;
        Ok(self.begin(Some(Errand::Unpark).filter(|_| seen.state.parked), &[PARK]))
    }

    /// Parking and home.
    fn rest(&self, seen: &Seen, errand: Option<Errand>) -> Vec<Property> {
        let Seen { caps, state, .. } = seen;
        let mut all = Vec::new();
        if caps.park {
            let parking = state.slewing && errand == Some(Errand::Park);
            let unparking = errand == Some(Errand::Unpark);
            let shown = match (parking || unparking, state.parked) {
                (true, _) => State::Busy,
                (false, true) => State::Ok,
                (false, false) => State::Idle,
            };
            let on = parking || state.parked && !unparking;
            let both = [switch("PARK", "Park", on), switch("UNPARK", "Unpark", !on)];
            all.push(switches(PARK, "Parking", MAIN, Rule::OneOfMany, both).writable().state(shown));
        }
        if caps.set_park {
            all.push(button(PARK_OPTION, "Park options", SITE, "PARK_CURRENT", "Park here"));
        }
        if caps.home {
            let shown = match (state.slewing && errand == Some(Errand::Home), state.at_home) {
                (true, _) => State::Busy,
                (false, true) => State::Ok,
                (false, false) => State::Idle,
            };
            let both = [switch("FIND", "Find", false), switch("GO", "Go", false)];
            all.push(switches(HOME, "Home", MAIN, Rule::AtMostOne, both).writable().state(shown));
        }
        all
    }
}

impl Part for MountPart {
    fn id(&self) -> &DeviceId {
        &self.id
    }

    fn device(&self) -> &dyn Device {
        &*self.mount
    }

    fn interface(&self) -> u32 {
        let guides = lock(&self.seen).as_ref().is_some_and(|seen| seen.caps.pulse_guide);
        1 | u32::from(guides) << 2
    }

    fn main(&self) -> &'static str {
        lock(&self.seen).as_ref().map_or(pointing::OF_DATE, |seen| pointing::equatorial(&seen.caps).0)
    }

    fn turns(&self) -> bool {
        true
    }

    fn look(&self, all: bool) -> Result<()> {
        let before = lock(&self.seen).clone();
        let (caps, settings, site, guide_rates) = match before {
            Some(seen) if !all => (seen.caps, seen.settings, seen.site, seen.guide_rates),
            _ => {
                let settings = controls::read(&*self.mount)?;
                (self.mount.caps()?, settings, self.mount.site()?, self.mount.guide_rates()?)
            }
        };
        let state = self.mount.state()?;
        let mut session = lock(&self.session);
        session.choice.follow(state.tracking);
        let unparking = session.errand == Some(Errand::Unpark) && state.parked;
        if !state.slewing && !unparking {
            session.errand = None;
            session.ways = [0; 2];
        }
        drop(session);
        *lock(&self.seen) = Some(Seen { caps, settings, site, guide_rates, state });
        Ok(())
    }

    fn properties(&self) -> Vec<Property> {
        let Some(seen) = lock(&self.seen).clone() else { return Vec::new() };
        let mut session = lock(&self.session);
        let speed = session.speed.unwrap_or(usize::MAX);
        let mut all = pointing::properties(&seen, session.errand, session.mode);
        all.extend(self.rest(&seen, session.errand));
        all.extend(tracking::properties(&seen.caps, seen.state.tracking, session.choice));
        all.extend(by_hand::properties(&seen.caps, session.ways, speed));
        all.extend(place::properties(&seen, &mut session.clock));
        if seen.caps.pulse_guide {
            all.extend(self.pulses.properties(seen.state.pulse_guiding));
        }
        all.extend(controls::properties(&seen.settings));
        all
    }

    fn obey(&self, order: &Order, now: &[Property]) -> Result<Done> {
        let Some(seen) = lock(&self.seen).clone() else { return Err(Error::not_connected()) };
        let mount = &*self.mount;
        let (coordinates, _) = pointing::equatorial(&seen.caps);
        match order.property.as_str() {
            pointing::OF_DATE | pointing::J2000 => {
                let mode = lock(&self.session).mode;
                Ok(self.begin(pointing::go(mount, &seen, mode, order)?, &[coordinates]))
            }
            pointing::HORIZONTAL => Ok(self.begin(pointing::turn(mount, order)?, &[pointing::HORIZONTAL, coordinates])),
            pointing::ON_COORD_SET => {
                lock(&self.session).mode = Mode::named(order.on());
                Ok(Done::Begun(Vec::new()))
            }
            pointing::ABORT => self.abort(&seen),
            PARK => self.park(&seen, order),
            PARK_OPTION => mount.set_park().map(|()| Done::Begun(vec![(PARK_OPTION, State::Ok)])),
            HOME => {
                mount.start_home()?;
                Ok(self.begin(Some(Errand::Home), &[HOME, coordinates]))
            }
            tracking::TRACK | tracking::MODE | tracking::RATE => self.track(&seen, order),
            by_hand::NS | by_hand::WE => self.drive(&seen, order),
            by_hand::RATE => {
                lock(&self.session).speed = Some(by_hand::choose(&seen.caps, order)?);
                Ok(Done::Begun(Vec::new()))
            }
            place::GEOGRAPHIC => place::set_site(mount, order, now).map(|()| Done::Set),
            place::TIME => {
                lock(&self.session).clock.forget();
                place::set_time(mount, order).map(|()| Done::Set)
            }
            place::GUIDE_RATE => place::set_guide_rates(mount, order, now).map(|()| Done::Set),
            _ => {
                let pulsed = self.pulses.obey(order, |direction, length| mount.pulse_guide(direction, length));
                pulsed.unwrap_or_else(|| controls::obey(mount, &seen.settings, order))
            }
        }
    }

    fn forget(&self) {
        *lock(&self.seen) = None;
        *lock(&self.session) = Session::default();
    }
}
