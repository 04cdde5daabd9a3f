//! Mounts.

use crate::{
    choice::Choice,
    device::{Core, Device, Limits, PyCancel, awaitable, other_kind},
    moment::{datetime, timestamp},
    place::{AltAz, RaDec, Site, target},
    record::record,
};
use astrobackend::{
    DegreesPerSecond, Result,
    device::{self, AnyDevice, Axis, GuideDirection, GuideRates, MountExt as _, PierSide, TrackingRate},
};
use pyo3::{
    PyClassInitializer,
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::sync::Arc;

record! {
    /// How a mount follows the sky.
    Tracking(device::Tracking), pickled as |this, py| {
        /// It follows.
        on: this.on,
        /// The named speed.
        rate: this.rate.member(py)?,
        /// Added to it in right ascension: seconds of RA per sidereal second.
        ra_offset: this.ra_offset,
        /// Added in declination: arcseconds per second.
        dec_offset: this.dec_offset,
    }

    #[new]
    #[pyo3(
        signature = (on=true, rate=None, ra_offset=0.0, dec_offset=0.0),
        text_signature = "(on=True, rate=TrackingRate.SIDEREAL, ra_offset=0.0, dec_offset=0.0)"
    )]
    fn new(on: bool, rate: Option<&Bound<'_, PyAny>>, ra_offset: f64, dec_offset: f64) -> PyResult<Self> {
        let rate = rate.map_or(Ok(TrackingRate::Sidereal), TrackingRate::of)?;
        Ok(Tracking(device::Tracking { on, rate, ra_offset, dec_offset }))
    }
}

record! {
    /// What a mount can do.
    MountCaps(device::MountCaps), pickled as |this, py| {
        /// How its axes stand.
        alignment: this.alignment.member(py)?,
        /// The equinox that it speaks.
        equinox: this.equinox.member(py)?,
        /// It goes to right ascension and declination.
        slew: this.slew,
        /// It goes to altitude and azimuth.
        slew_altaz: this.slew_altaz,
        /// Where it points can be corrected in right ascension and declination.
        sync: this.sync,
        /// The same in altitude and azimuth.
        sync_altaz: this.sync_altaz,
        /// It parks.
        park: this.park,
        /// It unparks.
        unpark: this.unpark,
        /// The present place can be made its parking place.
        set_park: this.set_park,
        /// It looks for its home.
        home: this.home,
        /// It can be told to flip to the other side of the pier.
        set_pier_side: this.set_pier_side,
        /// It knows its side of the pier.
        pier_side: this.pier_side,
        /// It obeys guide pulses.
        pulse_guide: this.pulse_guide,
        /// Guide rates can be set.
        set_guide_rates: this.set_guide_rates,
        /// Tracking can be switched.
        set_tracking: this.set_tracking,
        /// The named speeds that it has.
        tracking_rates: this.tracking_rates.iter().map(|rate| rate.member(py)).collect::<PyResult<Vec<_>>>()?,
        /// Offsets to the speed can be set, in right ascension and in declination.
        rate_offsets: this.rate_offsets,
        /// Speeds of each axis by hand, in degrees per second: ranges from slowest to fastest.
        axis_rates: axis_rates(this),
        /// Diameter of the aperture in metres.
        aperture: this.optics.aperture.map(|aperture| aperture.0),
        /// Light-collecting area in square metres.
        aperture_area: this.optics.area,
        /// Focal length in metres.
        focal_length: this.optics.focal_length.map(|length| length.0),
        /// The site can be set.
        set_site: this.set_site,
        /// The clock can be set.
        set_time: this.set_time,
    }
}

record! {
    /// Everything about a mount that changes by itself, in one look; unknown is `None`.
    MountState(device::MountState), pickled as |this, py| {
        /// Where it points, in its own equinox.
        position: RaDec(this.position),
        /// The same from the ground.
        horizon: this.horizon.map(AltAz),
        /// It moves other than by tracking, or has just been told to.
        slewing: this.slewing,
        /// How it follows the sky.
        tracking: Tracking(this.tracking),
        /// It stands parked.
        parked: this.parked,
        /// It stands at its home.
        at_home: this.at_home,
        /// The pointing state.
        pier_side: this.pier_side.member(py)?,
        /// A guide pulse is under way.
        pulse_guiding: this.pulse_guiding,
        /// Local apparent sidereal time in hours.
        sidereal_time: this.sidereal_time.map(|time| time.0),
        /// The mount's clock.
        utc: this.utc.map(|at| datetime(py, at)).transpose()?,
        /// The last target that it was given.
        target: this.target.map(RaDec),
        /// Seconds since the device itself told this: 0 when it was asked just now. It makes no difference to `==`.
        age: this.age.seconds(),
    }
}

fn axis_rates(caps: &device::MountCaps) -> Vec<Vec<(f64, f64)>> {
    caps.axis_rates.iter().map(|rates| rates.iter().map(|range| (range.start().0, range.end().0)).collect()).collect()
}

/// A mount.
#[pyclass(extends = Device, frozen, module = "astrobackend")]
#[derive(Debug)]
pub(crate) struct Mount(Arc<Core>);

impl Mount {
    pub(crate) fn new(core: Arc<Core>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Device(core.clone())).add_subclass(Mount(core))
    }
}

fn mount(device: &AnyDevice) -> Result<&dyn device::Mount> {
    match device {
        AnyDevice::Mount(mount) => Ok(&**mount),
        other => Err(other_kind(other)),
    }
}

#[pymethods]
impl Mount {
    /// What it can do. No I/O once connected.
    #[pyo3(signature = (*, timeout=None))]
    fn caps(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<MountCaps> {
        self.0
            .read(py, "caps", timeout, |device| mount(device)?.caps())
            .map(|caps| MountCaps(Arc::unwrap_or_clone(caps)))
    }

    /// Everything that changes by itself, in one look.
    #[pyo3(signature = (*, timeout=None))]
    fn state(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<MountState> {
        self.0.read(py, "state", timeout, |device| mount(device)?.state()).map(MountState)
    }

    /// Starts to move to a target and returns at once.
    #[pyo3(signature = (target, *, timeout=None))]
    fn start_slew(&self, py: Python<'_>, target: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let target = self::target(target)?;
        self.0.ask(py, "start_slew", timeout, move |device| mount(device)?.start_slew(target))
    }

    /// Stops every motion but tracking.
    #[pyo3(signature = (*, timeout=None))]
    fn abort(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "abort", timeout, |device| mount(device)?.abort())
    }

    /// Tells the mount that it points at this target now.
    #[pyo3(signature = (target, *, timeout=None))]
    fn sync(&self, py: Python<'_>, target: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let target = self::target(target)?;
        self.0.ask(py, "sync", timeout, move |device| mount(device)?.sync(target))
    }

    /// Starts to park and returns at once.
    #[pyo3(signature = (*, timeout=None))]
    fn start_park(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "start_park", timeout, |device| mount(device)?.start_park())
    }

    /// Starts to unpark and returns at once; tracking stays off.
    #[pyo3(signature = (*, timeout=None))]
    fn start_unpark(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "start_unpark", timeout, |device| mount(device)?.start_unpark())
    }

    /// Makes the present place the parking place.
    #[pyo3(signature = (*, timeout=None))]
    fn set_park(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "set_park", timeout, |device| mount(device)?.set_park())
    }

    /// Starts to look for the home position and returns at once.
    #[pyo3(signature = (*, timeout=None))]
    fn start_home(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<()> {
        self.0.ask(py, "start_home", timeout, |device| mount(device)?.start_home())
    }

    /// Sets how the mount follows the sky: a `Tracking`, or on and off (`bool`) at sidereal speed.
    #[pyo3(signature = (tracking, *, timeout=None))]
    fn set_tracking(&self, py: Python<'_>, tracking: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let tracking = match tracking.cast::<Tracking>() {
            Ok(tracking) => tracking.get().0,
            Err(_) if tracking.extract()? => device::Tracking::SIDEREAL,
            Err(_) => device::Tracking::OFF,
        };
        self.0.ask(py, "set_tracking", timeout, move |device| mount(device)?.set_tracking(tracking))
    }

    /// Starts to flip to a side of the pier, same target, and returns at once.
    #[pyo3(signature = (side, *, timeout=None))]
    fn start_flip(&self, py: Python<'_>, side: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let side = PierSide::of(side)?;
        self.0.ask(py, "start_flip", timeout, move |device| mount(device)?.start_flip(side))
    }

    /// The side of the pier on which it would point at a target.
    #[pyo3(signature = (target, *, timeout=None))]
    fn destination_side<'py>(
        &self,
        py: Python<'py>,
        target: &RaDec,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let target = target.0;
        let side = self.0.ask(py, "destination_side", timeout, move |device| mount(device)?.destination_side(target));
        side?.member(py)
    }

    /// Speeds of guide pulses in right ascension and declination, degrees per second; `None` when unknown.
    #[pyo3(signature = (*, timeout=None))]
    fn guide_rates(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<(f64, f64)>> {
        let rates = self.0.read(py, "guide_rates", timeout, |device| mount(device)?.guide_rates())?;
        Ok(rates.map(|rates| (rates.ra.0, rates.dec.0)))
    }

    /// Sets the speeds of guide pulses, degrees per second.
    #[pyo3(signature = (ra, dec, *, timeout=None))]
    fn set_guide_rates(&self, py: Python<'_>, ra: f64, dec: f64, timeout: Option<f64>) -> PyResult<()> {
        let rates = GuideRates { ra: DegreesPerSecond(ra), dec: DegreesPerSecond(dec) };
        self.0.ask(py, "set_guide_rates", timeout, move |device| mount(device)?.set_guide_rates(rates))
    }

    /// Starts a guide pulse and returns at once.
    #[pyo3(signature = (direction, seconds, *, timeout=None))]
    fn pulse_guide(
        &self,
        py: Python<'_>,
        direction: &Bound<'_, PyAny>,
        seconds: f64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let (direction, length) = (GuideDirection::of(direction)?, self.0.seconds(seconds)?);
        self.0.ask(py, "pulse_guide", timeout, move |device| mount(device)?.pulse_guide(direction, length))
    }

    /// Drives an axis at a speed in degrees per second until told otherwise; 0 stops it.
    #[pyo3(signature = (axis, rate, *, timeout=None))]
    fn move_axis(&self, py: Python<'_>, axis: &Bound<'_, PyAny>, rate: f64, timeout: Option<f64>) -> PyResult<()> {
        let axis = Axis::of(axis)?;
        self.0.ask(py, "move_axis", timeout, move |device| mount(device)?.move_axis(axis, DegreesPerSecond(rate)))
    }

    /// Where the mount believes it stands on Earth.
    #[pyo3(signature = (*, timeout=None))]
    fn site(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Site>> {
        Ok(self.0.read(py, "site", timeout, |device| mount(device)?.site())?.map(Site))
    }

    /// Tells the mount where it stands on Earth.
    #[pyo3(signature = (site, *, timeout=None))]
    fn set_site(&self, py: Python<'_>, site: &Site, timeout: Option<f64>) -> PyResult<()> {
        let site = site.0;
        self.0.ask(py, "set_site", timeout, move |device| mount(device)?.set_site(site))
    }

    /// Sets the mount's clock; a `datetime` without a zone is taken as UTC.
    #[pyo3(signature = (utc, *, timeout=None))]
    fn set_time(&self, py: Python<'_>, utc: &Bound<'_, PyAny>, timeout: Option<f64>) -> PyResult<()> {
        let utc = timestamp(utc)?;
        self.0.ask(py, "set_time", timeout, move |device| mount(device)?.set_time(utc))
    }

    /// Moves to a target and waits until the mount itself says that it has arrived.
    #[pyo3(signature = (target, *, timeout=None, cancel=None))]
    fn slew(
        &self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        timeout: Option<f64>,
        cancel: Option<&PyCancel>,
    ) -> PyResult<()> {
        let target = self::target(target)?;
        self.0.attend(py, "slew", Limits { timeout, cancel }, move |device, wait| mount(device)?.slew(target, wait))
    }

    /// `slew`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, target, *, timeout=None)")]
    fn slew_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "slew", arguments, named)
    }

    /// Parks and waits until parked.
    #[pyo3(signature = (*, timeout=None, cancel=None))]
    fn park(&self, py: Python<'_>, timeout: Option<f64>, cancel: Option<&PyCancel>) -> PyResult<()> {
        self.0.attend(py, "park", Limits { timeout, cancel }, move |device, wait| mount(device)?.park(wait))
    }

    /// `park`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, *, timeout=None)")]
    fn park_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "park", arguments, named)
    }

    /// Unparks and waits until unparked.
    #[pyo3(signature = (*, timeout=None, cancel=None))]
    fn unpark(&self, py: Python<'_>, timeout: Option<f64>, cancel: Option<&PyCancel>) -> PyResult<()> {
        self.0.attend(py, "unpark", Limits { timeout, cancel }, move |device, wait| mount(device)?.unpark(wait))
    }

    /// `unpark`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, *, timeout=None)")]
    fn unpark_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "unpark", arguments, named)
    }

    /// Looks for the home position and waits until there.
    #[pyo3(signature = (*, timeout=None, cancel=None))]
    fn home(&self, py: Python<'_>, timeout: Option<f64>, cancel: Option<&PyCancel>) -> PyResult<()> {
        self.0.attend(py, "home", Limits { timeout, cancel }, move |device, wait| mount(device)?.home(wait))
    }

    /// `home`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, *, timeout=None)")]
    fn home_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "home", arguments, named)
    }

    /// Flips to a side of the pier, same target, and waits until there.
    #[pyo3(signature = (side, *, timeout=None, cancel=None))]
    fn flip(
        &self,
        py: Python<'_>,
        side: &Bound<'_, PyAny>,
        timeout: Option<f64>,
        cancel: Option<&PyCancel>,
    ) -> PyResult<()> {
        let side = PierSide::of(side)?;
        self.0.attend(py, "flip", Limits { timeout, cancel }, move |device, wait| mount(device)?.flip(side, wait))
    }

    /// `flip`, awaitable.
    #[pyo3(signature = (*arguments, **named), text_signature = "($self, side, *, timeout=None)")]
    fn flip_async<'py>(
        slf: &Bound<'py, Self>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        awaitable(slf, "flip", arguments, named)
    }
}
