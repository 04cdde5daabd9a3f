//! Where named real servers are known to do otherwise: data with a reason, printed with the results.

use conformance::Deviation;

/// Debian's indi-bin 1.9.9, its simulators behind `indiserver`.
pub(crate) const INDI_SIMULATORS: &[Deviation] = &[];
