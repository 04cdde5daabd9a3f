//! News for listeners: nothing pushes here, so the devices in use are looked at while somebody listens.

use super::is_transport;
use crate::{
    Equinox, RaDec, Timestamp,
    device::{AnyDevice, DeviceId, DeviceState, MountState},
    event::{Event, EventKind},
};
use std::collections::BTreeMap;

/// A mount that follows the stars stands still for listeners, degrees.
const STILL: f64 = 0.5 / 3600.0;

/// What listeners were told last.
#[derive(Debug, Default)]
pub(in crate::backend) struct Told(BTreeMap<DeviceId, Option<DeviceState>>);

impl Told {
    /// What has changed since the last look. Where all are `on_one_server`, one that does not answer is not asked for
    /// its other devices.
    pub(in crate::backend) fn look(&mut self, devices: Vec<AnyDevice>, on_one_server: bool) -> Vec<Event> {
        let mut news = Vec::new();
        for device in devices {
            let id = device.device().info().id;
            let state = match device.state() {
                Ok(state) => Some(state),
                Err(error) if on_one_server && is_transport(&error) => break,
                Err(_) => None,
            };
            let before = self.0.insert(id.clone(), state.clone());
            let same = match (before.flatten(), &state) {
                (Some(before), Some(state)) => alike(&before, state),
                _ => false,
            };
            if let Some(state) = state.filter(|_| !same) {
                news.push(Event { at: Timestamp::now(), device: Some(id), kind: EventKind::State(state) });
            }
        }
        news
    }
}

/// True when nobody would call it news.
fn alike(before: &DeviceState, now: &DeviceState) -> bool {
    match (before, now) {
        (DeviceState::Mount(before), DeviceState::Mount(now)) => {
            let moved = before.position.separation(now.position).0 > STILL;
            !moved && without_clocks(*before) == without_clocks(*now)
        }
        (before, now) => before == now,
    }
}

fn without_clocks(state: MountState) -> MountState {
    let nowhere = RaDec::new(crate::Hours(0.0), crate::Degrees(0.0), Equinox::Other);
    MountState { position: nowhere, horizon: None, sidereal_time: None, utc: None, ..state }
}
