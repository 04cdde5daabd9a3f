//! The mount: where the telescope points and how it moves; see [`Mount`].

use super::{Age, Device, GuideDirection};
use crate::{
    AltAz, Degrees, DegreesPerSecond, Equinox, Error, ErrorKind, Hours, Metres, RaDec, Result, Site, Timestamp, Wait,
};
use serde::{Deserialize, Serialize};
use std::{fmt, ops::RangeInclusive, str::FromStr, sync::Arc, time::Duration};

/// How the axes stand (ASCOM `AlignmentMode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// Altitude and azimuth (ASCOM 0).
    AltAz,
    /// Equatorial without a meridian flip: fork (ASCOM 1).
    Polar,
    /// German equatorial (ASCOM 2).
    #[default]
    GermanPolar,
}

/// The pointing state of a mount that can reach one place in two ways (ASCOM `SideOfPier`, INDI `TELESCOPE_PIER_SIDE`).
///
/// It is the pointing state, not the side on which the tube hangs; it is never guessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PierSide {
    /// Normal: looking west, hour angles 0 to +6 (ASCOM 0 `pierEast`, INDI `PIER_EAST`).
    East,
    /// Beyond the pole: looking east, hour angles −6 to 0 (ASCOM 1 `pierWest`, INDI `PIER_WEST`).
    West,
    /// Not known, or the mount has only one way.
    #[default]
    Unknown,
}

impl PierSide {
    /// The side on which a well-behaved German mount points at an hour angle, away from the pole.
    ///
    /// ```
    /// use astrobackend::{Hours, device::PierSide};
    /// assert_eq!(PierSide::for_hour_angle(Hours(-1.0)), PierSide::West);
    /// ```
    pub fn for_hour_angle(hour_angle: Hours) -> Self {
        if hour_angle.signed().0 < 0.0 { PierSide::West } else { PierSide::East }
    }
}

/// `east`, `west`, `unknown`
impl fmt::Display for PierSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PierSide::East => "east",
            PierSide::West => "west",
            PierSide::Unknown => "unknown",
        })
    }
}

/// The named speeds at which a mount can follow the sky (ASCOM `DriveRates`, INDI `TELESCOPE_TRACK_MODE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackingRate {
    /// The stars, 15.041 arcseconds per second.
    #[default]
    Sidereal,
    /// The moon.
    Lunar,
    /// The sun.
    Solar,
    /// The stars with mean refraction.
    King,
}

impl TrackingRate {
    /// All of them.
    pub const ALL: [TrackingRate; 4] =
        [TrackingRate::Sidereal, TrackingRate::Lunar, TrackingRate::Solar, TrackingRate::King];
}

/// `sidereal`, `lunar`, `solar`, `king`
impl fmt::Display for TrackingRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            TrackingRate::Sidereal => "sidereal",
            TrackingRate::Lunar => "lunar",
            TrackingRate::Solar => "solar",
            TrackingRate::King => "king",
        })
    }
}

impl FromStr for TrackingRate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = TrackingRate::ALL.into_iter().find(|rate| rate.to_string().eq_ignore_ascii_case(text));
        named.ok_or_else(|| Error::invalid(format!("{text:?} is no tracking rate: sidereal, lunar, solar or king")))
    }
}

/// How the mount follows the sky.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tracking {
    /// It follows.
    pub on: bool,
    /// The named speed.
    pub rate: TrackingRate,
    /// Added to the named speed in right ascension: **seconds of RA per sidereal second** (ASCOM `RightAscensionRate`).
    pub ra_offset: f64,
    /// Added in declination: **arcseconds per second** (ASCOM `DeclinationRate`).
    pub dec_offset: f64,
}

impl Tracking {
    /// Follows the stars.
    pub const SIDEREAL: Tracking = Tracking { on: true, rate: TrackingRate::Sidereal, ra_offset: 0.0, dec_offset: 0.0 };
    /// Stands still.
    pub const OFF: Tracking = Tracking { on: false, rate: TrackingRate::Sidereal, ra_offset: 0.0, dec_offset: 0.0 };
}

/// An axis of the mount (ASCOM `TelescopeAxes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Right ascension or azimuth (ASCOM 0).
    Primary,
    /// Declination or altitude (ASCOM 1).
    Secondary,
    /// A rotator that belongs to the mount (ASCOM 2).
    Tertiary,
}

/// Somewhere to point at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A place among the stars, in any equinox; the backend converts to the mount's own.
    RaDec(RaDec),
    /// A direction from the ground.
    AltAz(AltAz),
}

impl From<RaDec> for Target {
    fn from(place: RaDec) -> Self {
        Target::RaDec(place)
    }
}

impl From<AltAz> for Target {
    fn from(direction: AltAz) -> Self {
        Target::AltAz(direction)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::RaDec(place) => place.fmt(f),
            Target::AltAz(direction) => direction.fmt(f),
        }
    }
}

/// Speeds of guide pulses and of the guide port (ASCOM `GuideRate*`, INDI `GUIDE_RATE`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuideRates {
    /// In right ascension, as an angle on the equator.
    pub ra: DegreesPerSecond,
    /// In declination.
    pub dec: DegreesPerSecond,
}

/// The optics that the mount carries, as far as its driver knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Optics {
    /// Diameter of the aperture.
    pub aperture: Option<Metres>,
    /// Light-collecting area in square metres.
    pub area: Option<f64>,
    /// Focal length.
    pub focal_length: Option<Metres>,
}

/// What a mount can do. Asked once, then unchanged while connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MountCaps {
    /// How the axes stand.
    pub alignment: Alignment,
    /// The equinox that the mount itself speaks.
    pub equinox: Equinox,
    /// It can go to right ascension and declination.
    pub slew: bool,
    /// It can go to altitude and azimuth.
    pub slew_altaz: bool,
    /// Its idea of where it points can be corrected in right ascension and declination.
    pub sync: bool,
    /// The same in altitude and azimuth.
    pub sync_altaz: bool,
    /// It can park.
    pub park: bool,
    /// It can unpark.
    pub unpark: bool,
    /// The present place can be made its parking place.
    pub set_park: bool,
    /// It can look for its home.
    pub home: bool,
    /// It can be told to flip to the other side of the pier.
    pub set_pier_side: bool,
    /// It knows its side of the pier.
    pub pier_side: bool,
    /// It obeys guide pulses.
    pub pulse_guide: bool,
    /// Guide rates can be set; `None` in [`Mount::guide_rates`] when it has none.
    pub set_guide_rates: bool,
    /// Tracking can be switched.
    pub set_tracking: bool,
    /// The named speeds it has.
    pub tracking_rates: Vec<TrackingRate>,
    /// Offsets to the speed in right ascension, and in declination, can be set.
    pub rate_offsets: (bool, bool),
    /// Speeds at which each axis can be driven by hand, in order of [`Axis`]; empty where it cannot.
    pub axis_rates: [Vec<RangeInclusive<DegreesPerSecond>>; 3],
    /// The optics, as far as the driver knows.
    pub optics: Optics,
    /// Site and clock can be set.
    pub set_site: bool,
    /// The clock can be set.
    pub set_time: bool,
}

/// Everything about a mount that changes by itself, in one look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MountState {
    /// Where it points, in the mount's own equinox.
    pub position: RaDec,
    /// The same from the ground; `None` without a site.
    pub horizon: Option<AltAz>,
    /// It moves other than by tracking: slewing, parking, homing, axes driven by hand; or has just been told to.
    pub slewing: bool,
    /// How it follows the sky.
    pub tracking: Tracking,
    /// It stands parked.
    pub parked: bool,
    /// It stands at its home.
    pub at_home: bool,
    /// The pointing state.
    pub pier_side: PierSide,
    /// A guide pulse is under way.
    pub pulse_guiding: bool,
    /// Local apparent sidereal time, as the mount has it or computed from site and clock.
    pub sidereal_time: Option<Hours>,
    /// The mount's clock.
    pub utc: Option<Timestamp>,
    /// The last target it was given.
    pub target: Option<RaDec>,
    /// How old all of this is.
    #[serde(default)]
    pub age: Age,
}

/// A mount.
///
/// # Frameworks
/// ASCOM `ITelescopeV4`; INDI `EQUATORIAL_EOD_COORD`, `ON_COORD_SET`, `TELESCOPE_*`. See `ARCHITECTURE.md` for each member.
pub trait Mount: Device {
    /// What it can do. No I/O once connected.
    fn caps(&self) -> Result<Arc<MountCaps>>;

    /// Everything that changes by itself, in one look.
    fn state(&self) -> Result<MountState>;

    /// Starts to move to a target and returns at once; the state is slewing from then on.
    ///
    /// # Errors
    /// `Parked`; `InvalidValue` for coordinates out of range or a target that the mount must not reach
    /// (below its horizon limit); `InvalidOperation` when it must track and does not.
    fn start_slew(&self, target: Target) -> Result<()>;

    /// Stops every motion but tracking; nothing when it stands, parked or not.
    fn abort(&self) -> Result<()>;

    /// Tells the mount that it points at this target now.
    ///
    /// # Errors
    /// `Parked`, `InvalidValue`, `Unsupported`.
    fn sync(&self, target: Target) -> Result<()>;

    /// Starts to park; nothing when parked.
    fn start_park(&self) -> Result<()>;

    /// Starts to unpark; nothing when it is not parked. Tracking stays off.
    fn start_unpark(&self) -> Result<()>;

    /// Makes the present place the parking place (ASCOM `SetPark`, INDI `TELESCOPE_PARK_OPTION`).
    fn set_park(&self) -> Result<()>;

    /// Starts to look for the home position (ASCOM `FindHome`, INDI `TELESCOPE_HOME`).
    fn start_home(&self) -> Result<()>;

    /// Sets how the mount follows the sky.
    ///
    /// # Errors
    /// `Parked` when it is to track, `Unsupported` for a speed or an offset it does not have.
    fn set_tracking(&self, tracking: Tracking) -> Result<()>;

    /// Starts to flip to the other side of the pier, same target (ASCOM `SideOfPier` written).
    fn start_flip(&self, side: PierSide) -> Result<()>;

    /// The side on which it would point at a target (ASCOM `DestinationSideOfPier`).
    fn destination_side(&self, target: RaDec) -> Result<PierSide>;

    /// Speeds of guide pulses; `None` when the mount does not say.
    fn guide_rates(&self) -> Result<Option<GuideRates>>;

    /// Sets the speeds of guide pulses.
    fn set_guide_rates(&self, rates: GuideRates) -> Result<()>;

    /// Starts a guide pulse and returns at once; `pulse_guiding` tells when it ends.
    fn pulse_guide(&self, direction: GuideDirection, duration: Duration) -> Result<()>;

    /// Drives an axis at a speed until told otherwise, 0 stops it and restores tracking (ASCOM `MoveAxis`).
    fn move_axis(&self, axis: Axis, rate: DegreesPerSecond) -> Result<()>;

    /// Where the mount believes it stands on Earth; `None` when it does not know.
    fn site(&self) -> Result<Option<Site>>;

    /// Tells the mount where it stands on Earth.
    fn set_site(&self, site: Site) -> Result<()>;

    /// Sets the mount's clock.
    fn set_time(&self, utc: Timestamp) -> Result<()>;
}

/// Conveniences over any mount.
pub trait MountExt: Mount {
    /// Moves to a target and waits until the mount itself says it has arrived; on timeout and cancel it is stopped.
    ///
    /// # Errors
    /// `Timeout`, `Cancelled`, or what the mount reports.
    fn slew(&self, target: impl Into<Target>, wait: &Wait) -> Result<()> {
        let target = target.into();
        until_still(self, wait, &format!("the slew to {target}"), || self.start_slew(target)).map(drop)
    }

    /// Parks and waits until parked; on timeout and cancel the mount is stopped.
    ///
    /// # Errors
    /// As [`MountExt::slew`]; `Device` when it stops unparked.
    fn park(&self, wait: &Wait) -> Result<()> {
        let state = until_still(self, wait, "parking", || self.start_park())?;
        ended(self, state.parked, "stopped without being parked")
    }

    /// Unparks and waits until unparked.
    ///
    /// # Errors
    /// As [`MountExt::park`].
    fn unpark(&self, wait: &Wait) -> Result<()> {
        let state = until_still(self, wait, "unparking", || self.start_unpark())?;
        ended(self, !state.parked, "stayed parked")
    }

    /// Looks for the home position and waits until there; on timeout and cancel the mount is stopped.
    ///
    /// # Errors
    /// As [`MountExt::park`].
    fn home(&self, wait: &Wait) -> Result<()> {
        let state = until_still(self, wait, "finding home", || self.start_home())?;
        ended(self, state.at_home, "stopped without being at home")
    }

    /// Flips to a side of the pier, same target, and waits until there; on timeout and cancel the mount is stopped.
    ///
    /// # Errors
    /// As [`MountExt::park`]; `Unsupported` unless [`MountCaps::set_pier_side`].
    fn flip(&self, side: PierSide, wait: &Wait) -> Result<()> {
        let state = until_still(self, wait, "the flip", || self.start_flip(side))?;
        ended(self, state.pier_side == side, "stopped on the other side of the pier")
    }

    /// Hour angle of the pointing, −12 to 12, when the sidereal time is known.
    ///
    /// # Errors
    /// As [`Mount::state`].
    fn hour_angle(&self) -> Result<Option<Hours>> {
        let state = self.state()?;
        Ok(state.sidereal_time.map(|lst| (lst - state.position.ra).signed()))
    }
}

/// What a motion of its own came to.
fn ended<M: Mount + ?Sized>(mount: &M, well: bool, otherwise: &'static str) -> Result<()> {
    if well { Ok(()) } else { Err(Error::new(ErrorKind::Device(0), otherwise).on(mount.info().id)) }
}

/// Waits until the mount stands or tracks; its state then.
fn until_still<M: Mount + ?Sized>(
    mount: &M,
    wait: &Wait,
    what: &str,
    start: impl FnOnce() -> Result<()>,
) -> Result<MountState> {
    let look = || {
        let state = mount.state()?;
        Ok((!state.slewing).then_some(state))
    };
    wait.run(what, start, look, || mount.abort()).map_err(|error| error.on(mount.info().id))
}

impl<M: Mount + ?Sized> MountExt for M {}

/// Refuses coordinates that are no place on the sphere, before any I/O: several frameworks drop them silently.
///
/// # Errors
/// `InvalidValue`, naming the limit.
pub fn check_target(target: Target) -> Result<()> {
    let within = |value: f64, range: RangeInclusive<f64>, what: &str| {
        if range.contains(&value) {
            return Ok(());
        }
        Err(Error::invalid(format!("{what} {value} is not within {} to {}", range.start(), range.end())))
    };
    match target {
        Target::RaDec(RaDec { ra: Hours(ra), dec: Degrees(dec), .. }) => {
            if ra == 24.0 {
                return Err(Error::invalid("right ascension 24 is not below 24 hours"));
            }
            within(ra, 0.0..=24.0, "right ascension")?;
            within(dec, -90.0..=90.0, "declination")
        }
        Target::AltAz(AltAz { alt: Degrees(alt), az: Degrees(az) }) => {
            within(alt, -90.0..=90.0, "altitude")?;
            within(az, 0.0..=360.0, "azimuth")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_off_the_sphere_are_refused() {
        let at = |ra, dec| check_target(RaDec::new(Hours(ra), Degrees(dec), Equinox::J2000).into());
        assert!(at(0.0, -90.0).is_ok() && at(23.999, 90.0).is_ok());
        assert_eq!(at(25.0, 0.0).unwrap_err().to_string(), "right ascension 25 is not within 0 to 24");
        assert!(
            at(24.0, 0.0).is_err() && at(-0.1, 0.0).is_err() && at(1.0, 90.1).is_err() && at(f64::NAN, 0.0).is_err()
        );
    }
}
