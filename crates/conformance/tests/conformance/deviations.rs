//! Where named real servers are known to do otherwise: data with a reason, printed with the results.

use conformance::Deviation;

/// Debian's indi-bin 1.9.9, its simulators, behind any server.
pub(crate) const INDI_SIMULATORS: &[Deviation] = &[Deviation {
    case: "mount::guide_pulses_move_it_the_right_way",
    reason: "the telescope simulator's TIMED_GUIDE_N turns the axis: on pier side west it moves south on the sky \
             (30 arcseconds in 4 s), on pier side east north",
}];
