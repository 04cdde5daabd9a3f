//! An absolute focuser, 0 to 50000.

use crate::{Motion, common, used};
use ascom_alpaca::{ASCOMError, ASCOMResult, api};
use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

/// The focuser.
#[derive(Debug)]
pub struct Focuser {
    connected: AtomicBool,
    place: Mutex<Motion<i32>>,
}

impl Default for Focuser {
    fn default() -> Self {
        Focuser { connected: AtomicBool::default(), place: Mutex::new(Motion::at(25_000)) }
    }
}

common!(Focuser, "Peer Focuser");

#[async_trait::async_trait]
impl api::Focuser for Focuser {
    async fn absolute(&self) -> ASCOMResult<bool> {
        Ok(true)
    }

    async fn is_moving(&self) -> ASCOMResult<bool> {
        used(&self.connected)?;
        Ok(self.place.lock().unwrap().moving())
    }

    async fn max_increment(&self) -> ASCOMResult<u32> {
        Ok(50_000)
    }

    async fn max_step(&self) -> ASCOMResult<u32> {
        Ok(50_000)
    }

    async fn position(&self) -> ASCOMResult<i32> {
        used(&self.connected)?;
        Ok(self.place.lock().unwrap().now())
    }

    async fn temp_comp(&self) -> ASCOMResult<bool> {
        Ok(false)
    }

    async fn temp_comp_available(&self) -> ASCOMResult<bool> {
        Ok(false)
    }

    async fn halt(&self) -> ASCOMResult<()> {
        used(&self.connected)?;
        self.place.lock().unwrap().stop();
        Ok(())
    }

    async fn move_(&self, position: i32) -> ASCOMResult<()> {
        used(&self.connected)?;
        if !(0..=50_000).contains(&position) {
            return Err(ASCOMError::invalid_value(format_args!("position {position} is not within 0 to 50000")));
        }
        self.place.lock().unwrap().go(position, Duration::from_millis(300));
        Ok(())
    }
}
