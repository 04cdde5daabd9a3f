//! Light that comes from everywhere: the night sky, nebulae, galaxies.
//!
//! It changes slowly over the chip, so it is worked out at some places and interpolated in between.

use super::{
    nebulae,
    photometry::{Electrons, Response, skylight},
    projection::{ARCSEC, Projection},
    scene::Scene,
};

/// Pixels between the places.
pub(super) const CELL: u32 = 8;

/// Electrons that the sky makes, all over the chip.
#[derive(Debug)]
pub(super) struct Glow {
    background: f64,
    top: u32,
    columns: usize,
    nodes: Vec<[f32; 3]>,
}

impl Glow {
    /// The glow of a scene over some columns and rows of the chip; the columns begin and end at a multiple of [`CELL`].
    pub(super) fn new(scene: &Scene, columns: (u32, u32), rows: (u32, u32)) -> Self {
        let projection = Projection::new(scene);
        let response = Response::new(scene);
        let pixel = projection.arcsec_per_pixel();
        let area = pixel * pixel;
        let sky = response.of_ground_light(&skylight(scene.sky)).map(|electrons| electrons * area);
        let nebulae = nebulae::near(scene, &projection, detail(scene, pixel));
        let node = |x: u32, y: u32| -> [f32; 3] {
            let direction = projection.to_sky(f64::from(x), f64::from(y));
            let light = nebulae::light(&nebulae, direction);
            let nebula: Electrons = light.map_or([0.0; 3], |light| response.of_sky_light(&light));
            std::array::from_fn(|kind| (sky[kind] + nebula[kind] * area) as f32)
        };
        let top = rows.0 - rows.0 % CELL;
        let nodes = (top..=rows.1 + CELL)
            .step_by(CELL as usize)
            .flat_map(|y| (columns.0..=columns.1).step_by(CELL as usize).map(move |x| (x, y)))
            .map(|(x, y)| node(x, y))
            .collect();
        let columns = ((columns.1 - columns.0) / CELL) as usize + 1;
        Glow { background: sky.into_iter().fold(0.0, f64::max), top, columns, nodes }
    }

    /// Electrons of a pixel where there is nothing but sky.
    pub(super) fn background(&self) -> f64 {
        self.background
    }

    /// Fills a row, given the kinds of its pixels at even and odd columns.
    pub(super) fn fill(&self, y: u32, kinds: [usize; 2], row: &mut [f32]) {
        let above = ((y - self.top) / CELL) as usize * self.columns;
        let part = ((y - self.top) % CELL) as f32 / CELL as f32;
        let node = |i: usize| -> [f32; 2] {
            let (above, below) = (&self.nodes[above + i], &self.nodes[above + self.columns + i]);
            kinds.map(|kind| above[kind] + (below[kind] - above[kind]) * part)
        };
        let mut left = node(0);
        for (i, cell) in row.as_chunks_mut::<{ CELL as usize }>().0.iter_mut().enumerate() {
            let right = node(i + 1);
            let slope: [f32; 2] = std::array::from_fn(|k| (right[k] - left[k]) / CELL as f32);
            for (k, pixel) in cell.iter_mut().enumerate() {
                *pixel = left[k % 2] + slope[k % 2] * k as f32;
            }
            left = right;
        }
    }
}

/// Size in arcminutes of the smallest detail that the picture can show: two cells, if nothing blurs it more.
fn detail(scene: &Scene, arcsec_per_pixel: f64) -> f64 {
    let shadow = scene.defocus.abs() * 1e-6 * scene.aperture.0 / (scene.focal_length.0 * scene.focal_length.0) * ARCSEC;
    let blur = shadow.max(scene.trail.0.hypot(scene.trail.1)).max(scene.seeing);
    blur.max(f64::from(2 * CELL) * arcsec_per_pixel) / 60.0
}
