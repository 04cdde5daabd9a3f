//! Where named real servers are known to do otherwise: data with a reason, printed with the results.

use conformance::Deviation;

/// Debian's indi-bin 1.9.9, its simulators, behind any server.
pub(crate) const INDI_SIMULATORS: &[Deviation] = &[Deviation {
    case: "mount::guide_pulses_move_it_the_right_way",
    reason: "the telescope simulator's TIMED_GUIDE_N turns the axis: on pier side west it moves south on the sky \
             (30 arcseconds in 4 s), on pier side east north",
}];

/// The devices of the crate ascom-alpaca-core 0.3.0's harness: they keep what they are told, but do not imitate hardware.
pub(crate) const ASCOM_ALPACA_CORE: &[Deviation] = &[
    Deviation { case: "camera::the_cooler_obeys", reason: "CCDTemperature is always -10" },
    Deviation {
        case: "camera::a_good_frame_is_judged_ok",
        reason: "all its pictures have the same pixels, which is told",
    },
    Deviation { case: "camera::stop_keeps_the_image", reason: "LastExposureDuration stays what was asked for" },
    Deviation { case: "mount::the_clock_is_set", reason: "UTCDate takes any time and keeps its own" },
    Deviation {
        case: "mount::a_flip_changes_the_side",
        reason: "DeviceState says SideOfPier 0 whatever SideOfPier says",
    },
    Deviation {
        case: "mount::tracking_follows_the_sky",
        reason: "RightAscension stays the same whether it tracks or not",
    },
    Deviation {
        case: "mount::guide_pulses_move_it_the_right_way",
        reason: "DeviceState says IsPulseGuiding until IsPulseGuiding itself is read",
    },
    Deviation { case: "mount::an_axis_is_driven_and_stopped", reason: "MoveAxis moves nothing" },
    Deviation { case: "mount::home_is_found", reason: "AtHome stays true after a slew away" },
    Deviation { case: "mount::the_state_agrees_with_itself", reason: "Altitude and Azimuth do not follow a slew" },
    Deviation {
        case: "mount::pier_side_fits_the_hour_angle",
        reason: "DeviceState says SideOfPier 0 whatever SideOfPier says",
    },
];

/// The package alpaca-simulators 1.3.2 from PyPI.
pub(crate) const ALPACA_SIMULATORS: &[Deviation] = &[
    Deviation {
        case: "camera::*",
        reason: "its pictures come from a catalogue on the Internet; without one the first exposure is an error, and \
                 what follows depends on it",
    },
    Deviation { case: "filter_wheel::unknown_action", reason: "Action answers any name with an empty text" },
    Deviation { case: "focuser::unknown_action", reason: "Action answers any name with an empty text" },
    Deviation { case: "mount::unknown_action", reason: "Action answers any name with an empty text" },
    Deviation { case: "filter_wheel::a_move_is_seen_and_ends_there", reason: "it is there at once" },
    Deviation { case: "focuser::a_move_is_busy_at_once_and_ends_there", reason: "it is there at once" },
    Deviation { case: "focuser::halt_stops_it_on_the_way", reason: "it is there at once" },
    Deviation { case: "mount::home_is_found", reason: "AtHome is true everywhere" },
    Deviation { case: "mount::the_clock_is_set", reason: "UTCDate takes any time and keeps its own" },
    Deviation { case: "mount::pier_side_fits_the_hour_angle*", reason: "SideOfPier follows no hour angle" },
];
