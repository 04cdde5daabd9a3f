//! A wheel of four filters.

use crate::{Motion, common, used};
use ascom_alpaca::{ASCOMError, ASCOMResult, api};
use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

const NAMES: [&str; 4] = ["L", "R", "G", "B"];

/// The wheel.
#[derive(Debug)]
pub struct Wheel {
    connected: AtomicBool,
    place: Mutex<Motion<usize>>,
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel { connected: AtomicBool::default(), place: Mutex::new(Motion::at(0)) }
    }
}

common!(Wheel, "Peer Wheel");

#[async_trait::async_trait]
impl api::FilterWheel for Wheel {
    async fn focus_offsets(&self) -> ASCOMResult<Vec<i32>> {
        Ok(vec![0, 10, -20, 30])
    }

    async fn names(&self) -> ASCOMResult<Vec<String>> {
        Ok(NAMES.map(String::from).into())
    }

    async fn position(&self) -> ASCOMResult<Option<usize>> {
        used(&self.connected)?;
        let place = self.place.lock().unwrap();
        Ok((!place.moving()).then(|| place.now()))
    }

    async fn set_position(&self, position: usize) -> ASCOMResult<()> {
        used(&self.connected)?;
        if position >= NAMES.len() {
            return Err(ASCOMError::invalid_value(format_args!("there is no place {position}")));
        }
        self.place.lock().unwrap().go(position, Duration::from_millis(300));
        Ok(())
    }
}
