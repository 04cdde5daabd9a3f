//! The mount of the original server.

use super::{Peer, impl_original, motion::Motion, number};
use crate::{
    AltAz, Degrees, DegreesPerSecond, Equinox, Error, Hours, RaDec, Result, Site, Timestamp,
    backend::keeping::Declared,
    device::{
        Age, Alignment, Axis, GuideDirection, GuideRates, Mount, MountCaps, MountState, Optics, PierSide, Target,
        Tracking, TrackingRate, check_target,
    },
    sync::lock,
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Degrees from its target at which a mount has arrived.
const ARRIVED: f64 = 0.05;

/// What the server has its mounts speak: it hands through what its driver gives.
const EQUINOX: Equinox = Equinox::OfDate;

/// The mount.
#[derive(Debug)]
pub(super) struct OriginalMount {
    peer: Peer,
    motion: Motion<Goal>,
    target: Mutex<Option<RaDec>>,
}

#[derive(Debug)]
enum Goal {
    At(RaDec),
    Parked(bool),
}

impl_original!(OriginalMount);

impl OriginalMount {
    pub(super) fn new(peer: Peer) -> Self {
        OriginalMount { peer, motion: Motion::default(), target: Mutex::default() }
    }

    /// Where it is to point, in the mount's own equinox.
    fn place(&self, target: Target) -> Result<RaDec> {
        check_target(target).map_err(|error| self.peer.name(error))?;
        match target {
            Target::RaDec(place) => place.to(EQUINOX, Timestamp::now()).map_err(|error| self.peer.name(error)),
            Target::AltAz(_) => self.peer.unsupported(),
        }
    }

    fn check_unparked(&self) -> Result<()> {
        match self.peer.truth("mount_at_park", "at_park")? {
            Some(true) => self.peer.fail(Error::new(crate::ErrorKind::Parked, "is parked")),
            _ => Ok(()),
        }
    }
}

impl Mount for OriginalMount {
    fn caps(&self) -> Result<Arc<MountCaps>> {
        let park = self.peer.truth("mount_can_park", "can_park")?.unwrap_or(false);
        Ok(Arc::new(MountCaps {
            alignment: Alignment::default(),
            equinox: EQUINOX,
            slew: true,
            slew_altaz: false,
            sync: true,
            sync_altaz: false,
            park,
            unpark: park,
            set_park: false,
            home: false,
            set_pier_side: false,
            pier_side: self.peer.read("mount_pier_side")?["pier_side"].is_string(),
            pulse_guide: false,
            set_guide_rates: false,
            set_tracking: true,
            tracking_rates: vec![TrackingRate::Sidereal],
            rate_offsets: (false, false),
            axis_rates: Default::default(),
            optics: Optics::default(),
            set_site: false,
            set_time: false,
        }))
    }

    fn state(&self) -> Result<MountState> {
        let says = self.peer.truth("mount_is_slewing", "is_slewing")?.unwrap_or(false);
        let place = self.peer.read("mount_get_radec")?;
        let (Some(ra), Some(dec)) = (number(&place["ra"]), number(&place["dec"])) else {
            return self.peer.fail(Error::protocol("does not tell where it points"));
        };
        let position = RaDec::new(Hours(ra), Degrees(dec), EQUINOX);
        let direction = self.peer.read("mount_get_altaz")?;
        let horizon = number(&direction["alt"]).zip(number(&direction["az"]));
        let parked = self.peer.truth("mount_at_park", "at_park")?.unwrap_or(false);
        let side = self.peer.read("mount_pier_side")?["pier_side"].as_str().unwrap_or_default().to_ascii_lowercase();
        let slewing = self.motion.is_moving(says, |goal| match goal {
            Goal::At(place) => position.separation(*place).0 < ARRIVED,
            Goal::Parked(wanted) => parked == *wanted,
        });
        let state = MountState {
            position,
            horizon: horizon.map(|(alt, az)| AltAz { alt: Degrees(alt), az: Degrees(az) }),
            slewing,
            tracking: Tracking {
                on: self.peer.truth("mount_get_tracking", "tracking")?.unwrap_or(false),
                ..Tracking::OFF
            },
            parked,
            at_home: false,
            pier_side: match side {
                side if side.contains("east") => PierSide::East,
                side if side.contains("west") => PierSide::West,
                _ => PierSide::Unknown,
            },
            pulse_guiding: false,
            sidereal_time: None,
            utc: None,
            target: *lock(&self.target),
            age: Age::NOW,
        };
        self.peer.claim.see(&state);
        Ok(state)
    }

    fn start_slew(&self, target: Target) -> Result<()> {
        let place = self.place(target)?;
        self.check_unparked()?;
        self.peer.order("mount_slew_radec", json!({ "ra": place.ra, "dec": place.dec }))?;
        *lock(&self.target) = Some(place);
        self.motion.started(Goal::At(place));
        Ok(())
    }

    fn abort(&self) -> Result<()> {
        self.peer.order("mount_abort_slew", json!({}))?;
        self.motion.forget();
        Ok(())
    }

    fn sync(&self, target: Target) -> Result<()> {
        let place = self.place(target)?;
        self.check_unparked()?;
        self.peer.order("mount_sync_radec", json!({ "ra": place.ra, "dec": place.dec }))
    }

    fn start_park(&self) -> Result<()> {
        self.peer.claim.forget_tracking();
        self.peer.order("mount_park", json!({}))?;
        self.motion.started(Goal::Parked(true));
        Ok(())
    }

    fn start_unpark(&self) -> Result<()> {
        self.peer.order("mount_unpark", json!({}))?;
        self.motion.started(Goal::Parked(false));
        Ok(())
    }

    fn set_park(&self) -> Result<()> {
        self.peer.unsupported()
    }

    fn start_home(&self) -> Result<()> {
        self.peer.unsupported()
    }

    fn set_tracking(&self, tracking: Tracking) -> Result<()> {
        let plain = tracking.rate == TrackingRate::Sidereal && (tracking.ra_offset, tracking.dec_offset) == (0.0, 0.0);
        if tracking.on && !plain {
            return self.peer.unsupported();
        }
        if tracking.on {
            self.check_unparked()?;
        }
        self.peer.order("mount_set_tracking", json!({ "tracking": tracking.on }))?;
        self.peer.claim.declare(Declared::Tracking(tracking));
        Ok(())
    }

    fn start_flip(&self, _: PierSide) -> Result<()> {
        self.peer.unsupported()
    }

    fn destination_side(&self, _: RaDec) -> Result<PierSide> {
        self.peer.unsupported()
    }

    fn guide_rates(&self) -> Result<Option<GuideRates>> {
        self.peer.check().map(|()| None)
    }

    fn set_guide_rates(&self, _: GuideRates) -> Result<()> {
        self.peer.unsupported()
    }

    fn pulse_guide(&self, _: GuideDirection, _: Duration) -> Result<()> {
        self.peer.unsupported()
    }

    fn move_axis(&self, _: Axis, _: DegreesPerSecond) -> Result<()> {
        self.peer.unsupported()
    }

    fn site(&self) -> Result<Option<Site>> {
        self.peer.check().map(|()| None)
    }

    fn set_site(&self, _: Site) -> Result<()> {
        self.peer.unsupported()
    }

    fn set_time(&self, _: Timestamp) -> Result<()> {
        self.peer.unsupported()
    }
}
