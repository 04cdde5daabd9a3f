//! The four kinds of device as simple drivers define them.

use super::{Device, Property};

/// Columns of the camera's chip.
pub const WIDTH: usize = 32;
/// Rows of the camera's chip.
pub const HEIGHT: usize = 24;

/// A cooled camera with a guide chip, gain and offset.
pub fn camera(name: &str) -> Device {
    let (width, height) = (WIDTH as f64, HEIGHT as f64);
    let info = [
        ("CCD_MAX_X", width, 0.0..=1e4),
        ("CCD_MAX_Y", height, 0.0..=1e4),
        ("CCD_PIXEL_SIZE", 5.2, 0.0..=40.0),
        ("CCD_PIXEL_SIZE_X", 5.2, 0.0..=40.0),
        ("CCD_PIXEL_SIZE_Y", 5.2, 0.0..=40.0),
        ("CCD_BITSPERPIXEL", 16.0, 8.0..=64.0),
    ];
    let frame = [
        ("X", 0.0, 0.0..=width - 1.0),
        ("Y", 0.0, 0.0..=height - 1.0),
        ("WIDTH", width, 1.0..=width),
        ("HEIGHT", height, 1.0..=height),
    ];
    Device::new(name, 2)
        .with(Property::number("CCD_INFO", info).read_only())
        .with(Property::number("CCD_FRAME", frame))
        .with(Property::number("CCD_BINNING", [("HOR_BIN", 1.0, 1.0..=4.0), ("VER_BIN", 1.0, 1.0..=4.0)]))
        .with(Property::one_of("CCD_FRAME_TYPE", ["FRAME_LIGHT", "FRAME_BIAS", "FRAME_DARK", "FRAME_FLAT"]))
        .with(Property::at_most_one("CCD_FRAME_RESET", ["RESET"]))
        .with(Property::one_of("UPLOAD_MODE", ["UPLOAD_CLIENT", "UPLOAD_LOCAL", "UPLOAD_BOTH"]))
        .with(Property::number("CCD_GAIN", [("GAIN", 100.0, 0.0..=600.0)]))
        .with(Property::number("CCD_OFFSET", [("OFFSET", 10.0, 0.0..=100.0)]))
        .with(Property::number("CCD_TEMPERATURE", [("CCD_TEMPERATURE_VALUE", 15.0, -50.0..=50.0)]))
        .with(Property::one_of("CCD_COOLER", ["COOLER_OFF", "COOLER_ON"]))
        .with(Property::number("CCD_COOLER_POWER", [("CCD_COOLER_VALUE", 0.0, 0.0..=100.0)]).read_only())
        .with(Property::at_most_one("CCD_ABORT_EXPOSURE", ["ABORT"]))
        .with(Property::blob("CCD1"))
        .with(Property::blob("CCD2"))
        .with(Property::number("CCD_EXPOSURE", [("CCD_EXPOSURE_VALUE", 1.0, 0.0..=3600.0)]))
}

/// An absolute focuser with a thermometer.
pub fn focuser(name: &str) -> Device {
    Device::new(name, 8)
        .with(Property::one_of("FOCUS_MOTION", ["FOCUS_INWARD", "FOCUS_OUTWARD"]))
        .with(Property::number("REL_FOCUS_POSITION", [("FOCUS_RELATIVE_POSITION", 0.0, 0.0..=50_000.0)]))
        .with(Property::number("FOCUS_MAX", [("FOCUS_MAX_VALUE", 60_000.0, 1000.0..=100_000.0)]))
        .with(Property::number("FOCUS_TEMPERATURE", [("TEMPERATURE", 12.5, -50.0..=50.0)]).read_only())
        .with(Property::at_most_one("FOCUS_ABORT_MOTION", ["ABORT"]))
        .with(Property::number("ABS_FOCUS_POSITION", [("FOCUS_ABSOLUTE_POSITION", 30_000.0, 0.0..=60_000.0)]))
}

/// A wheel with three filters.
pub fn filter_wheel(name: &str) -> Device {
    let names = [("FILTER_SLOT_NAME_1", "L"), ("FILTER_SLOT_NAME_2", "Ha"), ("FILTER_SLOT_NAME_3", "OIII")];
    Device::new(name, 16)
        .with(Property::text("FILTER_NAME", names))
        .with(Property::number("FILTER_SLOT", [("FILTER_SLOT_VALUE", 1.0, 1.0..=3.0)]))
}

/// A mount that tracks, syncs and parks.
pub fn mount(name: &str) -> Device {
    let site = [("LAT", 48.0, -90.0..=90.0), ("LONG", 11.0, 0.0..=360.0), ("ELEV", 500.0, -200.0..=10_000.0)];
    let place = [("RA", 3.0, 0.0..=24.0), ("DEC", 45.0, -90.0..=90.0)];
    Device::new(name, 5)
        .with(Property::number("GEOGRAPHIC_COORD", site))
        .with(Property::text("TIME_UTC", [("UTC", "2026-01-01T00:00:00"), ("OFFSET", "0")]))
        .with(Property::one_of("ON_COORD_SET", ["TRACK", "SLEW", "SYNC"]))
        .with(Property::at_most_one("TELESCOPE_ABORT_MOTION", ["ABORT"]))
        .with(Property::one_of("TELESCOPE_PARK", ["UNPARK", "PARK"]))
        .with(Property::one_of("TELESCOPE_TRACK_STATE", ["TRACK_ON", "TRACK_OFF"]))
        .with(Property::number("EQUATORIAL_EOD_COORD", place))
}
