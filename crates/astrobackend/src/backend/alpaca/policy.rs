//! The options of an address.

use crate::{Address, Error, Result, backend::keeping::Keeping, guard::Guard};
use std::time::Duration;

/// The options that there are, for the refusal of others.
const NAMES: &str = "connect, timeout, image, stall, poll, shared, guard, user, password, discovery, port, servers";

/// How a server is treated.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Policy {
    /// The longest that connecting to the server may take.
    pub(super) connect: Duration,
    /// The longest that a call may take.
    pub(super) call: Duration,
    /// What is done about a loss.
    pub(super) keeping: Keeping,
    /// The longest that a picture may take.
    pub(super) image: Duration,
    /// A picture of which nearly nothing comes for so long has stalled.
    pub(super) stall: Duration,
    /// Time between two looks while somebody listens to events.
    pub(super) poll: Duration,
    /// `disconnect` leaves the device connected for others.
    pub(super) shared: bool,
    /// Pictures are judged.
    pub(super) guard: bool,
    /// Name and password.
    pub(super) user: Option<(String, String)>,
    /// How long discovery waits for answers.
    pub(super) discovery: Duration,
    /// The UDP port that servers are sought on.
    pub(super) port: u16,
    /// Servers that are looked at besides those that answer, as `host:port`.
    pub(super) servers: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(15),
            keeping: Keeping::default(),
            image: Duration::from_secs(300),
            stall: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            shared: false,
            guard: true,
            user: None,
            discovery: Duration::from_secs(2),
            port: crate::wire::alpaca::discovery::PORT,
            servers: Vec::new(),
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
        let mut user = None;
        let mut password = None;
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
                "connect" => policy.connect = seconds().map_err(named)?,
                "timeout" => policy.call = seconds().map_err(named)?,
                "image" => policy.image = seconds().map_err(named)?,
                "stall" => policy.stall = seconds().map_err(named)?,
                "poll" => policy.poll = seconds().map_err(named)?,
                "discovery" => policy.discovery = seconds().map_err(named)?,
                "shared" => match value.as_str() {
                    "on" => policy.shared = true,
                    "off" => policy.shared = false,
                    _ => return Err(wrong("shared must be on or off".into())),
                },
                "guard" => {
                    policy.guard = Guard::option(value).ok_or_else(|| wrong("guard must be on or off".into()))?;
                }
                "user" => user = Some(value.clone()),
                "password" => password = Some(value.clone()),
                "port" => {
                    let port = value.parse().ok().filter(|port| *port != 0);
                    policy.port = port.ok_or_else(|| wrong("port must be 1 to 65535".into()))?;
                }
                "servers" => policy.servers = value.split(',').map(str::trim).map(str::to_owned).collect(),
                _ => return Err(wrong(format!("there is no option {name:?}; there are {NAMES}, {}", Keeping::NAMES))),
            }
        }
        policy.user = match (user, password) {
            (Some(user), password) => Some((user, password.unwrap_or_default())),
            (None, None) => None,
            (None, Some(_)) => return Err(wrong("a password wants a user".into())),
        };
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Policy> {
        Policy::of(&text.parse()?)
    }

    #[test]
    fn options_are_read_or_refused_by_name() {
        let policy = of("alpaca://pi?timeout=3&shared=on&user=me&password=a%26b&servers=a:1, b:2").unwrap();
        assert_eq!((policy.call, policy.shared), (Duration::from_secs(3), true));
        assert_eq!(policy.user, Some(("me".into(), "a&b".into())));
        assert_eq!(policy.servers, ["a:1", "b:2"]);
        for (text, why) in [
            ("alpaca://pi?time=3", "there is no option \"time\"; there are connect, timeout"),
            ("alpaca://pi?timeout=never", "timeout must be"),
            ("alpaca://pi?shared=perhaps", "shared must be"),
            ("alpaca://pi?reconnect=perhaps", "reconnect must be"),
            ("alpaca://pi?port=0", "port must be"),
            ("alpaca://pi?password=x", "wants a user"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.to_string().contains(why), "{text}: {error}");
        }
    }
}
