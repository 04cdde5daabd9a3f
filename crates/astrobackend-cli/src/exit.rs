//! Exit codes: the one place that says which failure ends the command with which number.

use astrobackend::ErrorKind;

/// All is well.
pub(crate) const DONE: u8 = 0;

/// A picture was taken that the frame guard calls bad.
pub(crate) const BAD_FRAME: u8 = 8;

/// Ended by Ctrl-C, as shells count it: 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// The table for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    the device or the operation failed
  2    wrong usage: an argument, an address or a value out of range
  3    not found: no such device, filter, role, backend or folder
  4    timeout
  5    not connected, or the link is lost
  6    refused in the present state: parked, busy, slaved
  7    not supported by the device or this build
  8    a picture was taken and written, and is bad: not what was asked for, or damaged
  130  interrupted; the exposure or the motion was stopped

With --json, data is one JSON object on stdout (one a line from `watch`), and each line on
stderr is one too: {\"schema\":1,\"error\":{\"kind\",\"message\",\"device\",\"exit_code\"}}, or the same
as a \"warning\" without exit code.";

/// The exit code for a kind of failure.
pub(crate) fn code(kind: ErrorKind) -> u8 {
    use ErrorKind::*;
    match kind {
        InvalidValue => 2,
        NotFound | UnknownAction => 3,
        Timeout => 4,
        NotConnected | Unreachable => 5,
        Parked | Slaved | Busy | InvalidOperation => 6,
        Unsupported => 7,
        // Cancelled is someone else's doing here: our own Ctrl-C is INTERRUPTED.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    #[test]
    fn each_kind_has_its_code_and_each_code_its_line_of_help() {
        let table = [
            (1, &[ValueNotSet, Cancelled, Protocol, Io, Device(0x500)][..]),
            (2, &[InvalidValue]),
            (3, &[NotFound, UnknownAction]),
            (4, &[Timeout]),
            (5, &[NotConnected, Unreachable]),
            (6, &[Parked, Slaved, Busy, InvalidOperation]),
            (7, &[Unsupported]),
        ];
        for (expected, kinds) in table {
            kinds.iter().for_each(|kind| assert_eq!(code(*kind), expected, "{kind:?}"));
            assert!(HELP.contains(&format!("\n  {expected}    ")), "{expected}");
        }
        assert!(HELP.contains(&format!("\n  {BAD_FRAME}    ")));
        assert!(HELP.contains(&format!("\n  {INTERRUPTED}  ")));
    }
}
