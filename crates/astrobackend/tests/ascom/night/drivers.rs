//! The drivers of the night, and what is done to them from outside: they die within a call, and are not installed.

use astrobackend::device::{DeviceId, DeviceKind};
use std::path::{Path, PathBuf};
use windows::{
    Win32::{
        Foundation::{CloseHandle, HANDLE},
        System::Threading::CreateSemaphoreW,
    },
    core::HSTRING,
};

use DeviceKind::{Camera as CAMERA, FilterWheel as WHEEL, Focuser as FOCUSER, Mount as MOUNT};

/// The drivers, and their programs.
pub(super) const DRIVERS: [(DeviceKind, &str, &str); 4] = [
    (CAMERA, "TestProcess.Camera", "camera"),
    (WHEEL, "TestProcess.FilterWheel", "filter_wheel"),
    (FOCUSER, "TestProcess.Focuser", "focuser"),
    (MOUNT, "TestProcess.Telescope", "telescope"),
];

/// The ProgID of the driver of a kind, and its program.
fn names(kind: DeviceKind) -> (&'static str, &'static str) {
    DRIVERS.iter().find(|driver| driver.0 == kind).map(|driver| (driver.1, driver.2)).unwrap()
}

pub(super) fn id(kind: DeviceKind) -> DeviceId {
    DeviceId::new(kind, names(kind).0)
}

/// Nobody can end a driver within its calls any more once this is dropped.
pub(super) struct Doom(HANDLE);

#[allow(unsafe_code, reason = "the system's own interface")]
impl Doom {
    pub(super) fn of(kind: DeviceKind, member: &str, times: i32) -> Self {
        let name = HSTRING::from(format!("astrobackend-test-die {} {member}", id(kind).name));
        // SAFETY: the name outlives the call; the handle is closed once, when this is dropped.
        Doom(unsafe { CreateSemaphoreW(None, times, times, &name) }.unwrap())
    }
}

#[allow(unsafe_code, reason = "the system's own interface")]
impl Drop for Doom {
    fn drop(&mut self) {
        // SAFETY: the handle is the one that was made for this.
        unsafe { CloseHandle(self.0) }.unwrap();
    }
}

/// The program of a driver, away until this is dropped.
pub(super) struct Uninstalled(PathBuf);

impl Uninstalled {
    const AWAY: &str = "away";

    pub(super) fn of(kind: DeviceKind) -> Self {
        let program = Path::new(r"C:\drivers").join(names(kind).1).with_extension("exe");
        std::fs::rename(&program, program.with_extension(Self::AWAY)).unwrap();
        Uninstalled(program)
    }
}

impl Drop for Uninstalled {
    fn drop(&mut self) {
        std::fs::rename(self.0.with_extension(Self::AWAY), &self.0).unwrap();
    }
}
