//! The life of a server: threads of its own, the place where it listens, and its end, awaited or at once.

use astrobackend::{Error, Result};
use std::{net::SocketAddr, sync::mpsc, time::Duration};
use tokio::{
    net::TcpListener,
    runtime::{self, Handle, Runtime},
    sync::watch,
};

/// A server's threads; dropping it ends them at once, without waiting, from wherever that is done.
pub(crate) struct Life {
    runtime: Option<Runtime>,
    handle: Handle,
    stop: watch::Sender<bool>,
    done: Option<mpsc::Receiver<()>>,
    patience: Duration,
}

impl Life {
    /// Threads of the server's own; told to end, they have so long for what is under way.
    ///
    /// # Errors
    /// `Io` when the system has none to give.
    pub(crate) fn new(name: &str, threads: usize, patience: Duration) -> Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .max_blocking_threads(1024)
            .thread_name(name)
            .enable_all()
            .build()
            .map_err(|error| Error::io("the server's threads cannot be started", error))?;
        let (handle, stop) = (runtime.handle().clone(), watch::Sender::new(false));
        Ok(Life { runtime: Some(runtime), handle, stop, done: None, patience })
    }

    /// Where its work is spawned.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// True from when it is told to end.
    pub(crate) fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Listens at an address; where that is, when the system chose the port.
    ///
    /// # Errors
    /// `Io` when the address cannot be used.
    pub(crate) fn listen(&self, at: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
        let cannot = |error| Error::io(format_args!("cannot listen on {at}"), error);
        // Not by the runtime's own way, which waits: a caller may be within another runtime.
        let listener = std::net::TcpListener::bind(at).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let _within = self.handle.enter();
        Ok((TcpListener::from_std(listener).map_err(cannot)?, address))
    }

    /// Serves; the work ends by itself once [`Life::stopped`] says so.
    pub(crate) fn begin(&mut self, serve: impl Future<Output = ()> + Send + 'static) {
        let (finished, done) = mpsc::channel();
        self.done = Some(done);
        self.handle.spawn(async move {
            serve.await;
            drop(finished);
        });
    }

    /// Tells the work to end, and waits until it has or the patience is over.
    pub(crate) fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(done) = self.done.take() {
            // A sender that is dropped says that all is done.
            let _ = done.recv_timeout(self.patience + Duration::from_secs(1));
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
