//! What is done about links that are lost: one policy for all frameworks, in the same words in every address.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a backend does by itself when its server, its driver or one of its devices went away and is there again.
///
/// An address says it with the option `reconnect`, the same in all frameworks: `off`, `reopen`, or `restore`, which is the
/// default and is also called `on`. [`Backend::supervision`](crate::Backend::supervision) tells what is in effect.
///
/// Whatever the policy, a loss is noticed and told ([`Link::Lost`](crate::event::Link::Lost)), and while it lasts every
/// call fails at once with [`Unreachable`](crate::ErrorKind::Unreachable) and the reason, instead of giving old values.
/// Nothing is ever moved and no exposure is started by any of them.
///
/// ```
/// use astrobackend::{Address, Supervision};
/// let address: Address = "indi://pi".parse()?;
/// let address = address.with_option("reconnect", Supervision::Reopen.to_string());
/// assert_eq!(address.to_string(), "indi://pi?reconnect=reopen");
/// # Ok::<(), astrobackend::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// The link stays lost until the backend is opened again.
    Off,
    /// The link is made again, with longer and longer pauses. Devices are left as they are found: one that lost its
    /// connection answers [`NotConnected`](crate::ErrorKind::NotConnected).
    Reopen,
    /// The link is made again, devices that were connected here are connected again, and what was declared here (region
    /// and binning, gain and other settings, the cooler, guide rates, tracking) is sent again where it was lost, read
    /// back, and reported ([`EventKind::Restored`](crate::event::EventKind::Restored)).
    ///
    /// Tracking is started again only on a mount that had to be connected again, that tracked by a command from here
    /// when it was seen last, and that says that it is neither parked nor at home nor slewing.
    #[default]
    ReopenAndRestore,
}

const WORDS: [(&str, Supervision); 4] = [
    ("off", Supervision::Off),
    ("reopen", Supervision::Reopen),
    ("restore", Supervision::ReopenAndRestore),
    ("on", Supervision::ReopenAndRestore),
];

/// As an address has it: `off`, `reopen`, `restore`.
impl fmt::Display for Supervision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(_, policy)| policy == self);
        f.pad(word.map_or("restore", |(word, _)| word))
    }
}

impl FromStr for Supervision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = WORDS.iter().find(|(word, _)| *word == text);
        known
            .map(|(_, policy)| *policy)
            .ok_or_else(|| Error::invalid("reconnect must be off, reopen or restore (or on, which is restore)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_is_read_from_its_own_word() {
        for policy in [Supervision::Off, Supervision::Reopen, Supervision::ReopenAndRestore] {
            assert_eq!(policy.to_string().parse::<Supervision>().unwrap(), policy);
        }
        assert_eq!("on".parse::<Supervision>().unwrap(), Supervision::default());
        assert!("perhaps".parse::<Supervision>().is_err());
    }
}
