//! What a chain's client does, again and again, and what it finds at the end.

use super::{chain::Chain, oracle::Oracle, rest};
use astrobackend::{
    Backend, Degrees, Hours, RaDec, Result, Wait,
    device::{
        AnyDevice, CameraExt, DeviceState, Exposure, ExposureState, FilterWheelExt, FocuserExt, MountExt, Tracking,
    },
    event::Link,
    guard::Verdict,
    image::Frame,
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// Time after which everything must have come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries.
const BREATH: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) good: u32,
    not_good: u32,
    /// Calls that failed, by kind.
    failures: BTreeMap<&'static str, u32>,
    moves: u32,
    /// What was said of the last frame.
    last: Option<Verdict>,
    pub(super) problems: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures: Vec<_> = self.failures.iter().map(|(kind, times)| format!("{times} {kind}")).collect();
        let failures = if failures.is_empty() { "none".to_owned() } else { failures.join(", ") };
        write!(
            f,
            "{} good frames, {} told to be bad or suspect, {} moves; failures: {failures}",
            self.good, self.not_good, self.moves
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
    while Instant::now() < end {
        let done = match dice.throw(6) {
            0 => slew(chain, &mut dice).map(|()| tally.moves += 1),
            1 => focus(chain, &mut dice).map(|()| tally.moves += 1),
            2 => filter(chain, &mut dice).map(|()| tally.moves += 1),
            _ => expose(chain, &mut dice, &mut oracle, &mut tally),
        };
        if let Err(error) = done {
            *tally.failures.entry(error.kind().name()).or_default() += 1;
            // What fails may fail at once: others shall work.
            rest(BREATH);
        }
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
    let (millis, kinds) = if chain.truth().is_some() { (2000, 3) } else { (100, 2) };
    let duration = Duration::from_millis(millis + dice.throw(400));
    let exposure = match dice.throw(kinds) {
        0 => Exposure::light(duration),
        1 => Exposure::dark(duration),
        _ => Exposure::flat(duration / 20),
    };
    let (bin, part) = (1 + dice.throw(2) as u8, 1 + dice.throw(2) as u32);
    take(chain, exposure, (bin, part), oracle, tally)
}

/// Takes a frame, and compares what is said of it with what it is.
fn take(
    chain: &Chain,
    exposure: Exposure,
    (bin, part): (u8, u32),
    oracle: &mut Oracle,
    tally: &mut Tally,
) -> Result<()> {
    let AnyDevice::Camera(camera) = connected(chain, |device| matches!(device, AnyDevice::Camera(_)))? else {
        return Ok(());
    };
    let caps = camera.caps()?;
    let mut frame = Frame::full(caps.sensor.width, caps.sensor.height, bin);
    (frame.width, frame.height) = (frame.width / part, frame.height / part);
    camera.set_frame(frame)?;
    let image = camera.expose(exposure, &wait())?;
    let wrong = oracle.judge(&image, exposure, frame);
    tally.last.clone_from(&image.meta.verdict);
    match &image.meta.verdict {
        Some(Verdict::Ok) => {
            tally.good += 1;
            tally.problems.extend(wrong.into_iter().map(|wrong| format!("a frame was called good: {wrong}")));
        }
        Some(_) => tally.not_good += 1,
        None => tally.problems.push("a frame was not judged".into()),
    }
    Ok(())
}

fn slew(chain: &Chain, dice: &mut Dice) -> Result<()> {
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
    let place = RaDec::j2000(Hours(dice.throw(24) as f64), Degrees(70.0 + dice.throw(15) as f64));
    mount.slew(place, &wait())
}

fn focus(chain: &Chain, dice: &mut Dice) -> Result<()> {
    let AnyDevice::Focuser(focuser) = connected(chain, |device| matches!(device, AnyDevice::Focuser(_)))? else {
        return Ok(());
    };
    focuser.move_to(20_000 + dice.throw(10_000) as i32, &wait())
}

fn filter(chain: &Chain, dice: &mut Dice) -> Result<()> {
    let AnyDevice::FilterWheel(wheel) = connected(chain, |device| matches!(device, AnyDevice::FilterWheel(_)))? else {
        return Ok(());
    };
    let places = wheel.filters()?.len() as u64;
    wheel.move_to(dice.throw(places.max(1)) as usize, &wait())
}

/// Waits until all is well again, takes a last frame, and compares what the client says with the truth.
pub(super) fn settle(chain: &Chain) -> Vec<String> {
    let mut why = String::new();
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        match at_rest(chain) {
            Ok(()) => return compare(chain),
            Err(error) => why = error,
        }
        rest(BREATH);
    }
    vec![format!("it did not come back: {why}")]
}

/// Everything is connected and nothing moves, and a frame is good.
fn at_rest(chain: &Chain) -> Result<(), String> {
    let text = |error: astrobackend::Error| error.to_string();
    if chain.client().link() != Link::Up {
        return Err(format!("the link is {:?}", chain.client().link()));
    }
    for info in chain.client().devices().map_err(text)? {
        let device = chain.client().device(&info.id).map_err(text)?;
        device.device().connect().map_err(text)?;
        if is_busy(&device.state().map_err(text)?) {
            return Err(format!("{} is busy", info.id));
        }
    }
    let mut tally = Tally::default();
    let exposure = Exposure::dark(Duration::from_millis(200));
    take(chain, exposure, (1, 1), &mut Oracle::default(), &mut tally).map_err(text)?;
    if tally.good == 1 { Ok(()) } else { Err(format!("the last frame is not good: {:?}", tally.last)) }
}

fn is_busy(state: &DeviceState) -> bool {
    match state {
        DeviceState::Camera(state) => state.exposure.is_busy() || state.pulse_guiding,
        DeviceState::FilterWheel(state) => state.position.is_none(),
        DeviceState::Focuser(state) => state.moving,
        DeviceState::Mount(state) => state.slewing || state.pulse_guiding,
        _ => false,
    }
}

/// How what the client says differs from the truth.
fn compare(chain: &Chain) -> Vec<String> {
    let Some(truth) = chain.truth() else { return compare_with_another(chain) };
    differences(chain.client(), truth)
}

/// An indiserver's truth is what it tells somebody who asks for the first time.
fn compare_with_another(chain: &Chain) -> Vec<String> {
    let fresh = astrobackend::open(&chain.client().address().to_string()).unwrap();
    // Waits until all drivers have told what they are.
    fresh.devices().unwrap();
    differences(chain.client(), &fresh)
}

fn differences(client: &Arc<dyn Backend>, truth: &Arc<dyn Backend>) -> Vec<String> {
    let mut wrong = Vec::new();
    for info in client.devices().unwrap() {
        let told = client.device(&info.id).unwrap().state().unwrap();
        let Ok(device) = truth.device(&info.id) else {
            wrong.push(format!("{} is not there", info.id));
            continue;
        };
        match device.state() {
            Ok(state) => wrong.extend(difference(&told, &state).map(|why| format!("{}: {why}", info.id))),
            Err(error) => wrong.push(format!("{}: {error}", info.id)),
        }
    }
    wrong
}

fn difference(told: &DeviceState, truth: &DeviceState) -> Option<String> {
    let same = match (told, truth) {
        (DeviceState::Camera(told), DeviceState::Camera(truth)) => {
            let on = |state: &astrobackend::device::CameraState| state.cooler.map(|cooler| cooler.on);
            let ready = |state: &ExposureState| matches!(state, ExposureState::Ready);
            // Another client of an INDI server does not get the picture.
            on(told) == on(truth) && (ready(&told.exposure) || told.exposure == truth.exposure)
        }
        (DeviceState::Mount(told), DeviceState::Mount(truth)) => {
            let near = told.position.separation(truth.position).0 < 0.1;
            near && (told.slewing, told.parked, told.tracking.on) == (truth.slewing, truth.parked, truth.tracking.on)
        }
        (DeviceState::FilterWheel(told), DeviceState::FilterWheel(truth)) => told.position == truth.position,
        (DeviceState::Focuser(told), DeviceState::Focuser(truth)) => {
            (told.position, told.moving) == (truth.position, truth.moving)
        }
        _ => false,
    };
    (!same).then(|| format!("{told:?}, but in truth {truth:?}"))
}
