//! The options of an address.

use crate::{Address, Error, Result, backend::keeping::Keeping, guard::Guard};
use std::time::Duration;

/// How a server is treated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Policy {
    /// The longest that a call waits for the server.
    pub(super) timeout: Duration,
    /// The longest that a picture may take.
    pub(super) image: Duration,
    /// A picture of which nothing comes for so long has stalled.
    pub(super) stall: Duration,
    /// What is done about a loss.
    pub(super) keeping: Keeping,
    /// Time between two looks while somebody listens to a server that does not tell by itself.
    pub(super) poll: Duration,
    /// Pictures are judged.
    pub(super) guard: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            // The original server does one thing at a time, some of them for seconds.
            timeout: Duration::from_secs(15),
            image: Duration::from_secs(300),
            stall: Duration::from_secs(10),
            keeping: Keeping::default(),
            poll: Duration::from_secs(1),
            guard: true,
        }
    }
}

impl Policy {
    /// What the options of an address say.
    ///
    /// # Errors
    /// `InvalidValue`, naming the option.
    pub(super) fn of(address: &Address) -> Result<Self> {
        let mut policy = Policy::default();
        let wrong = |why: String| Error::invalid(format!("{address}: {why}"));
        let named = |why: Error| wrong(why.message().to_owned());
        for (name, value) in address.options() {
            let seconds = || {
                let seconds = value.parse::<f64>().ok().filter(|seconds| (0.05..=3600.0).contains(seconds));
                let why = || Error::invalid(format!("{name} must be 0.05 to 3600 seconds"));
                let seconds = seconds.ok_or_else(why)?;
                Ok(Duration::from_secs_f64(seconds))
            };
            if policy.keeping.take(name, value, seconds).map_err(named)? {
                continue;
            }
            match name.as_str() {
                "timeout" => policy.timeout = seconds().map_err(named)?,
                "image" => policy.image = seconds().map_err(named)?,
                "stall" => policy.stall = seconds().map_err(named)?,
                "poll" => policy.poll = seconds().map_err(named)?,
                "guard" => {
                    policy.guard = Guard::option(value).ok_or_else(|| wrong("guard must be on or off".into()))?;
                }
                _ => {
                    return Err(wrong(format!(
                        "there is no option {name:?}; there are timeout, image, stall, poll, guard, {}",
                        Keeping::NAMES
                    )));
                }
            }
        }
        Ok(policy)
    }
}
