//! A telescope as one thing: which device plays which role, where it stands, what is in front of
//! the camera, and a session that opens them by role or name and takes pictures to files.
//!
//! The rig file is TOML. Every section and every key may be left out:
//!
//! ```
//! # fn main() -> astrobackend::Result<()> {
//! use astrobackend::rig::{Rig, Session};
//! let rig: Rig = r#"
//!     observer = "C. Messier"
//!
//!     [site]
//!     name = "Hotel de Cluny"
//!     latitude = 48.8507        # degrees, or "48:51:02.5"
//!     longitude = 2.3441        # east is positive
//!     elevation = 40            # metres
//!
//!     [devices]                 # role = address
//!     main = "sim:///Camera Simulator?speed=100"
//!     wheel = "sim:///Filter Wheel Simulator?speed=100"
//!     focuser = "sim:///Focuser Simulator?speed=100"
//!     mount = "sim:///Mount Simulator?speed=100"
//!
//!     [optics.main]             # what is in front of the camera "main"
//!     name = "Newtonian 200/800"
//!     focal_length_mm = 800
//!     aperture_mm = 200
//!     wheel = "wheel"           # roles that share this light path; needed only with several of them
//!     focuser = "focuser"
//! "#.parse()?;
//! assert_eq!(rig.devices["main"].path(), "Camera Simulator");
//!
//! let session = Session::new().with_rig(rig);
//! let camera = session.camera(Some("@main"))?;
//! assert!(camera.is_connected()?);
//! # Ok(()) }
//! ```

mod check;
mod file;
mod session;
mod shot;

pub use check::Problem;
pub use session::{Member, Session};
pub use shot::{Picture, Shot, check_folder, check_writable};

use crate::{Address, Error, ErrorKind, Metres, Result, Site, device::DeviceKind};
use std::{collections::BTreeMap, fs::File, io::Read, path::Path, str::FromStr};

/// The longest rig file, bytes; one of a large observatory has a tenth of it.
const LONGEST: usize = 64 << 10;

/// What a rig file says; the default is an empty one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rig {
    /// Who observes.
    pub observer: Option<String>,
    /// Name of the site.
    pub site_name: Option<String>,
    /// Where the telescope stands.
    pub site: Option<Site>,
    /// The address of the device that plays each role.
    pub devices: BTreeMap<String, Address>,
    /// The optics in front of the camera that plays each role.
    pub optics: BTreeMap<String, Train>,
}

/// An optical train: what is in front of one camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Train {
    /// What people call it; goes into the files as `TELESCOP`.
    pub name: Option<String>,
    /// Focal length of the whole train, reducers included.
    pub focal_length: Option<Metres>,
    /// Diameter of the aperture.
    pub aperture: Option<Metres>,
    /// Role of the filter wheel in this light path.
    pub wheel: Option<String>,
    /// Role of the focuser of this light path.
    pub focuser: Option<String>,
}

impl Rig {
    /// Reads a rig file, strictly: a typo is an error, not a setting without effect.
    ///
    /// # Errors
    /// `NotFound` or `Io` when the file cannot be read; `InvalidValue` naming file, line and what is wrong
    /// for the first problem, with the number of the others. [`Rig::check`] lists them all.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (rig, problems) = Rig::check(path)?;
        file::refuse(problems, &format!("{}:", path.display()))?;
        Ok(rig)
    }

    /// Reads a rig file and lists everything that is wrong with it, in the order of its lines.
    ///
    /// # Errors
    /// `NotFound` or `Io` when the file cannot be read.
    pub fn check(path: impl AsRef<Path>) -> Result<(Self, Vec<Problem>)> {
        let path = path.as_ref();
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST as u64 + 1).read_to_string(&mut text));
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!("there is no rig file {}", path.display())),
            _ => Error::io(format!("the rig file {} cannot be read", path.display()), error),
        })?;
        Ok(file::read(&text))
    }

    /// The address that a role stands for; the `@` before it may be left out.
    ///
    /// # Errors
    /// `NotFound`, with the roles there are.
    pub fn role(&self, role: &str) -> Result<&Address> {
        let role = role.strip_prefix('@').unwrap_or(role);
        self.devices.get(role).ok_or_else(|| {
            let roles: Vec<_> = self.devices.keys().map(|role| format!("@{role}")).collect();
            let there = if roles.is_empty() { "the rig has no roles".to_owned() } else { roles.join(", ") };
            Error::new(
                ErrorKind::NotFound,
                format!(
                    "there is no role @{role}; {}",
                    match roles.len() {
                        0 => there,
                        _ => format!("the rig has {there}"),
                    }
                ),
            )
        })
    }
}

/// Reads the text of a rig file; see [`Rig::load`].
impl FromStr for Rig {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (rig, problems) = file::read(text);
        file::refuse(problems, "rig, line ")?;
        Ok(rig)
    }
}

/// The role that usually plays a kind of device, so that no other device need be asked what it is.
pub(super) fn usual_roles(kind: DeviceKind) -> &'static [&'static str] {
    match kind {
        DeviceKind::Camera => &["main", "camera"],
        DeviceKind::FilterWheel => &["wheel", "filter_wheel"],
        DeviceKind::Focuser => &["focuser"],
        DeviceKind::Mount => &["mount"],
    }
}
