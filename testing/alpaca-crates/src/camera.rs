//! A camera that takes its time and counts its pictures.

use crate::{common, used};
use ascom_alpaca::{
    ASCOMError, ASCOMResult,
    api::{
        self,
        camera::{CameraState, ImageArray, SensorType},
    },
};
use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::{Duration, Instant, SystemTime},
};

/// The camera.
#[derive(Debug)]
pub struct Camera {
    connected: AtomicBool,
    width: u32,
    height: u32,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    frame: [u32; 4],
    taking: Option<(Instant, Duration)>,
    last: Option<(SystemTime, Duration)>,
    pictures: u32,
    ready: Option<ndarray::Array2<u16>>,
}

impl Camera {
    /// A camera with so many pixels.
    pub fn new(width: u32, height: u32) -> Self {
        let frame = [0, 0, width, height];
        let inner = Inner { frame, taking: None, last: None, pictures: 0, ready: None };
        Camera { connected: AtomicBool::default(), width, height, inner: Mutex::new(inner) }
    }
}

impl Inner {
    /// Ends an exposure whose time is over.
    fn look(&mut self) -> bool {
        if self.taking.is_some_and(|(begun, length)| begun.elapsed() >= length) {
            self.taking = None;
            let ([x0, y0, width, height], n) = (self.frame, self.pictures);
            let pixel = |(x, y): (usize, usize)| ((x as u32 + x0) + 256 * (y as u32 + y0) + n) as u16;
            self.ready = Some(ndarray::Array2::from_shape_fn((width as usize, height as usize), pixel));
        }
        self.taking.is_some()
    }
}

common!(Camera, "Peer Camera");

#[async_trait::async_trait]
impl api::Camera for Camera {
    async fn camera_state(&self) -> ASCOMResult<CameraState> {
        used(&self.connected)?;
        let busy = self.inner.lock().unwrap().look();
        Ok(if busy { CameraState::Exposing } else { CameraState::Idle })
    }

    async fn camera_x_size(&self) -> ASCOMResult<u32> {
        Ok(self.width)
    }

    async fn camera_y_size(&self) -> ASCOMResult<u32> {
        Ok(self.height)
    }

    async fn bin_x(&self) -> ASCOMResult<u8> {
        Ok(1)
    }

    async fn bin_y(&self) -> ASCOMResult<u8> {
        Ok(1)
    }

    async fn set_bin_x(&self, bin_x: u8) -> ASCOMResult<()> {
        if bin_x == 1 { Ok(()) } else { Err(ASCOMError::invalid_value("this camera does not bin")) }
    }

    async fn set_bin_y(&self, bin_y: u8) -> ASCOMResult<()> {
        self.set_bin_x(bin_y).await
    }

    async fn max_bin_x(&self) -> ASCOMResult<u8> {
        Ok(1)
    }

    async fn max_bin_y(&self) -> ASCOMResult<u8> {
        Ok(1)
    }

    async fn can_abort_exposure(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn exposure_max(&self) -> ASCOMResult<Duration> {
        Ok(Duration::from_secs(3600))
    }

    async fn exposure_min(&self) -> ASCOMResult<Duration> {
        Ok(Duration::from_millis(1))
    }

    async fn exposure_resolution(&self) -> ASCOMResult<Duration> {
        Ok(Duration::from_millis(1))
    }

    async fn has_shutter(&self) -> ASCOMResult<bool> {
        Ok(false)
    }

    async fn image_array(&self) -> ASCOMResult<ImageArray> {
        used(&self.connected)?;
        let mut inner = self.inner.lock().unwrap();
        inner.look();
        match &inner.ready {
            Some(pixels) => Ok(pixels.view().into()),
            None => Err(ASCOMError::invalid_operation("there is no picture")),
        }
    }

    async fn image_ready(&self) -> ASCOMResult<bool> {
        used(&self.connected)?;
        let mut inner = self.inner.lock().unwrap();
        Ok(!inner.look() && inner.ready.is_some())
    }

    async fn last_exposure_duration(&self) -> ASCOMResult<Duration> {
        self.inner.lock().unwrap().last.map(|(_, length)| length).ok_or(ASCOMError::INVALID_OPERATION)
    }

    async fn last_exposure_start_time(&self) -> ASCOMResult<SystemTime> {
        self.inner.lock().unwrap().last.map(|(begun, _)| begun).ok_or(ASCOMError::INVALID_OPERATION)
    }

    async fn max_adu(&self) -> ASCOMResult<u32> {
        Ok(65_535)
    }

    async fn num_x(&self) -> ASCOMResult<u32> {
        Ok(self.inner.lock().unwrap().frame[2])
    }

    async fn set_num_x(&self, num_x: u32) -> ASCOMResult<()> {
        self.inner.lock().unwrap().frame[2] = num_x;
        Ok(())
    }

    async fn num_y(&self) -> ASCOMResult<u32> {
        Ok(self.inner.lock().unwrap().frame[3])
    }

    async fn set_num_y(&self, num_y: u32) -> ASCOMResult<()> {
        self.inner.lock().unwrap().frame[3] = num_y;
        Ok(())
    }

    async fn start_x(&self) -> ASCOMResult<u32> {
        Ok(self.inner.lock().unwrap().frame[0])
    }

    async fn set_start_x(&self, start_x: u32) -> ASCOMResult<()> {
        self.inner.lock().unwrap().frame[0] = start_x;
        Ok(())
    }

    async fn start_y(&self) -> ASCOMResult<u32> {
        Ok(self.inner.lock().unwrap().frame[1])
    }

    async fn set_start_y(&self, start_y: u32) -> ASCOMResult<()> {
        self.inner.lock().unwrap().frame[1] = start_y;
        Ok(())
    }

    async fn pixel_size_x(&self) -> ASCOMResult<f64> {
        Ok(3.76)
    }

    async fn pixel_size_y(&self) -> ASCOMResult<f64> {
        Ok(3.76)
    }

    async fn readout_mode(&self) -> ASCOMResult<usize> {
        Ok(0)
    }

    async fn set_readout_mode(&self, readout_mode: usize) -> ASCOMResult<()> {
        if readout_mode == 0 { Ok(()) } else { Err(ASCOMError::invalid_value("there is one mode")) }
    }

    async fn readout_modes(&self) -> ASCOMResult<Vec<String>> {
        Ok(vec!["Default".into()])
    }

    async fn sensor_name(&self) -> ASCOMResult<String> {
        Ok("Peer".into())
    }

    async fn sensor_type(&self) -> ASCOMResult<SensorType> {
        Ok(SensorType::Monochrome)
    }

    async fn abort_exposure(&self) -> ASCOMResult<()> {
        self.inner.lock().unwrap().taking = None;
        Ok(())
    }

    async fn start_exposure(&self, duration: Duration, _light: bool) -> ASCOMResult<()> {
        used(&self.connected)?;
        let mut inner = self.inner.lock().unwrap();
        let [x, y, width, height] = inner.frame;
        let beyond = |from: u32, length: u32, size| length == 0 || from.saturating_add(length) > size;
        if beyond(x, width, self.width) || beyond(y, height, self.height) {
            return Err(ASCOMError::invalid_value("the region does not lie on the sensor"));
        }
        if inner.look() {
            return Err(ASCOMError::invalid_operation("another exposure is under way"));
        }
        inner.ready = None;
        inner.pictures += 1;
        inner.last = Some((SystemTime::now(), duration));
        inner.taking = Some((Instant::now(), duration));
        Ok(())
    }
}
