//! What must be so at the end: all is well again, and what a client says is the truth.

use super::{
    chain::Chain,
    oracle::Oracle,
    rest,
    work::{BREATH, Tally, take},
};
use astrobackend::{
    Backend,
    device::{CameraState, Control, Device, DeviceState, Exposure, ExposureState},
    event::Link,
    image::Frame,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Time after which everything must have come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until all is well again, takes a last frame, and compares what the client says with the truth.
pub(super) fn settle(chain: &Chain) -> Vec<String> {
    let mut why = String::new();
    let end = Instant::now() + PATIENCE;
    let mut tally = Tally::default();
    while Instant::now() < end {
        match at_rest(chain, &mut tally) {
            Ok(()) => return compare(chain),
            Err(error) => why = error,
        }
        rest(BREATH);
    }
    vec![format!("it did not come back: {why}")]
}

/// Everything is connected and nothing moves, and a frame is good.
fn at_rest(chain: &Chain, tally: &mut Tally) -> Result<(), String> {
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
    let good = tally.good;
    let whole = |width, height| Frame::full(width, height, 1);
    take(chain, |_| Exposure::dark(Duration::from_millis(200)), whole, &mut Oracle::default(), tally).map_err(text)?;
    if tally.good > good { Ok(()) } else { Err(format!("the last frame is not good: {:?}", tally.last)) }
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
        let (told, is) = (gain(client.device(&info.id).unwrap().device()), gain(device.device()));
        if told != is {
            wrong.push(format!("{}: a gain of {told:?}, but in truth {is:?}", info.id));
        }
    }
    wrong
}

/// The gain, of a device that has one.
fn gain(device: &dyn Device) -> Option<f64> {
    device.controls().unwrap().iter().find(|info| info.control == Control::Gain)?;
    Some(device.control(Control::Gain).unwrap())
}

/// How what is told of a device differs from what it is.
fn difference(told: &DeviceState, truth: &DeviceState) -> Option<String> {
    let same = match (told, truth) {
        (DeviceState::Camera(told), DeviceState::Camera(truth)) => {
            let cooling = |state: &CameraState| state.cooler.map(|cooler| (cooler.on, cooler.set_point));
            // ASCOM has no word for a cooler that was never told a temperature.
            let told_nothing = truth.cooler.is_some_and(|cooler| cooler.set_point.is_none());
            let on = |state: &CameraState| state.cooler.map(|cooler| cooler.on);
            let same_cooling = cooling(told) == cooling(truth) || (told_nothing && on(told) == on(truth));
            let ready = |state: &ExposureState| matches!(state, ExposureState::Ready);
            // Another client of an INDI server does not get the picture.
            same_cooling && (ready(&told.exposure) || told.exposure == truth.exposure)
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
