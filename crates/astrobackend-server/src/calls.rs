//! Calls that may wait, each on a thread of its own and with a limit: a device that hangs costs nobody else.

use astrobackend::{Error, ErrorKind, Result};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{task, time};

/// The calls to one device that have not come back.
#[derive(Debug)]
pub(crate) struct Calls {
    outstanding: AtomicUsize,
    most: usize,
}

/// A call's place among them, given back when the call returns and not when its client is answered.
struct Place(Arc<Calls>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.outstanding.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Calls {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Calls { outstanding: AtomicUsize::new(0), most })
    }

    /// Does the work on another thread and answers when it is done, at the latest after the limit; then it goes on alone.
    ///
    /// # Errors
    /// `Timeout` then; `Busy` at once when too many calls have not come back.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        what: impl fmt::Display,
        limit: Duration,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = Place(self.clone());
        if self.outstanding.fetch_add(1, Ordering::AcqRel) >= self.most {
            let message = format!("does not take {what}: {} earlier requests have not come back", self.most);
            return Err(Error::new(ErrorKind::Busy, message));
        }
        let call = task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        match time::timeout(limit, call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panicked)) => Err(Error::new(ErrorKind::Device(0), format!("{what} failed inside: {panicked}"))),
            Err(_) => Err(Error::timeout(what, limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_call_that_hangs_is_answered_and_keeps_its_place() {
        let calls = Calls::new(1);
        let (release, hang) = mpsc::channel::<()>();
        let limit = Duration::from_millis(20);
        let hung = calls
            .run("position", limit, move || hang.recv().map_err(|_| Error::invalid("released")))
            .await
            .unwrap_err();
        assert_eq!(
            (hung.kind(), hung.to_string()),
            (ErrorKind::Timeout, "position did not finish within 20.0ms".into())
        );
        assert_eq!(calls.run("halt", limit, || Ok(())).await.unwrap_err().kind(), ErrorKind::Busy);
        drop(release);
        while calls.outstanding.load(Ordering::Acquire) > 0 {
            task::yield_now().await;
        }
        assert!(calls.run("halt", Duration::from_secs(60), || Ok(())).await.is_ok());
    }
}
