//! A mount that is anywhere half a second later.

use crate::{Motion, common, used};
use ascom_alpaca::{
    ASCOMError, ASCOMResult,
    api::{
        self,
        telescope::{AlignmentMode, DriveRate, EquatorialCoordinateType, TelescopeAxis},
    },
};
use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::{Duration, Instant, SystemTime},
};

const SLEW: Duration = Duration::from_millis(500);

/// The mount.
#[derive(Debug)]
pub struct Mount {
    connected: AtomicBool,
    /// Since when it stands still while the sky goes on; nothing while it tracks.
    still: Mutex<Option<Instant>>,
    /// What its clock is ahead of ours.
    ahead: Mutex<(Duration, bool)>,
    place: Mutex<Motion<(f64, f64)>>,
    parked: Mutex<Motion<bool>>,
}

impl Default for Mount {
    fn default() -> Self {
        Mount {
            connected: AtomicBool::default(),
            still: Mutex::new(Some(Instant::now())),
            ahead: Mutex::default(),
            place: Mutex::new(Motion::at((6.0, 20.0))),
            parked: Mutex::new(Motion::at(false)),
        }
    }
}

common!(Mount, "Peer Mount");

/// Hours of right ascension that pass in a second.
const SIDEREAL: f64 = 1.002_737_909_35 / 3600.0;

impl Mount {
    /// Brings the place up to date with the sky that went on.
    fn drift(&self) {
        if let Some(since) = &mut *self.still.lock().unwrap() {
            let gone = since.elapsed().as_secs_f64() * SIDEREAL;
            let mut place = self.place.lock().unwrap();
            if !place.moving() {
                let (ra, dec) = place.now();
                *place = Motion::at(((ra + gone).rem_euclid(24.0), dec));
            }
            *since = Instant::now();
        }
    }

    fn now(&self) -> (f64, f64) {
        self.drift();
        self.place.lock().unwrap().now()
    }

    fn track(&self, on: bool) {
        self.drift();
        *self.still.lock().unwrap() = (!on).then(Instant::now);
    }

    fn unparked(&self) -> ASCOMResult<()> {
        used(&self.connected)?;
        match self.parked.lock().unwrap().now() {
            true => Err(ASCOMError::INVALID_WHILE_PARKED),
            false => Ok(()),
        }
    }
}

fn check(ra: f64, dec: f64) -> ASCOMResult<()> {
    match (0.0..24.0).contains(&ra) && (-90.0..=90.0).contains(&dec) {
        true => Ok(()),
        false => Err(ASCOMError::invalid_value(format_args!("{ra} {dec} is no place in the sky"))),
    }
}

#[async_trait::async_trait]
impl api::Telescope for Mount {
    async fn alignment_mode(&self) -> ASCOMResult<AlignmentMode> {
        Ok(AlignmentMode::GermanPolar)
    }

    async fn at_home(&self) -> ASCOMResult<bool> {
        Ok(false)
    }

    async fn at_park(&self) -> ASCOMResult<bool> {
        used(&self.connected)?;
        Ok(self.parked.lock().unwrap().now())
    }

    async fn can_park(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn can_unpark(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn can_set_tracking(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn can_slew(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn can_slew_async(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn can_sync(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn declination(&self) -> ASCOMResult<f64> {
        used(&self.connected)?;
        Ok(self.now().1)
    }

    async fn right_ascension(&self) -> ASCOMResult<f64> {
        used(&self.connected)?;
        Ok(self.now().0)
    }

    async fn declination_rate(&self) -> ASCOMResult<f64> {
        Ok(0.0)
    }

    async fn right_ascension_rate(&self) -> ASCOMResult<f64> {
        Ok(0.0)
    }

    async fn equatorial_system(&self) -> ASCOMResult<EquatorialCoordinateType> {
        Ok(EquatorialCoordinateType::J2000)
    }

    async fn sidereal_time(&self) -> ASCOMResult<f64> {
        Ok(0.0)
    }

    async fn slewing(&self) -> ASCOMResult<bool> {
        used(&self.connected)?;
        Ok(self.place.lock().unwrap().moving() || self.parked.lock().unwrap().moving())
    }

    async fn tracking(&self) -> ASCOMResult<bool> {
        used(&self.connected)?;
        Ok(self.still.lock().unwrap().is_none())
    }

    async fn set_tracking(&self, tracking: bool) -> ASCOMResult<()> {
        if tracking {
            self.unparked()?;
        }
        self.track(tracking);
        Ok(())
    }

    async fn tracking_rate(&self) -> ASCOMResult<DriveRate> {
        Ok(DriveRate::Sidereal)
    }

    async fn tracking_rates(&self) -> ASCOMResult<Vec<DriveRate>> {
        Ok(vec![DriveRate::Sidereal])
    }

    async fn utc_date(&self) -> ASCOMResult<SystemTime> {
        let (ahead, forward) = *self.ahead.lock().unwrap();
        let now = SystemTime::now();
        Ok(if forward { now + ahead } else { now - ahead })
    }

    async fn set_utc_date(&self, utc_date: SystemTime) -> ASCOMResult<()> {
        let now = SystemTime::now();
        *self.ahead.lock().unwrap() = match utc_date.duration_since(now) {
            Ok(ahead) => (ahead, true),
            Err(behind) => (behind.duration(), false),
        };
        Ok(())
    }

    async fn axis_rates(&self, _axis: TelescopeAxis) -> ASCOMResult<Vec<std::ops::RangeInclusive<f64>>> {
        Ok(Vec::new())
    }

    async fn abort_slew(&self) -> ASCOMResult<()> {
        self.unparked()?;
        self.place.lock().unwrap().stop();
        Ok(())
    }

    async fn park(&self) -> ASCOMResult<()> {
        used(&self.connected)?;
        self.track(false);
        let mut parked = self.parked.lock().unwrap();
        if !parked.now() {
            parked.go(true, SLEW);
        }
        Ok(())
    }

    async fn unpark(&self) -> ASCOMResult<()> {
        used(&self.connected)?;
        *self.parked.lock().unwrap() = Motion::at(false);
        Ok(())
    }

    async fn slew_to_coordinates_async(&self, right_ascension: f64, declination: f64) -> ASCOMResult<()> {
        self.unparked()?;
        check(right_ascension, declination)?;
        self.place.lock().unwrap().go((right_ascension, declination), SLEW);
        Ok(())
    }

    async fn sync_to_coordinates(&self, right_ascension: f64, declination: f64) -> ASCOMResult<()> {
        self.unparked()?;
        check(right_ascension, declination)?;
        *self.place.lock().unwrap() = Motion::at((right_ascension, declination));
        Ok(())
    }
}
