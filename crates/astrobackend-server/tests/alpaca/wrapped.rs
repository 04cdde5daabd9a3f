//! A simulator whose camera can hang or give pictures of the test's own, and whose devices can go away.

use astrobackend::{
    Address, Backend, Cancel, Celsius, Events, Result,
    device::{
        AnyDevice, Camera, CameraCaps, CameraState, Control, ControlInfo, Device, DeviceId, DeviceInfo, Exposure,
    },
    image::{Frame, Image},
};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct Wrapped {
    inner: Arc<dyn Backend>,
    image: Option<Image>,
    /// While it is not cancelled, the camera's state does not come back.
    hang: Option<Cancel>,
    hidden: Arc<Mutex<Vec<DeviceId>>>,
}

impl Wrapped {
    pub(crate) fn over(inner: Arc<dyn Backend>) -> Self {
        Wrapped { inner, image: None, hang: None, hidden: Arc::default() }
    }

    pub(crate) fn giving(self, image: Image) -> Self {
        Wrapped { image: Some(image), ..self }
    }

    pub(crate) fn hanging(self, until: &Cancel) -> Self {
        Wrapped { hang: Some(until.clone()), ..self }
    }

    /// The devices that are away.
    pub(crate) fn hidden(&self) -> Arc<Mutex<Vec<DeviceId>>> {
        self.hidden.clone()
    }
}

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Backend for Wrapped {
    fn address(&self) -> &Address {
        self.inner.address()
    }
    fn devices(&self) -> Result<Vec<DeviceInfo>> {
        let mut devices = self.inner.devices()?;
        devices.retain(|info| !self.hidden.lock().unwrap().contains(&info.id));
        Ok(devices)
    }
    fn device(&self, id: &DeviceId) -> Result<AnyDevice> {
        Ok(match self.inner.device(id)? {
            AnyDevice::Camera(inner) => {
                AnyDevice::Camera(Arc::new(WrappedCamera { inner, image: self.image.clone(), hang: self.hang.clone() }))
            }
            other => other,
        })
    }
    fn events(&self) -> Events {
        self.inner.events()
    }
}

#[derive(Debug)]
struct WrappedCamera {
    inner: Arc<dyn Camera>,
    image: Option<Image>,
    hang: Option<Cancel>,
}

impl Device for WrappedCamera {
    fn info(&self) -> DeviceInfo {
        self.inner.info()
    }
    fn connect(&self) -> Result<()> {
        self.inner.connect()
    }
    fn disconnect(&self) -> Result<()> {
        self.inner.disconnect()
    }
    fn is_connected(&self) -> Result<bool> {
        self.inner.is_connected()
    }
    fn controls(&self) -> Result<Vec<ControlInfo>> {
        self.inner.controls()
    }
    fn control(&self, control: Control) -> Result<f64> {
        self.inner.control(control)
    }
    fn set_control(&self, control: Control, value: f64) -> Result<()> {
        self.inner.set_control(control, value)
    }
}

impl Camera for WrappedCamera {
    fn caps(&self) -> Result<Arc<CameraCaps>> {
        self.inner.caps()
    }
    fn state(&self) -> Result<CameraState> {
        if let Some(hang) = &self.hang {
            hang.wait(Duration::from_secs(60));
        }
        self.inner.state()
    }
    fn frame(&self) -> Result<Frame> {
        self.inner.frame()
    }
    fn set_frame(&self, frame: Frame) -> Result<()> {
        self.inner.set_frame(frame)
    }
    fn set_cooler(&self, set_point: Option<Celsius>) -> Result<()> {
        self.inner.set_cooler(set_point)
    }
    fn start_exposure(&self, exposure: Exposure) -> Result<()> {
        self.inner.start_exposure(exposure)
    }
    fn stop_exposure(&self) -> Result<()> {
        self.inner.stop_exposure()
    }
    fn abort_exposure(&self) -> Result<()> {
        self.inner.abort_exposure()
    }
    fn image(&self) -> Result<Arc<Image>> {
        match &self.image {
            Some(image) => Ok(Arc::new(image.clone())),
            None => self.inner.image(),
        }
    }
}
