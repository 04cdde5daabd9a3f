//! How fast the simulated observatory is: `cargo bench -p astrobackend --bench sim`.
//!
//! Prints the median of seven runs beside the goal. Rendering uses one core.

use astrobackend::{
    Degrees, Hours, RaDec, Result, Wait,
    device::{AnyDevice, Exposure, MountExt},
};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const RUNS: usize = 7;

fn main() -> Result<()> {
    // `cargo test --benches` only wants to know that it runs.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    render("light frame 9576x6388, 16 bit", "imx455", quick, |seconds| format!("{seconds:.2} s (goal: below 2)"))?;
    render("light frame 1280x1024, 16 bit", "generic", quick, |seconds| {
        format!("{:.0} per second (goal: above 30)", 1.0 / seconds)
    })?;
    states(quick)
}

/// Times what the first look at the picture of an exposure costs.
fn render(what: &str, sensor: &str, quick: bool, tell: impl Fn(f64) -> String) -> Result<()> {
    let sensor = if quick { "generic" } else { sensor };
    let observatory = astrobackend::open(&format!("sim://?speed=100000&sensor={sensor}"))?;
    let (mount, camera) = (observatory.mount()?, observatory.camera()?);
    mount.connect()?;
    camera.connect()?;
    let wait = Wait::new(Duration::from_secs(60)).every(Duration::from_millis(1));
    mount.slew(RaDec::j2000(Hours(5.588), Degrees(-5.391)), &wait)?;
    let seconds = median(if quick { 1 } else { RUNS }, || {
        camera.start_exposure(Exposure::light(Duration::from_secs(60)))?;
        wait.until("the exposure", || Ok((!camera.state()?.exposure.is_busy()).then_some(())), || Ok(()))?;
        let begin = Instant::now();
        black_box(camera.image()?);
        Ok(begin.elapsed().as_secs_f64())
    })?;
    println!("{what}: {}", tell(seconds));
    Ok(())
}

/// Times reading the state of each device.
fn states(quick: bool) -> Result<()> {
    let reads = if quick { 1000 } else { 1_000_000 };
    let observatory = astrobackend::open("sim://")?;
    for info in observatory.devices()? {
        let device = observatory.device(&info.id)?;
        device.device().connect()?;
        let seconds = median(if quick { 1 } else { RUNS }, || {
            let begin = Instant::now();
            for _ in 0..reads {
                read(&device)?;
            }
            Ok(begin.elapsed().as_secs_f64())
        })?;
        println!("state of the {}: {:.0} ns (goal: below 1000)", info.id.kind, seconds / f64::from(reads) * 1e9);
    }
    Ok(())
}

fn read(device: &AnyDevice) -> Result<()> {
    black_box(device.state()?);
    Ok(())
}

fn median(runs: usize, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut seconds = (0..runs).map(|_| run()).collect::<Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[runs / 2])
}
