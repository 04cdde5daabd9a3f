//! What a chain's client does, again and again, and whether what it is told is so.

use super::{chain::Chain, oracle::Oracle, rest};
use astrobackend::{
    Celsius, Degrees, ErrorKind, Hours, RaDec, Result, Wait,
    device::{
        AnyDevice, CameraCaps, CameraExt, Control, DeviceId, DeviceState, Exposure, FilterWheelExt, FocuserExt,
        MountExt, Tracking,
    },
    guard::Verdict,
    image::Frame,
};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// Between two tries.
pub(super) const BREATH: Duration = Duration::from_millis(100);

/// The limit of a piece of work, with all its calls.
const STEP: Duration = Duration::from_secs(20);

/// What it has for stopping what it started.
const STOPPING: Duration = Duration::from_secs(3);

/// How much later than that it may end, on a machine that has more to do.
const LATE: Duration = Duration::from_secs(2);

/// After so many frames in a row that are not good, a user connects the camera anew: one whose USB was reset gives black ones.
const BAD: u32 = 4;

/// The longest time without one good frame.
const DROUGHT: Duration = Duration::from_secs(180);

/// What came of it.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) good: u32,
    not_good: u32,
    /// Calls that failed, by kind.
    failures: BTreeMap<&'static str, u32>,
    moves: u32,
    settings: u32,
    /// What was said of the last frame.
    pub(super) last: Option<Verdict>,
    /// Frames in a row that were not good.
    bad: u32,
    /// The number of the last exposure.
    number: u64,
    /// The longest piece of work.
    slowest: (Duration, &'static str),
    /// The longest time without a good frame, and since when there was none.
    drought: Duration,
    dry_since: Option<Instant>,
    pub(super) problems: Vec<String>,
}

impl Tally {
    /// Notes a piece of work.
    fn worked(&mut self, what: &'static str, begun: Instant) {
        let took = begun.elapsed();
        self.slowest = self.slowest.max((took, what));
        if took > STEP + STOPPING + LATE {
            self.problems.push(format!("{what} took {took:.1?}"));
        }
    }

    /// Notes whether there is a good frame by now.
    fn watched(&mut self, good: bool) {
        let since = *self.dry_since.get_or_insert_with(Instant::now);
        self.drought = self.drought.max(since.elapsed());
        if good {
            self.dry_since = Some(Instant::now());
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures: Vec<_> = self.failures.iter().map(|(kind, times)| format!("{times} {kind}")).collect();
        let failures = if failures.is_empty() { "none".to_owned() } else { failures.join(", ") };
        write!(
            f,
            "{} good frames, {} told to be bad or suspect, {} moves, {} settings; longest: {} for {:.1?}, {:.1?} without \
             a good frame; failures: {failures}",
            self.good, self.not_good, self.moves, self.settings, self.slowest.1, self.slowest.0, self.drought
        )
    }
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % sides
    }
}

/// Works until the end.
pub(super) fn until(chain: &Chain, end: Instant) -> Tally {
    let (mut tally, mut dice, mut oracle) = (Tally::default(), Dice(chain.seed()), Oracle::default());
    tally.watched(false);
    while Instant::now() < end {
        let (begun, good) = (Instant::now(), tally.good);
        let step = Wait::new(STEP).stopping_within(STOPPING);
        let (what, done) = match dice.throw(16) {
            0..=1 => ("slewing", step.within(|| slew(chain, &mut dice, &mut tally))),
            2..=4 => ("focusing", step.within(|| focus(chain, &mut dice, &mut tally))),
            5..=6 => ("changing the filter", step.within(|| filter(chain, &mut dice, &mut tally))),
            7 => ("setting the camera", step.within(|| set(chain, &mut dice, &mut tally))),
            _ => ("exposing", step.within(|| expose(chain, &mut dice, &mut oracle, &mut tally))),
        };
        tally.worked(what, begun);
        tally.watched(tally.good > good);
        if let Err(error) = done {
            *tally.failures.entry(error.kind().name()).or_default() += 1;
            // What fails may fail at once: others shall work.
            rest(BREATH);
        }
    }
    if tally.drought > DROUGHT {
        tally.problems.push(format!("{:.0?} without a good frame", tally.drought));
    }
    tally
}

/// Enough for what is in order.
fn wait() -> Wait {
    Wait::new(Duration::from_secs(8))
}

/// One of the devices, connected.
fn connected(chain: &Chain, pick: impl Fn(&AnyDevice) -> bool) -> Result<AnyDevice> {
    let client = chain.client();
    for info in client.devices()? {
        let device = client.device(&info.id)?;
        // Both the CCD and the wheel simulator of INDI have a wheel.
        if pick(&device) && info.part_of.is_none() {
            if !device.device().is_connected()? {
                device.device().connect()?;
            }
            return Ok(device);
        }
    }
    Err(astrobackend::Error::not_found("no such device now"))
}

/// A frame of some kind, binning and region.
fn expose(chain: &Chain, dice: &mut Dice, oracle: &mut Oracle, tally: &mut Tally) -> Result<()> {
    // The simulators' seconds pass fifty times as fast, those of an indiserver do not; its flats are saturated.
    let (millis, kinds) = if chain.truth().is_some() { (2000, 4) } else { (100, 3) };
    let duration = Duration::from_millis(millis + dice.throw(400));
    let kind = dice.throw(kinds);
    let exposure = |caps: &CameraCaps| match kind {
        0 => Exposure::light(duration),
        1 => Exposure::dark(duration),
        2 => Exposure::bias(*caps.exposure.start()),
        _ => Exposure::flat(duration / 20),
    };
    let (bin, part, place) = (1 + dice.throw(2) as u8, 1 + dice.throw(2) as u32, dice.throw(1 << 16) as u32);
    let frame = |width, height| {
        let mut frame = Frame::full(width, height, bin);
        let (wide, high) = (frame.width / part, frame.height / part);
        // Even, for the colours of a sensor that has them.
        frame.x = place % (frame.width - wide + 1) / 2 * 2;
        frame.y = place / 7 % (frame.height - high + 1) / 2 * 2;
        (frame.width, frame.height) = (wide, high);
        frame
    };
    take(chain, exposure, frame, oracle, tally)
}

/// Takes a frame, and compares what is said of it with what it is.
pub(super) fn take(
    chain: &Chain,
    exposure: impl FnOnce(&CameraCaps) -> Exposure,
    frame: impl FnOnce(u32, u32) -> Frame,
    oracle: &mut Oracle,
    tally: &mut Tally,
) -> Result<()> {
    let AnyDevice::Camera(camera) = connected(chain, |device| matches!(device, AnyDevice::Camera(_)))? else {
        return Ok(());
    };
    let caps = camera.caps()?;
    let (exposure, frame) = (exposure(&caps), frame(caps.sensor.width, caps.sensor.height));
    camera.set_frame(frame)?;
    let image = camera.expose(exposure, &wait())?;
    let wrong = oracle.judge(&image, exposure, frame);
    tally.last.clone_from(&image.meta.verdict);
    let number = image.meta.exposure_number.unwrap_or_default();
    if number <= tally.number {
        tally.problems.push(format!("exposure {number} came after exposure {}", tally.number));
    }
    tally.number = number;
    match &image.meta.verdict {
        Some(Verdict::Ok) => {
            (tally.good, tally.bad) = (tally.good + 1, 0);
            tally.problems.extend(wrong.into_iter().map(|wrong| format!("a frame was called good: {wrong}")));
        }
        Some(_) => (tally.not_good, tally.bad) = (tally.not_good + 1, tally.bad + 1),
        None => tally.problems.push("a frame was not judged".into()),
    }
    if tally.bad == BAD {
        tally.bad = 0;
        camera.disconnect()?;
    }
    Ok(())
}

/// Another gain, and the cooler on or off.
fn set(chain: &Chain, dice: &mut Dice, tally: &mut Tally) -> Result<()> {
    let AnyDevice::Camera(camera) = connected(chain, |device| matches!(device, AnyDevice::Camera(_)))? else {
        return Ok(());
    };
    let gain = camera.controls()?.into_iter().find(|info| info.control == Control::Gain && info.writable);
    if let Some(gain) = gain {
        camera.set_control(Control::Gain, gain.min + dice.throw(20).min((gain.max - gain.min) as u64) as f64)?;
        tally.settings += 1;
    }
    let off = dice.throw(3) == 0;
    match camera.set_cooler((!off).then(|| Celsius(-(dice.throw(10) as f64)))) {
        // The simulated CCD of INDI only goes to a temperature.
        Err(error) if off && error.kind() == ErrorKind::Unsupported => {}
        done => done?,
    }
    tally.settings += 1;
    Ok(())
}

fn slew(chain: &Chain, dice: &mut Dice, tally: &mut Tally) -> Result<()> {
    let AnyDevice::Mount(mount) = connected(chain, |device| matches!(device, AnyDevice::Mount(_)))? else {
        return Ok(());
    };
    let state = mount.state()?;
    if state.parked {
        mount.unpark(&wait())?;
    }
    if !state.tracking.on {
        mount.set_tracking(Tracking::SIDEREAL)?;
    }
    // Near the pole, which never sets.
    let (ra, dec) = (Hours(dice.throw(24) as f64), Degrees(70.0 + dice.throw(15) as f64));
    let place = RaDec::new(ra, dec, mount.caps()?.equinox);
    mount.slew(place, &wait())?;
    tally.moves += 1;
    arrived(chain, &mount.info().id, tally, |state| match state {
        DeviceState::Mount(state) => state.position.separation(place).0 < 0.5,
        _ => false,
    });
    Ok(())
}

fn focus(chain: &Chain, dice: &mut Dice, tally: &mut Tally) -> Result<()> {
    let AnyDevice::Focuser(focuser) = connected(chain, |device| matches!(device, AnyDevice::Focuser(_)))? else {
        return Ok(());
    };
    let place = 20_000 + dice.throw(10_000) as i32;
    focuser.move_to(place, &wait())?;
    tally.moves += 1;
    arrived(chain, &focuser.info().id, tally, |state| match state {
        DeviceState::Focuser(state) => state.position == Some(place),
        _ => false,
    });
    Ok(())
}

fn filter(chain: &Chain, dice: &mut Dice, tally: &mut Tally) -> Result<()> {
    let AnyDevice::FilterWheel(wheel) = connected(chain, |device| matches!(device, AnyDevice::FilterWheel(_)))? else {
        return Ok(());
    };
    let places = wheel.filters()?.len() as u64;
    let place = dice.throw(places.max(1)) as usize;
    wheel.move_to(place, &wait())?;
    tally.moves += 1;
    arrived(chain, &wheel.info().id, tally, |state| match state {
        DeviceState::FilterWheel(state) => state.position == Some(place),
        _ => false,
    });
    Ok(())
}

/// What moved and said that it arrived is there, in truth.
fn arrived(chain: &Chain, id: &DeviceId, tally: &mut Tally, is_there: impl Fn(&DeviceState) -> bool) {
    // A truth that fails just now says nothing.
    let truth = chain.truth().and_then(|truth| truth.device(id).ok()?.state().ok());
    if let Some(state) = truth.filter(|state| !is_there(state)) {
        tally.problems.push(format!("{id} was said to have arrived, and is {state:?}"));
    }
}
