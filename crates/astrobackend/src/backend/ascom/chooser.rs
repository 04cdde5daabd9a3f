//! ASCOM's chooser: the window in which a person picks a driver.

use super::{apartment::Apartment, dispatch::Dispatch, profile::device_type, variant};
use crate::{Result, device::DeviceKind};
use std::time::Duration;
use windows::{
    Win32::System::{Com::CLSIDFromProgID, Variant::VARIANT},
    core::{BSTR, HSTRING},
};

/// The ProgID of the chooser.
const CHOOSER: &str = "ASCOM.Utilities.Chooser";

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// True when ASCOM's platform is installed.
pub(super) fn is_there() -> bool {
    // SAFETY: it only looks into the registry.
    unsafe { CLSIDFromProgID(&HSTRING::from(CHOOSER)).is_ok() }
}

/// Shows the window; the ProgID that was picked.
///
/// # Errors
/// `NotFound` without ASCOM's platform, `Timeout` when nobody chooses, or what the chooser fails with.
pub(super) fn choose(kind: DeviceKind, last: Option<String>) -> Result<Option<String>> {
    Apartment::start("chooser")?.call("Choose", PATIENCE, move |_, _| {
        let mut chooser = Dispatch::create(CHOOSER)?;
        chooser.put("DeviceType", VARIANT::from(BSTR::from(device_type(kind))))?;
        let last = VARIANT::from(BSTR::from(last.as_deref().unwrap_or_default()));
        let picked = variant::value(&chooser.call("Choose", vec![last])?)?;
        Ok(picked.as_str().filter(|picked| !picked.is_empty()).map(str::to_owned))
    })
}
