//! A backend with one camera whose pictures are made by the test: to compare every pixel, and for benches.

use astrobackend::{
    Address, Backend, Celsius, Error, ErrorKind, Image, Result, Timestamp,
    device::{
        Age, AnyDevice, Camera, CameraCaps, CameraState, Colour, Control, ControlInfo, Device, DeviceId, DeviceInfo,
        DeviceKind, Exposure, ExposureState, Sensor, find_control,
    },
    event::{Events, Hub},
    image::Frame,
};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The backend.
#[derive(Debug)]
pub struct Canned {
    address: Address,
    camera: Arc<CannedCamera>,
    hub: Hub,
}

/// Makes the picture of the n-th exposure, from 0.
type Make = dyn Fn(usize) -> Image + Send + Sync;

/// Its camera.
pub struct CannedCamera {
    info: DeviceInfo,
    caps: Arc<CameraCaps>,
    make: Box<Make>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    connected: bool,
    exposures: usize,
    frame: Frame,
    ends: Option<(Instant, Timestamp, Duration)>,
    picture: Option<Arc<Image>>,
}

impl Canned {
    /// A camera of a size, and what it takes: the n-th exposure, from 0, gives `make(n)`.
    pub fn new(
        (width, height): (u32, u32),
        colour: Colour,
        make: impl Fn(usize) -> Image + Send + Sync + 'static,
    ) -> Arc<Self> {
        let address = Address::new("canned");
        let id = DeviceId::new(DeviceKind::Camera, "Canned Camera");
        let info = DeviceInfo {
            description: Some("A camera whose pictures are given".into()),
            driver: Some("canned".into()),
            driver_version: Some("1.0".into()),
            ..DeviceInfo::new(id.clone(), address.clone().with_path(id.name))
        };
        let sensor = Sensor { width, height, colour, ..Sensor::default() };
        let caps = CameraCaps {
            sensor,
            max_bin: (1, 1),
            asymmetric_bin: false,
            exposure: Duration::ZERO..=Duration::from_secs(3600),
            exposure_resolution: Duration::ZERO,
            stop: false,
            abort: true,
            cooler: None,
            shutter: false,
            pulse_guide: false,
        };
        let frame = Frame::full(width, height, 1);
        let inner = Inner { connected: false, exposures: 0, frame, ends: None, picture: None };
        let camera = CannedCamera { info, caps: Arc::new(caps), make: Box::new(make), inner: Mutex::new(inner) };
        Arc::new(Canned { address, camera: Arc::new(camera), hub: Hub::default() })
    }
}

impl fmt::Display for Canned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Backend for Canned {
    fn address(&self) -> &Address {
        &self.address
    }

    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        Ok(vec![self.camera.info.clone()])
    }

    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        match *id == self.camera.info.id {
            true => Ok(AnyDevice::Camera(self.camera.clone())),
            false => Err(Error::not_found(format!("there is no {id}"))),
        }
    }

    fn events(&self) -> Events {
        self.hub.subscribe()
    }

    fn answers_from_memory(&self) -> bool {
        true
    }
}

impl fmt::Debug for CannedCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CannedCamera").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl CannedCamera {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> Result<MutexGuard<'_, Inner>> {
        let inner = self.inner();
        if inner.connected { Ok(inner) } else { Err(Error::not_connected().on(&self.info.id)) }
    }
}

impl Inner {
    fn exposure(&mut self) -> ExposureState {
        let Some((ends, ..)) = self.ends else { return ExposureState::Idle };
        let remaining = ends.saturating_duration_since(Instant::now());
        match remaining.is_zero() {
            true => ExposureState::Ready,
            false => ExposureState::Exposing { remaining: Some(remaining), percent: None },
        }
    }
}

impl Device for CannedCamera {
    fn info(&self) -> DeviceInfo {
        self.info.clone()
    }

    fn connect(&self) -> Result<()> {
        self.inner().connected = true;
        Ok(())
    }

    fn disconnect(&self) -> Result<()> {
        self.inner().connected = false;
        Ok(())
    }

    fn is_connected(&self) -> Result<bool> {
        Ok(self.inner().connected)
    }

    fn controls(&self) -> Result<Vec<ControlInfo>> {
        Ok(Vec::new())
    }

    fn control(&self, control: Control) -> Result<f64> {
        find_control(&[], control).map(|_| 0.0).map_err(|error| error.on(&self.info.id))
    }

    fn set_control(&self, control: Control, _value: f64) -> Result<()> {
        self.control(control).map(drop)
    }
}

impl Camera for CannedCamera {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        self.used().map(|_| self.caps.clone())
    }

    fn state(&self) -> Result<CameraState> {
        let mut inner = self.used()?;
        let exposure = inner.exposure();
        let last_exposure = inner.ends.filter(|_| exposure == ExposureState::Ready).map(|(_, at, length)| (at, length));
        Ok(CameraState {
            exposure,
            temperature: None,
            heat_sink: None,
            cooler: None,
            pulse_guiding: false,
            electrons_per_adu: None,
            full_well: None,
            max_adu: None,
            last_exposure,
            age: Age::NOW,
        })
    }

    fn frame(&self) -> Result<Frame> {
        Ok(self.used()?.frame)
    }

    fn set_frame(&self, frame: Frame) -> Result<()> {
        let mut inner = self.used()?;
        let sensor = &self.caps.sensor;
        frame.check(sensor.width, sensor.height).map_err(|error| error.on(&self.info.id))?;
        inner.frame = frame;
        Ok(())
    }

    fn set_cooler(&self, _set_point: Option<Celsius>) -> Result<()> {
        Err(Error::unsupported("has no cooler").on(&self.info.id))
    }

    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        let mut inner = self.used()?;
        if inner.exposure().is_busy() {
            return Err(Error::new(ErrorKind::Busy, "another exposure is under way").on(&self.info.id));
        }
        // The one before goes before the next is made: large frames are not there twice.
        inner.picture = None;
        inner.picture = Some(Arc::new((self.make)(inner.exposures)));
        inner.exposures += 1;
        inner.ends = Some((Instant::now() + exposure.duration, Timestamp::now(), exposure.duration));
        Ok(())
    }

    fn stop_exposure(&self) -> Result<()> {
        Err(Error::unsupported("can only abort").on(&self.info.id))
    }

    fn abort_exposure(&self) -> Result<()> {
        let mut inner = self.used()?;
        if inner.exposure().is_busy() {
            inner.ends = None;
        }
        Ok(())
    }

    fn image(&self) -> Result<Arc<Image>> {
        let mut inner = self.used()?;
        let ready = inner.exposure() == ExposureState::Ready;
        let picture = inner.picture.clone().filter(|_| ready);
        picture.ok_or_else(|| Error::invalid_operation("has no image").on(&self.info.id))
    }

    fn take_image(&self) -> Result<Arc<Image>> {
        let image = self.image()?;
        self.inner().picture = None;
        Ok(image)
    }
}
