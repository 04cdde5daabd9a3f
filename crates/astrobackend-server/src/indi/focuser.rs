//! Focusers: `ABS_FOCUS_POSITION`, `REL_FOCUS_POSITION` with `FOCUS_MOTION`, `FOCUS_ABORT_MOTION`.

use super::{
    controls::{self, Settings},
    order::Order,
    part::{Done, Part},
    property::{MAIN, Property, With, busy_or, button, number, numbers, switch, switches},
};
use crate::lock;
use astrobackend::{
    Error, Result,
    device::{Device, DeviceId, Focuser, FocuserCaps, FocuserState},
    wire::indi::{Rule, State},
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

const POSITION: &str = "ABS_FOCUS_POSITION";
const STEPS: &str = "REL_FOCUS_POSITION";
const MOTION: &str = "FOCUS_MOTION";
const ABORT: &str = "FOCUS_ABORT_MOTION";
const SYNC: &str = "FOCUS_SYNC";

/// A focuser.
#[derive(Debug)]
pub(super) struct FocuserPart {
    id: DeviceId,
    focuser: Arc<dyn Focuser>,
    seen: Mutex<Option<Seen>>,
    /// Steps that are asked for go outward.
    outward: AtomicBool,
}

/// What was seen of it.
#[derive(Clone, Debug)]
struct Seen {
    caps: FocuserCaps,
    settings: Settings,
    state: FocuserState,
}

impl FocuserPart {
    pub(super) fn new(id: DeviceId, focuser: Arc<dyn Focuser>) -> Self {
        FocuserPart { id, focuser, seen: Mutex::default(), outward: AtomicBool::new(false) }
    }

    fn begin(&self, property: &'static str, begun: Result<()>) -> Result<Done> {
        begun.map(|()| Done::Begun(vec![(property, State::Busy)]))
    }
}

/// The place, whole steps.
fn steps(order: &Order, element: &str) -> Result<i32> {
    let steps = order.number(element).map(f64::round);
    let steps = steps.filter(|steps| (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(steps));
    steps.map(|steps| steps as i32).ok_or_else(|| Error::invalid(format!("{element} is no number of steps")))
}

impl Part for FocuserPart {
    fn id(&self) -> &DeviceId {
        &self.id
    }

    fn device(&self) -> &dyn Device {
        &*self.focuser
    }

    fn interface(&self) -> u32 {
        1 << 3
    }

    fn main(&self) -> &'static str {
        match lock(&self.seen).as_ref().is_none_or(|seen| seen.caps.absolute) {
            true => POSITION,
            false => STEPS,
        }
    }

    fn look(&self, all: bool) -> Result<()> {
        let before = lock(&self.seen).clone();
        let (caps, settings) = match before {
            Some(seen) if !all => (seen.caps, seen.settings),
            _ => (self.focuser.caps()?, controls::read(&*self.focuser)?),
        };
        let state = self.focuser.state()?;
        *lock(&self.seen) = Some(Seen { caps, settings, state });
        Ok(())
    }

    fn properties(&self) -> Vec<Property> {
        let Some(Seen { caps, settings, state }) = &*lock(&self.seen) else { return Vec::new() };
        let moving = busy_or(state.moving, State::Ok);
        let max = f64::from(caps.max_position);
        let mut all = Vec::new();
        if caps.absolute {
            let position = f64::from(state.position.unwrap_or(0));
            let element = number("FOCUS_ABSOLUTE_POSITION", "Steps", position, "%.f", (0.0, max, 1.0));
            all.push(numbers(POSITION, "Absolute position", MAIN, [element]).writable().state(moving));
        }
        let element = number("FOCUS_RELATIVE_POSITION", "Steps", 0.0, "%.f", (0.0, f64::from(caps.max_move), 1.0));
        all.push(numbers(STEPS, "Relative position", MAIN, [element]).writable().state(moving));
        let outward = self.outward.load(Ordering::Relaxed);
        let ways = [switch("FOCUS_INWARD", "Focus in", !outward), switch("FOCUS_OUTWARD", "Focus out", outward)];
        all.push(switches(MOTION, "Direction", MAIN, Rule::OneOfMany, ways).writable());
        if caps.halt {
            all.push(button(ABORT, "Abort motion", MAIN, "ABORT", "Abort"));
        }
        if caps.sync {
            let position = f64::from(state.position.unwrap_or(0));
            let element = number("FOCUS_SYNC_VALUE", "Steps", position, "%.f", (0.0, max, 1.0));
            all.push(numbers(SYNC, "Sync", MAIN, [element]).writable());
        }
        if let Some(temperature) = state.temperature {
            let element = number("TEMPERATURE", "Celsius", temperature.0, "%6.2f", (-50.0, 70.0, 0.0));
            all.push(numbers("FOCUS_TEMPERATURE", "Temperature", MAIN, [element]));
        }
        all.extend(controls::properties(settings));
        all
    }

    fn obey(&self, order: &Order, _now: &[Property]) -> Result<Done> {
        let Some(Seen { caps, settings, .. }) = lock(&self.seen).clone() else { return Err(Error::not_connected()) };
        match order.property.as_str() {
            POSITION => {
                let position = steps(order, "FOCUS_ABSOLUTE_POSITION")?;
                self.begin(POSITION, self.focuser.start_move(position))
            }
            STEPS => {
                let steps = steps(order, "FOCUS_RELATIVE_POSITION")?;
                let steps = if self.outward.load(Ordering::Relaxed) { steps } else { -steps };
                let main = if caps.absolute { vec![POSITION, STEPS] } else { vec![STEPS] };
                self.focuser.start_move_by(steps)?;
                Ok(Done::Begun(main.into_iter().map(|property| (property, State::Busy)).collect()))
            }
            MOTION => {
                self.outward.store(order.on() == Some("FOCUS_OUTWARD"), Ordering::Relaxed);
                Ok(Done::Begun(Vec::new()))
            }
            ABORT => {
                self.focuser.halt()?;
                Ok(Done::Begun(vec![(ABORT, State::Ok), (self.main(), State::Idle)]))
            }
            SYNC => self.focuser.sync(steps(order, "FOCUS_SYNC_VALUE")?).map(|()| Done::Set),
            _ => controls::obey(&*self.focuser, &settings, order),
        }
    }

    fn forget(&self) {
        *lock(&self.seen) = None;
    }
}
