//! What our own server tells beyond ASCOM, so that a bridge loses nothing.

use super::handle::Handle;
use crate::{
    Error, Result,
    device::ControlInfo,
    wire::alpaca::extensions::{self, Description, PictureMeta, Setting},
};
use serde::de::DeserializeOwned;

/// What a server of ours lets us do with a device; of another server: nothing.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) description: Description,
    actions: Vec<String>,
}

impl Extras {
    /// True when the device has an action.
    pub(super) fn has(&self, action: &str) -> bool {
        self.actions.iter().any(|name| name.eq_ignore_ascii_case(action))
    }
}

/// Asks for the description, where there is one.
pub(super) fn read(handle: &Handle, actions: Vec<String>) -> Result<Extras> {
    let mut extras = Extras { actions, ..Extras::default() };
    if extras.has(extensions::DESCRIBE) {
        extras.description = ask(handle, extensions::DESCRIBE, "")?;
    }
    Ok(extras)
}

/// The settings.
pub(super) fn settings(handle: &Handle) -> Result<Vec<ControlInfo>> {
    let settings: Vec<Setting> = ask(handle, extensions::SETTINGS, "")?;
    // A newer server may have settings that this client does not know.
    Ok(settings.into_iter().filter_map(control).collect())
}

fn control(setting: Setting) -> Option<ControlInfo> {
    let Setting { name, min, max, step, choices, writable } = setting;
    Some(ControlInfo { control: name.parse().ok()?, min, max, step, choices, writable })
}

/// What is known about the last picture.
pub(super) fn picture(handle: &Handle) -> Result<PictureMeta> {
    ask(handle, extensions::PICTURE_META, "")
}

/// An action whose answer is JSON.
fn ask<T: DeserializeOwned>(handle: &Handle, action: &str, parameters: &str) -> Result<T> {
    let answer = handle.action(action, parameters)?;
    serde_json::from_str(&answer)
        .map_err(|why| handle.name(Error::protocol(format!("answered nonsense to {action}: {why}"))))
}
