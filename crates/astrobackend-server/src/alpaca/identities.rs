//! Numbers and identities that never change, kept in a file: clients remember a device by them.
//!
//! A device is known by its backend's address, its kind and its name. A number that was given once is never given to
//! another device, also when the first one is gone for good.

use astrobackend::{
    Address, Error, Result,
    device::{DeviceId, DeviceKind},
};
use serde::{Deserialize, Serialize};
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Where the command keeps identities: `astrobackend/alpaca-server.json` in the user's folder for state
/// (`$XDG_STATE_HOME` or `~/.local/state`; `%LOCALAPPDATA%` on Windows); `None` without a home.
pub fn default_state_file() -> Option<PathBuf> {
    let folder = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = match cfg!(windows) {
        true => folder("LOCALAPPDATA"),
        false => folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state"))),
    };
    state.map(|state| state.join("astrobackend").join("alpaca-server.json"))
}

/// What a device is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    backend: String,
    kind: DeviceKind,
    name: String,
    pub(super) number: u32,
    pub(super) unique_id: String,
}

/// The file's content.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    schema: u32,
    devices: Vec<Identity>,
}

/// All identities that were ever given.
#[derive(Debug)]
pub(super) struct Identities {
    file: Option<PathBuf>,
    known: Vec<Identity>,
}

impl Identities {
    /// Reads the file; there need not be one yet.
    ///
    /// # Errors
    /// `Io` when it cannot be read or is not ours: identities must not begin anew by accident.
    pub(super) fn load(file: Option<&Path>) -> Result<Self> {
        let known = file.map(read).transpose()?.unwrap_or_default();
        Ok(Identities { file: file.map(Path::to_owned), known })
    }

    /// The identities of devices of a backend, in their order; new ones are given and kept.
    ///
    /// # Errors
    /// `Io` when the file cannot be written.
    pub(super) fn of(&mut self, backend: &Address, devices: &[DeviceId]) -> Result<Vec<Identity>> {
        // The same server, whichever of its devices the address names.
        let backend = backend.clone().with_path("").without_secrets().to_string();
        let is = |known: &Identity, id: &DeviceId| {
            (&known.backend, known.kind, &known.name) == (&backend, id.kind, &id.name)
        };
        if devices.iter().any(|id| !self.known.iter().any(|known| is(known, id))) {
            // Another server may have added its own meanwhile.
            if let Some(file) = &self.file {
                self.known = merged(read(file)?, std::mem::take(&mut self.known));
            }
            for id in devices {
                if !self.known.iter().any(|known| is(known, id)) {
                    let new = self.create(&backend, id);
                    self.known.push(new);
                }
            }
            self.save()?;
        }
        Ok(devices.iter().filter_map(|id| self.known.iter().find(|known| is(known, id)).cloned()).collect())
    }

    fn create(&self, backend: &str, id: &DeviceId) -> Identity {
        let of_kind = self.known.iter().filter(|known| known.kind == id.kind);
        let number = of_kind.map(|known| known.number.saturating_add(1)).max().unwrap_or(0);
        let what = format!("{backend}\n{}\n{}", id.kind.alpaca_name(), id.name);
        Identity {
            backend: backend.to_owned(),
            kind: id.kind,
            name: id.name.clone(),
            number,
            unique_id: Uuid::new_v5(&Uuid::NAMESPACE_URL, what.as_bytes()).to_string(),
        }
    }

    fn save(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let content = Content { schema: 1, devices: self.known.clone() };
        write(file, &content).map_err(|error| Error::io(format_args!("cannot write {}", file.display()), error))
    }
}

/// What the file has, and what only we know.
fn merged(mut file: Vec<Identity>, ours: Vec<Identity>) -> Vec<Identity> {
    let new: Vec<_> = ours.into_iter().filter(|identity| !file.contains(identity)).collect();
    file.extend(new);
    file
}

fn read(file: &Path) -> Result<Vec<Identity>> {
    let wrong = |error| Error::io(format_args!("the state file {} cannot be used", file.display()), error);
    let text = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(wrong)?,
    };
    let content: Content = serde_json::from_slice(&text).map_err(|error| wrong(error.into()))?;
    match content.schema {
        1 => Ok(content.devices),
        other => Err(wrong(io::Error::new(io::ErrorKind::InvalidData, format!("it is of version {other}")))),
    }
}

/// Whole or not at all.
fn write(file: &Path, content: &Content) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut part = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut part, content)?;
    part.write_all(b"\n")?;
    part.as_file().sync_all()?;
    part.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(name: &str) -> DeviceId {
        DeviceId::new(DeviceKind::Camera, name)
    }

    fn numbers(identities: &[Identity]) -> Vec<u32> {
        identities.iter().map(|identity| identity.number).collect()
    }

    #[test]
    fn a_number_stays_with_its_device_and_is_never_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/state.json");
        let backend = "indi://pi:7624/One".parse().unwrap();
        let other = "indi://other".parse().unwrap();
        let mut first = Identities::load(Some(&file)).unwrap();
        let given = first.of(&backend, &[camera("One"), camera("Two")]).unwrap();
        assert_eq!(numbers(&given), [0, 1]);
        let focuser = DeviceId::new(DeviceKind::Focuser, "One");
        assert_eq!(numbers(&first.of(&backend, std::slice::from_ref(&focuser)).unwrap()), [0]);
        // Another order, one gone, one new; by another address of the same server.
        let mut again = Identities::load(Some(&file)).unwrap();
        let backend = "indi://pi:7624".parse().unwrap();
        let now = again.of(&backend, &[camera("Three"), camera("Two")]).unwrap();
        assert_eq!(numbers(&now), [2, 1]);
        assert_eq!(now[1], given[1]);
        assert_eq!(numbers(&again.of(&other, &[camera("One")]).unwrap()), [3]);
        // The first server learns of them before it gives new ones.
        assert_eq!(numbers(&first.of(&other, &[camera("Four")]).unwrap()), [4]);
        let ids: std::collections::HashSet<_> = first.known.iter().map(|known| &known.unique_id).collect();
        assert_eq!(ids.len(), first.known.len());
    }

    #[test]
    fn identities_do_not_depend_on_the_file() {
        let of = || Identities::load(None).unwrap().of(&"sim://".parse().unwrap(), &[camera("One")]).unwrap();
        assert_eq!(of(), of());
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.json");
        for text in ["{", "{\"schema\":2,\"devices\":[]}", "[]"] {
            fs::write(&file, text).unwrap();
            let error = Identities::load(Some(&file)).unwrap_err().to_string();
            assert!(error.contains("state.json cannot be used"), "{error}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
    }
}
