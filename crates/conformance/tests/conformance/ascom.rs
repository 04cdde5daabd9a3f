//! COM drivers as targets: those of `testing/windows`, under Wine, where `./check windows` runs this.

use astrobackend::{
    Address, Backend, Result,
    device::{AnyDevice, DeviceId, DeviceInfo},
    event::Events,
};
use conformance::Target;
use std::{fmt, sync::Arc};

/// Drivers in C, in this process; a camera in a process of its own, and scripts.
const TARGETS: [(&str, &[&str]); 4] = [
    ("ascom(wine)", &["Test.Camera", "Test.Focuser", "Test.FilterWheel", "Test.Telescope"]),
    ("ascom(wine,platform7)", &["TestSecond.Focuser"]),
    ("ascom(wine,process)", &["TestProcess.Camera"]),
    ("ascom(wine,scripts)", &["TestScript.Focuser", "TestScript.FilterWheel"]),
];

/// The targets, or why there are none.
pub(crate) fn targets() -> std::result::Result<Vec<Target>, String> {
    let backend = astrobackend::open("ascom://").map_err(|error| format!("{error}: see ./check windows"))?;
    let there = backend.devices().map_err(|error| error.to_string())?;
    let installed = |name: &str| there.iter().any(|info| info.id.name == name);
    match TARGETS.iter().flat_map(|(_, drivers)| drivers.iter()).find(|name| !installed(name)) {
        Some(missing) => Err(format!("the test driver {missing} is not installed: see ./check windows")),
        None => Ok(TARGETS.into_iter().map(|(name, drivers)| target(name, drivers)).collect()),
    }
}

fn target(name: &str, drivers: &'static [&'static str]) -> Target {
    Target::shared(name, move || Ok(Arc::new(Part { whole: astrobackend::open("ascom://")?, drivers })))
}

/// Some of the drivers: what two targets share would be moved by both.
#[derive(Debug)]
struct Part {
    whole: Arc<dyn Backend>,
    drivers: &'static [&'static str],
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole.fmt(f)
    }
}

impl Backend for Part {
    fn address(&self) -> &Address {
        self.whole.address()
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        let mut devices = self.whole.devices()?;
        devices.retain(|info| self.drivers.contains(&info.id.name.as_str()));
        Ok(devices)
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        self.whole.device(id)
    }

    fn events(&self) -> Events {
        self.whole.events()
    }
}
