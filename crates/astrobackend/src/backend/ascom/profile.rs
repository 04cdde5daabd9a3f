//! ASCOM's profile: what drivers are installed, in the registry.

use crate::device::DeviceKind;
use windows::{
    Win32::{
        Foundation::ERROR_SUCCESS,
        System::Registry::{
            HKEY, HKEY_LOCAL_MACHINE, KEY_READ, KEY_WOW64_32KEY, KEY_WOW64_64KEY, REG_SAM_FLAGS, RRF_RT_REG_SZ,
            RegCloseKey, RegEnumKeyExW, RegGetValueW, RegOpenKeyExW,
        },
    },
    core::{HSTRING, PCWSTR, PWSTR},
};

/// An installed driver.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Installed {
    pub(super) kind: DeviceKind,
    pub(super) prog_id: String,
    /// What people call it.
    pub(super) name: Option<String>,
}

/// The longest name of a key.
const LONGEST: usize = 256;

/// The name that ASCOM has for a kind.
pub(super) fn device_type(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Camera => "Camera",
        DeviceKind::FilterWheel => "FilterWheel",
        DeviceKind::Focuser => "Focuser",
        DeviceKind::Mount => "Telescope",
    }
}

/// The drivers that are installed, in both views of the registry: ASCOM's own is that of 32-bit programs.
pub(super) fn installed() -> Vec<Installed> {
    let mut found: Vec<Installed> = Vec::new();
    for kind in DeviceKind::ALL {
        let path = format!("SOFTWARE\\ASCOM\\{} Drivers", device_type(kind));
        for view in [KEY_WOW64_32KEY, KEY_WOW64_64KEY] {
            for (prog_id, name) in subkeys(&path, view) {
                if !found.iter().any(|known| known.prog_id.eq_ignore_ascii_case(&prog_id)) {
                    found.push(Installed { kind, prog_id, name });
                }
            }
        }
    }
    found
}

/// The kind that a ProgID says by its end, as ASCOM's rules for drivers have it.
pub(super) fn kind_of(prog_id: &str) -> Option<DeviceKind> {
    let (_, end) = prog_id.rsplit_once('.')?;
    DeviceKind::ALL.into_iter().find(|kind| device_type(*kind).eq_ignore_ascii_case(end))
}

/// The keys below a key, and the default value of each.
fn subkeys(path: &str, view: REG_SAM_FLAGS) -> Vec<(String, Option<String>)> {
    let mut key = HKEY::default();
    // SAFETY: the key is opened and closed here, and each buffer is as long as it says.
    unsafe {
        if RegOpenKeyExW(HKEY_LOCAL_MACHINE, &HSTRING::from(path), None, KEY_READ | view, &mut key) != ERROR_SUCCESS {
            return Vec::new();
        }
        let mut found = Vec::new();
        for index in 0.. {
            let (mut name, mut length) = ([0_u16; LONGEST], LONGEST as u32);
            let done = RegEnumKeyExW(key, index, Some(PWSTR(name.as_mut_ptr())), &mut length, None, None, None, None);
            if done != ERROR_SUCCESS {
                break;
            }
            let prog_id = String::from_utf16_lossy(&name[..length as usize]);
            let value = default_value(key, &prog_id);
            found.push((prog_id, value));
        }
        let _ = RegCloseKey(key);
        found
    }
}

fn default_value(key: HKEY, below: &str) -> Option<String> {
    let (mut text, mut bytes) = ([0_u16; LONGEST], (2 * LONGEST) as u32);
    let place = Some(text.as_mut_ptr().cast());
    // SAFETY: the buffer is as long as it says.
    let done = unsafe {
        RegGetValueW(key, &HSTRING::from(below), PCWSTR::null(), RRF_RT_REG_SZ, None, place, Some(&mut bytes))
    };
    let text = String::from_utf16_lossy(&text[..(bytes as usize / 2).saturating_sub(1).min(LONGEST)]);
    (done == ERROR_SUCCESS && !text.trim().is_empty()).then_some(text)
}
