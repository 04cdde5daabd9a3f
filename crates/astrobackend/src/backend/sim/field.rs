//! The stars of a scene: where each falls on the chip and how many electrons it makes there.

use super::{
    catalogue,
    photometry::{Response, starlight},
    projection::{ARCSEC, Projection, direction},
    psf::Psf,
    scene::Scene,
};
use crate::Degrees;

/// Nothing fainter is made up.
const FAINTEST: f64 = 19.0;

/// No picture has more made-up stars than about this.
const MOST: f64 = 300_000.0;

/// A star is drawn when its brightest pixel exceeds this share of the noise, and out to where it
/// falls below a smaller one.
const SEEN: f32 = 0.3;
const EDGE: f32 = 0.04;

/// A star on the chip.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// Unbinned pixels; the middle of the first pixel is (0, 0).
    x: f32,
    y: f32,
    /// Electrons in each kind of pixel.
    flux: [f32; 3],
    /// Radius of its image without the trail.
    radius: f32,
}

/// The stars of a scene, drawn strip by strip from the top.
#[derive(Debug)]
pub(super) struct StarField {
    psf: Psf,
    /// By the row of their upper edge, the last first.
    waiting: Vec<Spot>,
    drawing: Vec<Spot>,
    /// Displacements from the star's place at which its image is repeated, to make a trail.
    trail: Vec<(f32, f32)>,
}

impl StarField {
    /// The stars that fall on some columns and rows of the chip and stand out from a noise, in electrons.
    pub(super) fn new(scene: &Scene, columns: (u32, u32), rows: (u32, u32), noise: f64) -> Self {
        let projection = Projection::new(scene);
        let response = Response::new(scene);
        let psf = Psf::new(scene, projection.arcsec_per_pixel());
        let (trail, length) = trail(scene, &projection, &psf);
        let steps = trail.len() as f32;
        // A trail spreads the light over its length.
        let sight = Sight { noise: noise as f32 * (length * psf.peak().sqrt()).max(1.0), psf: &psf };
        let half_trail = trail.iter().fold(0.0, |most: f32, (x, y)| most.max(x.hypot(*y)));
        let mut waiting = Vec::new();
        for star in stars(scene, &projection, limit(&response, &sight)) {
            let Some((x, y)) = projection.to_chip(direction(star.ra, star.dec)) else { continue };
            let flux = response.of_sky_light(&starlight(star.mag, star.bv)).map(|electrons| electrons as f32);
            let Some(radius) = sight.radius(flux) else { continue };
            let (x, y, reach) = (x as f32, y as f32, radius + half_trail);
            let beside = |at: f32, (first, end): (u32, u32)| at + reach < first as f32 || at - reach > end as f32;
            if !beside(x, columns) && !beside(y, rows) {
                waiting.push(Spot { x, y, flux: flux.map(|flux| flux / steps), radius });
            }
        }
        waiting.sort_by(|a, b| (b.y - b.radius).total_cmp(&(a.y - a.radius)));
        StarField { psf, waiting, drawing: Vec::new(), trail }
    }

    /// Adds the stars to the rows from `top` on, each `width` columns from `left`; `kinds` tells the kinds
    /// of the pixels at even and odd columns of a row.
    pub(super) fn draw(
        &mut self,
        strip: &mut [f32],
        left: u32,
        top: u32,
        width: usize,
        kinds: impl Fn(u32) -> [usize; 2],
    ) {
        let bottom = top as f32 + (strip.len() / width.max(1)) as f32;
        let half_trail = self.trail.iter().fold(0.0, |most: f32, (_, y)| most.max(y.abs()));
        while let Some(spot) = self.waiting.pop_if(|spot| spot.y - spot.radius - half_trail <= bottom) {
            self.drawing.push(spot);
        }
        for spot in &self.drawing {
            for (dx, dy) in &self.trail {
                let step = Spot { x: spot.x + dx, y: spot.y + dy, ..*spot };
                draw_one(&self.psf, step, strip, left, top, width, &kinds);
            }
        }
        self.drawing.retain(|spot| spot.y + spot.radius + half_trail >= bottom);
    }
}

fn draw_one(
    psf: &Psf,
    spot: Spot,
    strip: &mut [f32],
    left: u32,
    top: u32,
    width: usize,
    kinds: impl Fn(u32) -> [usize; 2],
) {
    let rows = strip.len() / width;
    let (x, y) = (spot.x - left as f32, spot.y - top as f32);
    let first_row = (y - spot.radius).ceil().max(0.0) as usize;
    let end_row = ((y + spot.radius).floor() + 1.0).max(0.0) as usize;
    for row in first_row..end_row.min(rows) {
        let dy = row as f32 - y;
        let half = (spot.radius * spot.radius - dy * dy).max(0.0).sqrt();
        let first = (x - half).ceil().max(0.0) as usize;
        let end = (((x + half).floor() + 1.0).max(0.0) as usize).min(width);
        if first < end {
            let kinds = kinds(top + row as u32);
            let flux = [kinds[first % 2], kinds[(first + 1) % 2]].map(|kind| spot.flux[kind]);
            psf.add(flux, first as f32 - x, dy, &mut strip[row * width + first..row * width + end]);
        }
    }
}

/// What stands out from the noise.
struct Sight<'a> {
    noise: f32,
    psf: &'a Psf,
}

impl Sight<'_> {
    /// Radius of the image of a star, `None` when it is not seen at all.
    fn radius(&self, flux: [f32; 3]) -> Option<f32> {
        let flux = flux.into_iter().fold(0.0, f32::max);
        (flux * self.psf.peak() > SEEN * self.noise).then(|| self.psf.radius(EDGE * self.noise / flux))
    }
}

/// Magnitude of the faintest stars that are seen.
fn limit(response: &Response, sight: &Sight) -> f64 {
    let zero = response.of_sky_light(&starlight(0.0, 0.6)).into_iter().fold(0.0, f64::max);
    let faintest = f64::from(SEEN * sight.noise / sight.psf.peak());
    if zero > 0.0 { 2.5 * (zero / faintest).log10() } else { f64::NEG_INFINITY }
}

/// Catalogue stars and made-up ones in and around the field of view.
fn stars(scene: &Scene, projection: &Projection, limit: f64) -> impl Iterator<Item = catalogue::Star> + use<> {
    const MARGIN: f64 = 1.1;
    let diagonal = f64::from(scene.sensor.width).hypot(f64::from(scene.sensor.height)) / 2.0;
    let trail = scene.trail.0.hypot(scene.trail.1) / 2.0;
    let half = diagonal * projection.arcsec_per_pixel() / ARCSEC;
    let radius = Degrees((half.atan().to_degrees() + trail / 3600.0) * MARGIN);
    let mut faintest = limit.min(FAINTEST);
    while catalogue::expected(scene.centre, radius, faintest) > MOST {
        faintest -= 0.5;
    }
    catalogue::bright(scene.centre, radius).chain(catalogue::faint(scene.seed, scene.centre, radius, faintest))
}

/// Places of a star's image during the exposure, from its place in the middle of it, and the trail's length.
fn trail(scene: &Scene, projection: &Projection, psf: &Psf) -> (Vec<(f32, f32)>, f32) {
    // As the pointing moves one way, the stars move the other way.
    let (x, y) = projection.turn(-scene.trail.0 / ARCSEC, -scene.trail.1 / ARCSEC);
    // The peak is about one over the square of the width: images this near to each other merge.
    let step = 0.3 / f64::from(psf.peak()).sqrt();
    let steps = (x.hypot(y) / step).ceil().clamp(1.0, 20_000.0);
    let place = |i: usize| (i as f64 + 0.5) / steps - 0.5;
    let places = (0..steps as usize).map(|i| ((x * place(i)) as f32, (y * place(i)) as f32));
    (places.collect(), x.hypot(y) as f32)
}

/// Where a scene's stars fall in its picture, and their visual magnitudes, brightest first, down to a
/// magnitude; the middle of the picture's first pixel is (0, 0).
#[cfg(test)]
pub(super) fn stars_in(scene: &Scene, limit: f64) -> Vec<(f64, f64, f64)> {
    let projection = Projection::new(scene);
    let inside = |(x, y, _): &(f64, f64, f64)| {
        let within = |at: f64, length: u32| at >= -0.5 && at < f64::from(length) - 0.5;
        within(*x, scene.frame.width) && within(*y, scene.frame.height)
    };
    let place = |star: catalogue::Star| {
        let (x, y) = super::projection::to_picture(scene, projection.to_chip(direction(star.ra, star.dec))?);
        (star.mag <= limit).then_some((x, y, star.mag))
    };
    let mut found: Vec<_> = stars(scene, &projection, limit).filter_map(place).filter(inside).collect();
    found.sort_by(|a, b| a.2.total_cmp(&b.2));
    found
}
