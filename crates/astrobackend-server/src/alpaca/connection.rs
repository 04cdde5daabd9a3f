//! Connecting and disconnecting, which take their time: started here, seen in `Connecting`.

use super::served::Served;
use astrobackend::{Error, ErrorKind, Result};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time};

/// What is under way, and how the last one ended.
#[derive(Clone, Debug, Default)]
struct State {
    /// Connecting (true) or disconnecting.
    pending: Option<bool>,
    failure: Option<Error>,
}

/// The connection of a device as its clients see it.
#[derive(Debug, Default)]
pub(super) struct Connection(watch::Sender<State>);

impl Connection {
    /// True while connecting or disconnecting.
    ///
    /// # Errors
    /// What the last attempt failed with, until the next one.
    pub(super) fn is_pending(&self) -> Result<bool> {
        let state = self.0.borrow();
        match &state.failure {
            Some(error) => Err(error.clone()),
            None => Ok(state.pending.is_some()),
        }
    }

    /// Begins to connect or to disconnect; one that is under way already is joined.
    ///
    /// # Errors
    /// `Busy` while the opposite is under way.
    pub(super) fn begin(&self, served: &Arc<Served>, wanted: bool) -> Result<()> {
        let mut before = None;
        self.0.send_if_modified(|state| {
            before = state.pending;
            if before.is_none() {
                *state = State { pending: Some(wanted), failure: None };
            }
            before.is_none()
        });
        match before {
            Some(pending) if pending == wanted => return Ok(()),
            Some(pending) => {
                let doing = if pending { "connecting" } else { "disconnecting" };
                return Err(Error::new(ErrorKind::Busy, format!("is still {doing}")));
            }
            None => {}
        }
        tokio::spawn(carry_out(served.clone(), wanted));
        Ok(())
    }

    /// Waits until it is over, and says how it ended.
    ///
    /// # Errors
    /// `Timeout` when it takes longer than the limit; then it goes on.
    pub(super) async fn ended(&self, limit: Duration) -> Result<()> {
        let mut states = self.0.subscribe();
        let over = time::timeout(limit, states.wait_for(|state| state.pending.is_none())).await;
        match over {
            Ok(Ok(state)) => state.failure.clone().map_or(Ok(()), Err),
            _ => {
                let message = format!("did not finish within {limit:.1?}; it goes on, and Connecting tells");
                Err(Error::new(ErrorKind::Timeout, message))
            }
        }
    }
}

async fn carry_out(served: Arc<Served>, wanted: bool) {
    let (device, limit) = (served.device(), served.limits.connect);
    let what = if wanted { "connecting" } else { "disconnecting" };
    let outcome = match device {
        Ok(device) => {
            let work = move || if wanted { device.device().connect() } else { device.device().disconnect() };
            served.calls.run(what, limit, work).await
        }
        Err(error) => Err(error),
    };
    if !wanted {
        served.forget();
    }
    let failure = outcome.err().map(|error| error.on(&served.id));
    served.connection.0.send_modify(|state| *state = State { pending: None, failure });
}
