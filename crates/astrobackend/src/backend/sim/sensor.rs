//! The chips that the simulated camera can have: figures of real sensors, as their makers and users publish them.

use crate::{
    Celsius, Error, Microns, Result,
    device::{BayerPattern, Colour},
};
use std::{ops::RangeInclusive, time::Duration};

/// Warming by so many degrees doubles the dark current.
const DOUBLING: f64 = 6.0;

/// A gain setting is a tenth of a decibel: 200 units are a factor of ten.
const GAIN_UNITS_PER_DECADE: f64 = 200.0;

/// Level that one unit of the offset setting adds, in units of the 16-bit scale.
const ADU_PER_OFFSET: f64 = 10.0;

/// A sensor and the electronics behind it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SensorModel {
    /// Name of the chip as the makers write it, in lower case.
    pub(super) name: &'static str,
    /// Columns.
    pub(super) width: u32,
    /// Rows.
    pub(super) height: u32,
    /// Side of a pixel.
    pub(super) pixel: Microns,
    /// Monochrome, or a Bayer mosaic that begins at the first pixel.
    pub(super) colour: Colour,
    /// Bits of a delivered pixel: 8 or 16.
    pub(super) bits: u8,
    /// Bits that the converter resolves; its values are shifted up to fill 16.
    pub(super) adc_bits: u8,
    /// Electrons that a pixel holds.
    pub(super) full_well: f64,
    /// Read noise in electrons over the gain setting, straight lines between the points.
    pub(super) read_noise: &'static [(f64, f64)],
    /// Dark current of a normal pixel at 0 °C, electrons per second.
    pub(super) dark: f64,
    /// Fraction of pixels that are hot.
    pub(super) hot: f64,
    /// Quantum efficiency in blue, green and red light.
    pub(super) efficiency: [f64; 3],
    /// Largest binning across and down.
    pub(super) max_bin: u8,
    /// Shortest and longest exposure.
    pub(super) exposure: RangeInclusive<Duration>,
    /// Gain settings, tenths of a decibel.
    pub(super) gain: RangeInclusive<f64>,
    /// Gain setting after switching on.
    pub(super) default_gain: f64,
    /// Offset settings.
    pub(super) offset: RangeInclusive<f64>,
    /// Offset setting after switching on.
    pub(super) default_offset: f64,
    /// Time to read and transfer the whole chip.
    pub(super) readout: Duration,
    /// How far below the surroundings the cooler gets it; `None` without a cooler.
    pub(super) cooling: Option<Celsius>,
    /// A mechanical shutter.
    pub(super) shutter: bool,
}

impl SensorModel {
    /// The sensor of a name, in any casing; monochrome, 16 bit.
    ///
    /// # Errors
    /// `NotFound`, with the names there are.
    pub(super) fn find(name: &str) -> Result<SensorModel> {
        let found = SENSORS.iter().find(|sensor| sensor.name.eq_ignore_ascii_case(name));
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = SensorModel::names().collect();
            Error::not_found(format!("there is no sensor {name:?}; there are {}", names.join(", ")))
        })
    }

    /// The names of the sensors.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        SENSORS.iter().map(|sensor| sensor.name)
    }

    /// The same with or without the colour filters of a one-shot-colour camera.
    #[must_use]
    pub(super) fn with_colour(mut self, colour: bool) -> Self {
        self.colour = if colour { Colour::Bayer(BayerPattern::Rggb) } else { Colour::Mono };
        self
    }

    /// The same with pixels of 8 or 16 bits.
    ///
    /// # Errors
    /// `InvalidValue` for another number of bits.
    pub(super) fn with_bits(mut self, bits: u8) -> Result<Self> {
        if bits != 8 && bits != 16 {
            return Err(Error::invalid(format!("pixels have 8 or 16 bits, not {bits}")));
        }
        self.bits = bits;
        Ok(self)
    }

    /// The largest value that a pixel can have; binned pixels reach it, too.
    pub(super) fn max_adu(&self) -> u32 {
        u32::from(self.full_scale() >> (16 - self.bits.min(16)))
    }

    /// Electrons per unit of the delivered pixels.
    pub(super) fn electrons_per_adu(&self, gain: f64) -> f64 {
        self.electrons_per_step(gain) * f64::from(1u32 << (16 - self.bits.min(16)))
    }

    /// Electrons that a pixel can show: its well, or what the converter reaches at this gain.
    pub(super) fn full_well(&self, gain: f64) -> f64 {
        self.full_well.min(self.electrons_per_step(gain) * f64::from(self.full_scale()))
    }

    /// Read noise of a pixel in electrons.
    pub(super) fn read_noise(&self, gain: f64) -> f64 {
        let after = self.read_noise.partition_point(|point| point.0 <= gain);
        match (self.read_noise.get(after.wrapping_sub(1)), self.read_noise.get(after)) {
            (Some(&(g0, n0)), Some(&(g1, n1))) => n0 + (n1 - n0) * (gain - g0) / (g1 - g0),
            (Some(&(_, noise)), None) | (None, Some(&(_, noise))) => noise,
            (None, None) => 0.0,
        }
    }

    /// Dark current of a normal pixel in electrons per second.
    pub(super) fn dark_current(&self, temperature: Celsius) -> f64 {
        self.dark * warmth(temperature)
    }

    /// Electrons per unit of the 16-bit scale.
    pub(super) fn electrons_per_step(&self, gain: f64) -> f64 {
        self.full_well / 65_536.0 * 10f64.powf(-gain / GAIN_UNITS_PER_DECADE)
    }

    /// Level of an unexposed pixel on the 16-bit scale.
    pub(super) fn bias_level(&self, offset: f64) -> f64 {
        offset * ADU_PER_OFFSET
    }

    /// The largest value of the converter on the 16-bit scale.
    pub(super) fn full_scale(&self) -> u16 {
        u16::MAX << (16 - self.adc_bits.min(16))
    }
}

/// How much stronger than at 0 °C the dark current is.
pub(super) fn warmth(temperature: Celsius) -> f64 {
    (temperature.0 / DOUBLING).exp2()
}

/// What most of the CMOS chips have in common.
const CMOS: SensorModel = SensorModel {
    name: "",
    width: 0,
    height: 0,
    pixel: Microns(3.76),
    colour: Colour::Mono,
    bits: 16,
    adc_bits: 16,
    full_well: 51_000.0,
    read_noise: &[(0.0, 3.5), (99.0, 3.0), (100.0, 1.5), (300.0, 1.2)],
    dark: 0.008,
    hot: 1e-4,
    efficiency: [0.82, 0.9, 0.72],
    max_bin: 4,
    exposure: Duration::from_micros(32)..=Duration::from_secs(3600),
    gain: 0.0..=500.0,
    default_gain: 100.0,
    offset: 0.0..=200.0,
    default_offset: 50.0,
    readout: Duration::from_millis(500),
    cooling: Some(Celsius(35.0)),
    shutter: false,
};

/// The table of sensors.
static SENSORS: &[SensorModel] = &[
    SensorModel {
        name: "generic",
        width: 1280,
        height: 1024,
        pixel: Microns(5.2),
        full_well: 60_000.0,
        read_noise: &[(0.0, 3.0), (300.0, 1.5)],
        default_gain: 0.0,
        readout: Duration::from_millis(200),
        ..CMOS
    },
    SensorModel { name: "imx455", width: 9576, height: 6388, readout: Duration::from_millis(900), ..CMOS },
    SensorModel { name: "imx571", width: 6248, height: 4176, readout: Duration::from_millis(500), ..CMOS },
    SensorModel {
        name: "imx533",
        width: 3008,
        height: 3008,
        adc_bits: 14,
        full_well: 50_000.0,
        readout: Duration::from_millis(150),
        ..CMOS
    },
    SensorModel {
        name: "imx294",
        width: 4144,
        height: 2822,
        pixel: Microns(4.63),
        adc_bits: 14,
        full_well: 66_000.0,
        read_noise: &[(0.0, 7.3), (119.0, 6.3), (120.0, 1.9), (390.0, 1.2)],
        dark: 0.02,
        efficiency: [0.8, 0.9, 0.7],
        default_gain: 120.0,
        readout: Duration::from_millis(200),
        ..CMOS
    },
    SensorModel {
        name: "imx178",
        width: 3096,
        height: 2080,
        pixel: Microns(2.4),
        adc_bits: 14,
        full_well: 15_000.0,
        read_noise: &[(0.0, 2.2), (200.0, 1.5), (400.0, 1.4)],
        dark: 0.05,
        hot: 3e-4,
        efficiency: [0.78, 0.81, 0.6],
        default_gain: 0.0,
        readout: Duration::from_millis(120),
        ..CMOS
    },
    SensorModel {
        name: "imx462",
        width: 1936,
        height: 1096,
        pixel: Microns(2.9),
        adc_bits: 12,
        full_well: 11_200.0,
        read_noise: &[(0.0, 2.4), (79.0, 2.2), (80.0, 0.9), (350.0, 0.6)],
        dark: 0.04,
        hot: 3e-4,
        efficiency: [0.75, 0.86, 0.89],
        max_bin: 2,
        default_gain: 80.0,
        readout: Duration::from_millis(10),
        cooling: None,
        ..CMOS
    },
    SensorModel {
        name: "imx290",
        width: 1936,
        height: 1096,
        pixel: Microns(2.9),
        adc_bits: 12,
        full_well: 14_600.0,
        read_noise: &[(0.0, 3.2), (59.0, 2.9), (60.0, 1.6), (350.0, 1.0)],
        dark: 0.04,
        hot: 3e-4,
        efficiency: [0.72, 0.8, 0.72],
        max_bin: 2,
        default_gain: 60.0,
        readout: Duration::from_millis(10),
        cooling: None,
        ..CMOS
    },
    SensorModel {
        name: "imx174",
        width: 1936,
        height: 1216,
        pixel: Microns(5.86),
        adc_bits: 12,
        full_well: 32_400.0,
        read_noise: &[(0.0, 6.0), (200.0, 3.7), (400.0, 3.5)],
        dark: 0.3,
        hot: 3e-4,
        efficiency: [0.73, 0.78, 0.6],
        max_bin: 2,
        default_gain: 0.0,
        readout: Duration::from_millis(8),
        cooling: None,
        ..CMOS
    },
    SensorModel {
        name: "kaf8300",
        width: 3326,
        height: 2504,
        pixel: Microns(5.4),
        full_well: 25_500.0,
        read_noise: &[(0.0, 8.0)],
        dark: 0.15,
        hot: 5e-4,
        efficiency: [0.4, 0.56, 0.5],
        max_bin: 8,
        exposure: Duration::from_millis(100)..=Duration::from_secs(3600),
        gain: 0.0..=0.0,
        default_gain: 0.0,
        readout: Duration::from_secs(8),
        cooling: Some(Celsius(40.0)),
        shutter: true,
        ..CMOS
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_found_in_any_casing_and_the_error_lists_them() {
        assert_eq!(SensorModel::find("IMX455").unwrap().width, 9576);
        let error = SensorModel::find("imx999").unwrap_err();
        assert!(error.to_string().contains("imx571, imx533"), "{error}");
    }

    #[test]
    fn every_sensor_is_set_within_its_own_ranges() {
        for sensor in SENSORS {
            assert!(sensor.gain.contains(&sensor.default_gain), "{}", sensor.name);
            assert!(sensor.offset.contains(&sensor.default_offset), "{}", sensor.name);
            let gains: Vec<f64> = sensor.read_noise.iter().map(|point| point.0).collect();
            assert!(gains.is_sorted() && sensor.read_noise.iter().all(|point| point.1 > 0.5), "{}", sensor.name);
        }
    }

    #[test]
    fn twenty_decibels_are_a_tenth_of_the_electrons() {
        let sensor = SensorModel::find("imx571").unwrap();
        assert!((sensor.electrons_per_adu(0.0) / sensor.electrons_per_adu(200.0) - 10.0).abs() < 1e-9);
        assert!((sensor.full_well(200.0) - 5_100.0).abs() < 1.0);
        let eight = sensor.clone().with_bits(8).unwrap();
        assert!((eight.electrons_per_adu(0.0) / sensor.electrons_per_adu(0.0) - 256.0).abs() < 1e-9);
        assert_eq!((eight.max_adu(), sensor.max_adu()), (255, 65_535));
        assert!(sensor.with_bits(12).is_err());
    }

    #[test]
    fn the_read_noise_drops_where_the_second_amplifier_takes_over() {
        let sensor = SensorModel::find("imx455").unwrap();
        assert_eq!(sensor.read_noise(-1.0), 3.5);
        assert_eq!(sensor.read_noise(100.0), 1.5);
        assert_eq!(sensor.read_noise(200.0), 1.35);
        assert_eq!(sensor.read_noise(900.0), 1.2);
        assert_eq!(sensor.dark_current(Celsius(6.0)), 2.0 * sensor.dark_current(Celsius(0.0)));
    }
}
