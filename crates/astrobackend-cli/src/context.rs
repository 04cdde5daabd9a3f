//! What every verb needs: the session that opens devices, deadlines, and Ctrl-C.

use crate::{args::Global, exit, output::Output};
use astrobackend::{
    Cancel, Error, ErrorKind, Result, Wait,
    device::{Camera, FilterWheel, Focuser, Mount},
    rig::{Member, Rig, Session},
};
use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The longest wait for a motion, unless `--timeout` says otherwise.
const MOTION: Duration = Duration::from_secs(300);
/// The same for cooling, which takes its time.
const COOLING: Duration = Duration::from_secs(1800);
/// The same for read-out and delivery of a picture, after its exposure.
const DELIVERY: Duration = Duration::from_secs(120);

/// The same for a raw property to be defined, and for the driver's answer to new values.
const DEFINITION: Duration = Duration::from_secs(2);

/// What every verb needs.
#[derive(Debug)]
pub(crate) struct Context {
    /// Opens devices.
    pub(crate) session: Session,
    /// Says things.
    pub(crate) out: Output,
    /// Set by Ctrl-C.
    pub(crate) cancel: Cancel,
    /// Devices named on the command line.
    pub(crate) named: Vec<String>,
    timeout: Option<Duration>,
    /// Return as soon as a motion has started.
    pub(crate) no_wait: bool,
}

macro_rules! used {
    ($(#[$doc:meta])* $name:ident, $trait:ident) => {
        $(#[$doc])*
        pub(crate) fn $name(&self) -> Result<Arc<dyn $trait>> {
            let device = self.session.$name(None)?;
            let info = device.info();
            self.out.detail(format!("{}: {} at {}", info.id.kind, info.id, info.address));
            Ok(device)
        }
    };
}

impl Context {
    /// Reads the rig file; opens nothing yet.
    pub(crate) fn new(global: &Global, out: Output, cancel: Cancel) -> Result<Self> {
        let mut session = Session::new().with_devices(&global.device);
        if let Some(path) = &global.rig {
            session = session.with_rig(Rig::load(path)?);
        }
        if let Some(backend) = &global.backend {
            session = session.with_backend(backend);
        }
        let named = global.device.clone();
        Ok(Context { session, out, cancel, named, timeout: global.timeout, no_wait: global.no_wait })
    }

    /// The devices named on the command line, or else all; warns of those that cannot be reached.
    ///
    /// # Errors
    /// When none can be reached.
    pub(crate) fn chosen(&self) -> Result<Vec<Member>> {
        if !self.named.is_empty() {
            let named: Result<Vec<_>> = self.named.iter().map(|name| self.session.named(name)).collect();
            return named.map(|members| members.into_iter().flatten().collect());
        }
        let (members, mut errors) = self.session.reachable();
        if members.is_empty() && !errors.is_empty() {
            return Err(errors.swap_remove(0));
        }
        errors.iter().for_each(|error| self.out.warn(error));
        Ok(members)
    }

    used!(
        /// The camera of this command, connected.
        camera, Camera
    );
    used!(
        /// The filter wheel of this command, connected.
        filter_wheel, FilterWheel
    );
    used!(
        /// The focuser of this command, connected.
        focuser, Focuser
    );
    used!(
        /// The mount of this command, connected.
        mount, Mount
    );

    /// The wait for a motion.
    pub(crate) fn motion(&self) -> Wait {
        self.wait(self.timeout.unwrap_or(MOTION))
    }

    /// The wait for the cooler.
    pub(crate) fn cooling(&self) -> Wait {
        self.wait(self.timeout.unwrap_or(COOLING))
    }

    /// The longest wait for a raw property, and for the answer to new values.
    pub(crate) fn definition(&self) -> Duration {
        self.timeout.unwrap_or(DEFINITION)
    }

    /// The wait for a picture: its exposure, and the time limit for what follows.
    pub(crate) fn exposure(&self, exposure: Duration) -> Wait {
        self.wait(exposure.saturating_add(self.timeout.unwrap_or(DELIVERY)))
    }

    fn wait(&self, timeout: Duration) -> Wait {
        Wait::new(timeout).cancelled_by(&self.cancel)
    }

    /// Says what Ctrl-C did: `stopped` is true once the helper that waited has aborted what it started.
    ///
    /// When the abort failed its own sentence stays, so that nobody believes the device has stopped.
    pub(crate) fn interruptible<T>(&self, stopped: &str, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error.kind() == ErrorKind::Cancelled && self.cancel.is_cancelled() {
            true if std::error::Error::source(&error).is_some() => interrupted(&error.to_string()),
            true => interrupted(stopped),
            false => error,
        })
    }

    /// Fails when Ctrl-C was pressed between two operations.
    pub(crate) fn go_on(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(Error::new(ErrorKind::Cancelled, "interrupted")) } else { Ok(()) }
    }
}

fn interrupted(what: &str) -> Error {
    Error::new(ErrorKind::Cancelled, format!("interrupted: {what}"))
}

/// A switch that the first Ctrl-C (or SIGTERM) sets, so that the work is stopped in order; the second one ends
/// the program on the spot.
pub(crate) fn cancel_on_interrupt() -> Cancel {
    static PRESSED: AtomicBool = AtomicBool::new(false);
    let cancel = Cancel::new();
    let switch = cancel.clone();
    let set = ctrlc::set_handler(move || {
        if PRESSED.swap(true, Ordering::SeqCst) {
            process::exit(exit::INTERRUPTED.into());
        }
        switch.cancel();
    });
    // Without a handler Ctrl-C ends the program as it always does.
    drop(set);
    cancel
}
