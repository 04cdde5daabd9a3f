//! What a driver says it is: the bits of `DRIVER_INFO.DRIVER_INTERFACE`, of which a device may have several.

use std::fmt;

macro_rules! interfaces {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $word:literal;)*) => {
        /// A class of devices (`libindi`'s `DRIVER_INTERFACE` bits).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Interface { $($(#[$doc])* $name = $bit),* }

        impl Interface {
            /// All of them, by bit.
            pub const ALL: &[Interface] = &[$(Interface::$name),*];

            /// The name, in lower case: `telescope`, `ccd` ...
            pub fn as_str(self) -> &'static str {
                match self { $(Interface::$name => $word),* }
            }
        }
    };
}

interfaces! {
    /// Mounts.
    Telescope = 0, "telescope";
    /// Cameras.
    Ccd = 1, "ccd";
    /// Guide ports.
    Guider = 2, "guider";
    /// Focusers.
    Focuser = 3, "focuser";
    /// Filter wheels.
    Filter = 4, "filter";
    /// Domes.
    Dome = 5, "dome";
    /// GPS receivers.
    Gps = 6, "gps";
    /// Weather stations.
    Weather = 7, "weather";
    /// Adaptive optics.
    Ao = 8, "ao";
    /// Dust caps.
    DustCap = 9, "dust cap";
    /// Light boxes.
    LightBox = 10, "light box";
    /// Detectors, such as radio receivers.
    Detector = 11, "detector";
    /// Rotators.
    Rotator = 12, "rotator";
    /// Spectrographs.
    Spectrograph = 13, "spectrograph";
    /// Correlators.
    Correlator = 14, "correlator";
    /// Everything else.
    Aux = 15, "auxiliary";
    /// Digital outputs, such as relays.
    Output = 16, "output";
    /// Digital inputs.
    Input = 17, "input";
    /// Power boxes.
    Power = 18, "power";
    /// Inertial sensors.
    Imu = 19, "imu";
    /// Polar alignment correctors.
    Pac = 20, "pac";
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of [`Interface`]s; displays as their names.
///
/// ```
/// use astrobackend::backend::indi::properties::{Interface, Interfaces};
/// let camera_with_wheel = Interfaces::from_bits(22);
/// assert!(camera_with_wheel.has(Interface::Filter) && !camera_with_wheel.has(Interface::Focuser));
/// assert_eq!(camera_with_wheel.to_string(), "ccd, guider, filter");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Interfaces(u32);

impl Interfaces {
    /// From the number on the wire; bits without a name are kept.
    pub const fn from_bits(bits: u32) -> Self {
        Interfaces(bits)
    }

    /// The number on the wire.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// True when the class is in the set.
    pub const fn has(self, interface: Interface) -> bool {
        self.0 & (1 << interface as u32) != 0
    }

    /// True when any class of the other set is in this one.
    pub const fn has_any(self, of: Interfaces) -> bool {
        self.0 & of.0 != 0
    }

    /// The classes that have a name, by bit.
    pub fn iter(self) -> impl Iterator<Item = Interface> {
        Interface::ALL.iter().copied().filter(move |interface| self.has(*interface))
    }
}

impl From<Interface> for Interfaces {
    fn from(interface: Interface) -> Self {
        Interfaces(1 << interface as u32)
    }
}

impl FromIterator<Interface> for Interfaces {
    fn from_iter<T: IntoIterator<Item = Interface>>(all: T) -> Self {
        Interfaces(all.into_iter().fold(0, |bits, one| bits | Interfaces::from(one).0))
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.iter().map(Interface::as_str).collect::<Vec<_>>().join(", "))
    }
}
