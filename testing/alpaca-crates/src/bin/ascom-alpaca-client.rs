//! The crate ascom-alpaca as a client: `ascom-alpaca-client http://HOST:PORT tour|image`.
//!
//! `tour` uses a device of each kind and prints a line for each thing that worked; it fails at the first that does not.
//! `image` takes a picture, fetches it seven times and prints width, height, the sum of all pixels, and the median time.

use ascom_alpaca::{
    Client,
    api::{Camera, Device, FilterWheel, Focuser, Telescope, TypedDevice},
};
use eyre::{Result, ensure};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const LONGEST: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or_else(|| eyre::eyre!("which address?"))?;
    let client = Client::new(&address)?;
    let image = arguments.next().as_deref() == Some("image");
    let info = client.get_server_info().await?;
    println!("server {} {}", info.server_name, info.manufacturer_version);
    let mut devices = 0;
    for device in client.get_devices().await? {
        devices += 1;
        match device {
            TypedDevice::Camera(camera) if image => return fetch(camera).await,
            TypedDevice::Camera(camera) => expose(camera).await?,
            TypedDevice::Focuser(focuser) if !image => focus(focuser).await?,
            TypedDevice::FilterWheel(wheel) if !image => turn(wheel).await?,
            TypedDevice::Telescope(mount) if !image => point(mount).await?,
            _ => {}
        }
    }
    ensure!(devices > 0, "the server has no devices");
    Ok(())
}

/// Asks until it is so.
macro_rules! until {
    ($what:expr) => {{
        let begun = Instant::now();
        while !$what {
            ensure!(begun.elapsed() < LONGEST, "{} is not so after {LONGEST:?}", stringify!($what));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }};
}

async fn connect(device: &(dyn Device + Send + Sync)) -> Result<()> {
    device.set_connected(true).await?;
    ensure!(device.connected().await?, "does not stay connected");
    let name = device.name().await?;
    println!("connected {name}: {}, {}", device.description().await?, device.driver_version().await?);
    device.supported_actions().await?;
    Ok(())
}

async fn picture(camera: &Arc<dyn Camera>) -> Result<()> {
    camera.start_exposure(Duration::from_millis(200), true).await?;
    until!(camera.image_ready().await?);
    Ok(())
}

async fn expose(camera: Arc<dyn Camera>) -> Result<()> {
    connect(&*camera).await?;
    picture(&camera).await?;
    let image = camera.image_array().await?;
    let sizes = (camera.num_x().await? as usize, camera.num_y().await? as usize);
    ensure!((image.dim().0, image.dim().1) == sizes, "{:?} for {sizes:?}", image.dim());
    camera.last_exposure_duration().await?;
    camera.last_exposure_start_time().await?;
    println!("exposed {:?}, {:?}", image.dim(), camera.device_state().await?);
    Ok(())
}

async fn fetch(camera: Arc<dyn Camera>) -> Result<()> {
    connect(&*camera).await?;
    picture(&camera).await?;
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..7 {
        let begun = Instant::now();
        last = Some(camera.image_array().await?);
        times.push(begun.elapsed());
    }
    times.sort();
    let Some(image) = last else { return Ok(()) };
    let sum: i64 = image.iter().map(|pixel| i64::from(*pixel)).sum();
    println!("image {} {} {sum} {:.6}", image.dim().0, image.dim().1, times[3].as_secs_f64());
    Ok(())
}

async fn focus(focuser: Arc<dyn Focuser>) -> Result<()> {
    connect(&*focuser).await?;
    let place = focuser.position().await?;
    let target = if place > 1000 { place - 500 } else { place + 500 };
    focuser.move_(target).await?;
    ensure!(focuser.is_moving().await? || focuser.position().await? == target, "does not move");
    until!(!focuser.is_moving().await?);
    ensure!((focuser.position().await? - target).abs() <= 2, "stands elsewhere");
    println!("focused {target}");
    Ok(())
}

async fn turn(wheel: Arc<dyn FilterWheel>) -> Result<()> {
    connect(&*wheel).await?;
    let names = wheel.names().await?;
    ensure!(names.len() == wheel.focus_offsets().await?.len(), "names and offsets differ");
    wheel.set_position(names.len() - 1).await?;
    until!(wheel.position().await?.is_some());
    ensure!(wheel.position().await? == Some(names.len() - 1), "stands elsewhere");
    println!("turned {names:?}");
    Ok(())
}

async fn point(mount: Arc<dyn Telescope>) -> Result<()> {
    connect(&*mount).await?;
    if mount.at_park().await? {
        mount.unpark().await?;
        until!(!mount.at_park().await?);
    }
    mount.set_tracking(true).await?;
    let (ra, dec) = (mount.right_ascension().await?, mount.declination().await?);
    let target = (ra, if dec > 0.0 { dec - 1.0 } else { dec + 1.0 });
    mount.slew_to_coordinates_async(target.0, target.1).await?;
    until!(!mount.slewing().await?);
    let off = (mount.declination().await? - target.1).abs();
    ensure!(off < 0.02, "stands {off} degrees off");
    mount.utc_date().await?;
    println!("pointed {target:?}");
    Ok(())
}
