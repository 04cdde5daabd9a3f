//! What is lost in a night, and while what is under way.

use astrobackend::device::DeviceKind;

/// How the link, or what is behind it, is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loss {
    /// The server dies and is started anew: it knows all (its drivers live on), or nothing.
    Killed { memory: bool },
    /// Killed again while things are brought back.
    KilledTwice,
    /// It knows nothing, but its devices are connected when it is back: it looks as if nothing had happened.
    KilledAndConnected,
    /// All connections end.
    Dropped,
    /// So many bytes of answers come, then the connections end.
    HalfAnswer(usize),
    /// Connections stay and nothing comes any more.
    Hangs,
    /// The port is closed for a while.
    Refused,
    /// Connections are closed as soon as they are made, for a while.
    Slammed,
    /// Another client disconnects a device.
    Disconnected(DeviceKind),
    /// The server is away; meanwhile somebody parks the mount.
    ParkedMeanwhile,
}

/// What is under way then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum During {
    Nothing,
    Exposure,
    Download,
    Slew,
    Move,
    Turn,
}

use During::*;
use Loss::*;

/// The night, in this order.
pub(crate) const LOSSES: &[(During, Loss)] = &[
    (Nothing, Killed { memory: false }),
    (Nothing, Killed { memory: true }),
    (Nothing, KilledAndConnected),
    (Nothing, KilledTwice),
    (Nothing, Dropped),
    (Nothing, HalfAnswer(1)),
    (Nothing, HalfAnswer(60)),
    (Nothing, HalfAnswer(300)),
    (Nothing, Hangs),
    (Nothing, Refused),
    (Nothing, Slammed),
    (Nothing, Disconnected(DeviceKind::Camera)),
    (Nothing, Disconnected(DeviceKind::Mount)),
    (Nothing, Disconnected(DeviceKind::Focuser)),
    (Nothing, Disconnected(DeviceKind::FilterWheel)),
    (Exposure, Killed { memory: false }),
    (Exposure, Killed { memory: true }),
    (Exposure, Disconnected(DeviceKind::Camera)),
    (Exposure, Hangs),
    (Download, HalfAnswer(2000)),
    (Slew, Killed { memory: false }),
    (Slew, Dropped),
    (Move, Killed { memory: false }),
    (Move, Disconnected(DeviceKind::Focuser)),
    (Turn, Refused),
    (Nothing, ParkedMeanwhile),
];

/// The peer has forgotten everything afterwards.
pub(crate) fn forgets(loss: Loss) -> bool {
    matches!(loss, Killed { memory: false } | KilledTwice | KilledAndConnected)
}
