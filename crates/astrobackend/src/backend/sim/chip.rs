//! From light to numbers: how each pixel of the chip answers.
//!
//! One normally distributed number per pixel carries photon noise and read noise together: mean, variance and
//! skewness of their sum are right for any number of photons (Cornish and Fisher's expansion), and with the
//! read noise of real sensors the single electron cannot be seen anyway.

use super::{
    noise::{self, Stream},
    scene::Scene,
    sensor::warmth,
};
use crate::device::FrameType;

/// Spread of the pixels' sensitivity.
const SENSITIVITY: f32 = 0.004;

/// Spread of the columns' levels, of the read noise.
const COLUMNS: f64 = 0.03;

/// Dark currents of hot pixels at 0 °C in electrons per second: evenly spread on a logarithmic scale.
const HOT: (f64, f64) = (0.5, 500.0);

/// Mark the streams of random numbers.
const SHOTS: u64 = 1;
const PIXELS: u64 = 2;
const LEVELS: u64 = 3;
const HOT_PIXELS: u64 = 4;

/// The chip during one exposure.
#[derive(Debug)]
pub(super) struct Chip {
    seed: u64,
    serial: u64,
    width: u32,
    seconds: f64,
    /// Electrons of a normal pixel without light.
    dark: f64,
    warmth: f64,
    hot_per_row: f64,
    read_noise: f64,
    full_well: f32,
    steps_per_electron: f32,
    /// Level of each column without electrons.
    levels: Vec<f32>,
    full_scale: u16,
    /// Bits of the 16-bit scale that are not delivered.
    shift: u8,
    left: u32,
    /// Samples and sensitivities of the row at hand.
    samples: Vec<f32>,
    sensitivity: Vec<f32>,
}

impl Chip {
    /// The chip of a scene; rows are given from column `left` on, `width` columns each.
    pub(super) fn new(scene: &Scene, left: u32, width: usize) -> Self {
        let sensor = &scene.sensor;
        let seconds = if scene.frame_type == FrameType::Bias { 0.0 } else { scene.exposure.as_secs_f64() };
        let steps_per_electron = 1.0 / sensor.electrons_per_step(scene.gain);
        let read_noise = sensor.read_noise(scene.gain);
        let mut levels = vec![0.0; width];
        noise::gaussians(noise::key(&[scene.seed, LEVELS]), left as usize, &mut levels);
        let bias = sensor.bias_level(scene.offset);
        for level in &mut levels {
            *level = (bias + f64::from(*level) * COLUMNS * read_noise * steps_per_electron) as f32;
        }
        Chip {
            seed: scene.seed,
            serial: scene.serial,
            width: sensor.width,
            seconds,
            dark: sensor.dark_current(scene.temperature) * seconds,
            warmth: warmth(scene.temperature),
            hot_per_row: sensor.hot * f64::from(sensor.width),
            read_noise,
            full_well: sensor.full_well as f32,
            steps_per_electron: steps_per_electron as f32,
            levels,
            full_scale: sensor.full_scale(),
            shift: 16 - sensor.bits.min(16),
            left,
            samples: vec![0.0; width],
            sensitivity: vec![0.0; width],
        }
    }

    /// Noise of a pixel that light gives so many electrons, in electrons.
    pub(super) fn noise(&self, light: f64) -> f64 {
        (light + self.dark + self.read_noise * self.read_noise).sqrt()
    }

    /// Gives each pixel of a row its own sensitivity.
    pub(super) fn absorb(&mut self, y: u32, row: &mut [f32]) {
        noise::gaussians(noise::key(&[self.seed, PIXELS, u64::from(y)]), self.left as usize, &mut self.sensitivity);
        for (pixel, sensitivity) in row.iter_mut().zip(&self.sensitivity) {
            *pixel *= 1.0 + SENSITIVITY * sensitivity;
        }
    }

    /// Reads a row out: adds the dark current to the electrons expected of light, draws the noise, converts.
    pub(super) fn read(&mut self, y: u32, row: &mut [f32], out: &mut [u16]) {
        row.iter_mut().for_each(|pixel| *pixel += self.dark as f32);
        self.heat(y, row);
        let key = noise::key(&[self.seed, SHOTS, self.serial, u64::from(y)]);
        noise::gaussians(key, self.left as usize, &mut self.samples);
        let floor = (self.read_noise * self.read_noise) as f32;
        let full_scale = f32::from(self.full_scale);
        let step = u16::MAX - self.full_scale + 1;
        let round = f32::from(step) / 2.0;
        for (((out, electrons), z), level) in out.iter_mut().zip(row.iter()).zip(&self.samples).zip(&self.levels) {
            let variance = electrons + floor;
            let skew = electrons / (6.0 * variance);
            let collected = electrons + variance.sqrt() * z + skew * (z * z - 1.0);
            let value = collected.min(self.full_well) * self.steps_per_electron + level + round;
            *out = (value.clamp(0.0, full_scale) as i32 as u16 & self.full_scale) >> self.shift;
        }
    }

    /// Adds the dark current of the hot pixels of a row.
    fn heat(&self, y: u32, row: &mut [f32]) {
        let mut random = Stream::new(&[self.seed, HOT_PIXELS, u64::from(y)]);
        for _ in 0..random.count(self.hot_per_row) {
            let column = (random.unit() * f64::from(self.width)) as usize;
            let current = HOT.0 * (HOT.1 / HOT.0).powf(random.unit());
            if let Some(pixel) = column.checked_sub(self.left as usize).and_then(|i| row.get_mut(i)) {
                *pixel += (current * self.warmth * self.seconds) as f32;
            }
        }
    }
}
