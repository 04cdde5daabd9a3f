//! What the optics take away unevenly: the darker corners, and the shadows of dust. A flat divides it out.

use super::{noise::Stream, photometry::OBSTRUCTION, scene::Scene};

/// Light lost at [`CORNER`] millimetres from the axis.
const VIGNETTING: f64 = 0.12;
const CORNER: f64 = 21.6;

/// Dust grains on each square centimetre of the chip's window.
const GRAINS_PER_CM2: f64 = 2.0;

/// Marks the stream of random numbers.
const GRAINS: u64 = 0x6475_7374;

/// The shadow of a dust grain: a ring, as the opening of the telescope is.
#[derive(Debug)]
struct Grain {
    x: f32,
    y: f32,
    radius: f32,
    depth: f32,
}

/// Share of the light that reaches each pixel.
#[derive(Debug)]
pub(super) struct Shade {
    middle: (f32, f32),
    per_square_pixel: f32,
    grains: Vec<Grain>,
}

impl Shade {
    /// That of a scene: the optics and the dust in its camera.
    pub(super) fn new(scene: &Scene) -> Self {
        let (width, height) = (f64::from(scene.sensor.width), f64::from(scene.sensor.height));
        let millimetres = scene.sensor.pixel.0 / 1000.0;
        let f_ratio = scene.focal_length.0 / scene.aperture.0;
        let mut random = Stream::new(&[scene.seed, GRAINS]);
        let area = width * height * (millimetres / 10.0).powi(2);
        let grain = |_| Grain {
            x: (random.unit() * width) as f32,
            y: (random.unit() * height) as f32,
            // On a window a few millimetres before the chip.
            radius: ((1.0 + 2.0 * random.unit()) / f_ratio / millimetres / 2.0) as f32,
            depth: (0.01 + 0.03 * random.unit()) as f32,
        };
        Shade {
            middle: ((width / 2.0 - 0.5) as f32, (height / 2.0 - 0.5) as f32),
            per_square_pixel: (VIGNETTING * (millimetres / CORNER).powi(2)) as f32,
            grains: (0..(area * GRAINS_PER_CM2).ceil() as usize).map(grain).collect(),
        }
    }

    /// Dims a row of the chip from column `left` on.
    pub(super) fn dim(&self, y: u32, left: u32, row: &mut [f32]) {
        let dy = y as f32 - self.middle.1;
        let start = left as f32 - self.middle.0;
        for (i, pixel) in row.iter_mut().enumerate() {
            let dx = start + i as f32;
            *pixel *= (1.0 - self.per_square_pixel * (dx * dx + dy * dy)).max(0.1);
        }
        for grain in self.grains.iter().filter(|grain| (y as f32 - grain.y).abs() < grain.radius) {
            grain.dim(y, left, row);
        }
    }
}

impl Grain {
    fn dim(&self, y: u32, left: u32, row: &mut [f32]) {
        let (dx, dy) = (self.x - left as f32, y as f32 - self.y);
        let column = |x: f32| (x.max(0.0) as usize).min(row.len());
        let (first, end) = (column((dx - self.radius).ceil()), column((dx + self.radius).ceil()));
        for (i, pixel) in row.iter_mut().enumerate().take(end).skip(first) {
            let distance = (i as f32 - dx).hypot(dy) / self.radius;
            let rim = ((1.0 - distance) * 8.0).clamp(0.0, 1.0);
            let hole = ((distance - OBSTRUCTION as f32) * 8.0).clamp(0.2, 1.0);
            *pixel *= 1.0 - self.depth * rim * hole;
        }
    }
}
