//! The showpieces of the sky: where they are, how bright, and roughly what they look like.
//!
//! Each is a simple shape with made-up structure in it, bright enough to be seen in a short exposure.

use super::{
    photometry::{Spectrum, starlight},
    projection::{ARCSEC, Direction, Projection, TangentPlane, direction},
    scene::Scene,
    turbulence::Turbulence,
};
use Shape::*;

/// Photons per second, square metre and square arcsecond of 1000 rayleigh.
const KILORAYLEIGH: f64 = 18.7;

/// What a nebula looks like.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// The Orion nebula, with its bay, bar and wings.
    Orion,
    /// Gas that is brightest in the middle, or around a hole of a radius.
    Cloud { hole: f64 },
    /// Dust that hides what is behind: a dark patch of a cloud.
    Horsehead,
    /// A ring of gas with a filled middle, or two lobes.
    Shell { lobes: f64 },
    /// A disc with two arms wound by so many radians per e-fold of the radius, and a bulge.
    Spiral { winding: f64, bulge: f64 },
    /// Starlight that falls off smoothly.
    Smooth,
}

/// A nebula or galaxy.
#[derive(Clone, Copy, Debug)]
struct Nebula {
    /// J2000 right ascension in hours and declination in degrees.
    place: (f64, f64),
    /// Half of the longer axis in arcminutes, and the shorter axis in parts of it.
    size: (f64, f64),
    /// Position angle of the longer axis in degrees.
    angle: f64,
    shape: Shape,
    /// Brightest oxygen, hydrogen and sulphur lines in kilorayleigh.
    lines: [f64; 3],
    /// Brightest continuum: magnitudes per square arcsecond, and B−V.
    surface: (f64, f64),
}

/// No continuum worth mentioning.
const GAS: (f64, f64) = (21.5, 0.3);

const fn nebula(
    place: (f64, f64),
    size: (f64, f64),
    angle: f64,
    shape: Shape,
    lines: [f64; 3],
    surface: (f64, f64),
) -> Nebula {
    Nebula { place, size, angle, shape, lines, surface }
}

static NEBULAE: &[Nebula] = &[
    // M42 and M43, the Running Man, Horsehead with IC 434, Flame, Rosette, Cone, M1.
    nebula((5.5880, -5.391), (34.0, 1.0), 0.0, Orion, [170.0, 300.0, 22.0], (17.0, 0.0)),
    nebula((5.5917, -4.83), (14.0, 0.6), 80.0, Cloud { hole: 0.0 }, [1.0, 10.0, 3.0], (20.3, -0.1)),
    nebula((5.6833, -2.46), (32.0, 0.45), 0.0, Horsehead, [1.0, 20.0, 6.0], GAS),
    nebula((5.6983, -1.85), (15.0, 0.8), 20.0, Cloud { hole: 0.0 }, [1.0, 24.0, 8.0], (20.8, 0.6)),
    nebula((6.5383, 4.97), (40.0, 0.95), 0.0, Cloud { hole: 0.3 }, [12.0, 40.0, 10.0], GAS),
    nebula((6.6833, 9.60), (30.0, 0.7), 160.0, Cloud { hole: 0.0 }, [1.0, 14.0, 5.0], GAS),
    nebula((5.5755, 22.015), (3.4, 0.68), 125.0, Shell { lobes: 0.2 }, [50.0, 60.0, 55.0], (20.3, 0.4)),
    // California, Flaming Star, Heart, Soul, Jellyfish, Pacman.
    nebula((4.0550, 36.42), (75.0, 0.28), 105.0, Cloud { hole: 0.0 }, [0.5, 18.0, 5.0], GAS),
    nebula((5.2700, 34.35), (18.0, 0.6), 60.0, Cloud { hole: 0.0 }, [1.0, 16.0, 4.0], GAS),
    nebula((2.5450, 61.45), (55.0, 0.9), 0.0, Cloud { hole: 0.35 }, [3.0, 18.0, 6.0], GAS),
    nebula((2.9200, 60.40), (55.0, 0.55), 90.0, Cloud { hole: 0.3 }, [2.0, 16.0, 6.0], GAS),
    nebula((6.2850, 22.60), (24.0, 0.8), 30.0, Cloud { hole: 0.45 }, [4.0, 18.0, 12.0], GAS),
    nebula((0.8800, 56.62), (15.0, 0.9), 0.0, Cloud { hole: 0.15 }, [6.0, 25.0, 7.0], GAS),
    // North America, Pelican, Veil east and west, Crescent, Elephant's Trunk, M8, M20, M16, M17.
    nebula((20.980, 44.35), (65.0, 0.8), 20.0, Cloud { hole: 0.0 }, [3.0, 28.0, 8.0], GAS),
    nebula((20.847, 44.35), (32.0, 0.7), 0.0, Cloud { hole: 0.0 }, [2.0, 22.0, 7.0], GAS),
    nebula((20.940, 31.70), (38.0, 0.3), 155.0, Cloud { hole: 0.4 }, [30.0, 24.0, 12.0], GAS),
    nebula((20.762, 30.70), (38.0, 0.2), 10.0, Cloud { hole: 0.4 }, [28.0, 20.0, 10.0], GAS),
    nebula((20.200, 38.35), (9.0, 0.65), 45.0, Shell { lobes: 0.3 }, [14.0, 25.0, 6.0], GAS),
    nebula((21.650, 57.50), (80.0, 0.95), 0.0, Cloud { hole: 0.2 }, [3.0, 14.0, 5.0], GAS),
    nebula((18.060, -24.38), (38.0, 0.5), 100.0, Cloud { hole: 0.0 }, [60.0, 160.0, 25.0], (19.5, 0.2)),
    nebula((18.040, -23.03), (11.0, 0.95), 0.0, Cloud { hole: 0.05 }, [15.0, 60.0, 12.0], (20.0, 0.0)),
    nebula((18.313, -13.80), (17.0, 0.8), 120.0, Cloud { hole: 0.0 }, [20.0, 80.0, 14.0], GAS),
    nebula((18.346, -16.17), (14.0, 0.6), 70.0, Cloud { hole: 0.0 }, [80.0, 200.0, 22.0], (19.5, 0.2)),
    // Planetary nebulae: M57, M27, Helix, Owl.
    nebula((18.893, 33.029), (1.0, 0.78), 60.0, Shell { lobes: 0.0 }, [200.0, 70.0, 6.0], GAS),
    nebula((19.994, 22.721), (3.6, 0.8), 125.0, Shell { lobes: 0.7 }, [110.0, 55.0, 6.0], GAS),
    nebula((22.494, -20.837), (7.5, 0.85), 120.0, Shell { lobes: 0.1 }, [40.0, 45.0, 8.0], GAS),
    nebula((11.247, 55.019), (1.7, 1.0), 0.0, Shell { lobes: 0.3 }, [60.0, 25.0, 3.0], GAS),
    // Pleiades: Merope, Maia, Alcyone, Electra. Iris.
    nebula((3.7722, 23.86), (17.0, 0.9), 0.0, Cloud { hole: 0.0 }, [0.0; 3], (20.6, -0.15)),
    nebula((3.7636, 24.38), (12.0, 0.9), 40.0, Cloud { hole: 0.0 }, [0.0; 3], (21.0, -0.15)),
    nebula((3.7914, 24.105), (14.0, 0.8), 90.0, Cloud { hole: 0.0 }, [0.0; 3], (21.0, -0.15)),
    nebula((3.7479, 24.113), (10.0, 0.9), 0.0, Cloud { hole: 0.0 }, [0.0; 3], (21.2, -0.15)),
    nebula((21.027, 68.17), (9.0, 0.9), 0.0, Cloud { hole: 0.0 }, [0.0; 3], (20.3, -0.1)),
    // Galaxies: M31, M32, M110, M33, M51 with NGC 5195, M101, M81, M82, NGC 253, M104, NGC 891, NGC 2903, M63, M106.
    nebula((0.7123, 41.269), (90.0, 0.28), 35.0, Spiral { winding: 6.0, bulge: 1.0 }, [0.0, 1.5, 0.5], (17.6, 0.9)),
    nebula((0.7116, 40.865), (4.0, 0.75), 170.0, Smooth, [0.0; 3], (17.0, 0.9)),
    nebula((0.6728, 41.685), (10.0, 0.5), 170.0, Smooth, [0.0; 3], (20.0, 0.8)),
    nebula((1.5641, 30.660), (34.0, 0.6), 23.0, Spiral { winding: 3.0, bulge: 0.15 }, [2.0, 5.0, 1.5], (20.3, 0.5)),
    nebula((13.4980, 47.195), (5.5, 0.75), 170.0, Spiral { winding: 3.6, bulge: 0.7 }, [2.0, 8.0, 2.0], (18.8, 0.55)),
    nebula((13.4998, 47.266), (2.8, 0.8), 100.0, Smooth, [0.0; 3], (18.2, 0.9)),
    nebula((14.0535, 54.349), (13.0, 0.95), 40.0, Spiral { winding: 3.4, bulge: 0.3 }, [2.0, 6.0, 1.5], (20.3, 0.4)),
    nebula((9.9256, 69.065), (13.0, 0.52), 157.0, Spiral { winding: 4.2, bulge: 0.9 }, [0.5, 3.0, 1.0], (18.0, 0.85)),
    nebula((9.9312, 69.680), (5.5, 0.3), 65.0, Spiral { winding: 1.5, bulge: 0.2 }, [3.0, 30.0, 9.0], (18.0, 0.75)),
    nebula((0.7925, -25.288), (13.0, 0.25), 52.0, Spiral { winding: 4.0, bulge: 0.4 }, [0.5, 5.0, 2.0], (18.8, 0.8)),
    nebula((12.6665, -11.623), (4.3, 0.35), 90.0, Spiral { winding: 8.0, bulge: 1.0 }, [0.0; 3], (17.5, 0.95)),
    nebula((2.3759, 42.349), (6.5, 0.2), 22.0, Spiral { winding: 6.0, bulge: 0.4 }, [0.2, 2.0, 0.8], (19.5, 0.85)),
    nebula((9.5361, 21.501), (6.0, 0.5), 17.0, Spiral { winding: 3.6, bulge: 0.6 }, [0.5, 5.0, 1.5], (19.0, 0.65)),
    nebula((13.2637, 42.029), (6.0, 0.57), 105.0, Spiral { winding: 5.0, bulge: 0.6 }, [0.2, 3.0, 1.0], (19.0, 0.7)),
    nebula((12.3160, 47.304), (9.0, 0.4), 150.0, Spiral { winding: 3.8, bulge: 0.6 }, [0.5, 4.0, 1.5], (19.0, 0.65)),
];

/// A nebula in the field of view.
#[derive(Debug)]
pub(super) struct Near {
    nebula: &'static Nebula,
    plane: TangentPlane,
    /// Sine and cosine of the position angle.
    angle: (f64, f64),
    /// Photons at brightness 1, without lines and lines alone.
    surface: Spectrum,
    lines: [f64; 3],
    billows: Turbulence,
    filaments: Turbulence,
}

/// The nebulae in a scene, worked out down to details of so many arcminutes.
pub(super) fn near(scene: &Scene, projection: &Projection, detail: f64) -> Vec<Near> {
    let diagonal = f64::from(scene.sensor.width).hypot(f64::from(scene.sensor.height)) / 2.0;
    let field = (diagonal * projection.arcsec_per_pixel() / ARCSEC).atan();
    let plane = TangentPlane::new(scene.centre.ra.radians(), scene.centre.dec.radians());
    let inside = |nebula: &&Nebula| {
        let (ra, dec) = place(nebula);
        let reach = field + nebula.size.0 * REACH / 60.0 * std::f64::consts::PI / 180.0;
        plane.project(direction(ra, dec)).is_some_and(|(east, north)| length(east, north) < reach.min(1.5).tan())
    };
    NEBULAE.iter().filter(inside).map(|nebula| Near::new(nebula, detail)).collect()
}

/// Nothing of a nebula lies beyond so many times its size.
const REACH: f64 = 1.6;

fn place(nebula: &Nebula) -> (f64, f64) {
    ((nebula.place.0 * 15.0).to_radians(), nebula.place.1.to_radians())
}

/// The light that comes from a direction (of any length); `None` when it is none.
pub(super) fn light(nebulae: &[Near], direction: Direction) -> Option<Spectrum> {
    nebulae.iter().filter_map(|near| near.light(direction)).reduce(|a, b| std::array::from_fn(|i| a[i] + b[i]))
}

impl Near {
    fn new(nebula: &'static Nebula, detail: f64) -> Self {
        let (ra, dec) = place(nebula);
        // Orion's shape is in arcminutes, the others' in sizes of the nebula.
        let detail = if matches!(nebula.shape, Orion) { detail } else { detail / nebula.size.0 };
        // Any number does, as long as it belongs to the nebula: it looks the same in every world.
        let key = (nebula.place.0 * 1e4) as u64;
        Near {
            nebula,
            plane: TangentPlane::new(ra, dec),
            angle: nebula.angle.to_radians().sin_cos(),
            surface: starlight(nebula.surface.0, nebula.surface.1),
            lines: nebula.lines.map(|line| line * KILORAYLEIGH),
            billows: Turbulence::new(key << 8, detail),
            filaments: Turbulence::new(key << 8 | 0x80, detail),
        }
    }

    fn light(&self, direction: Direction) -> Option<Spectrum> {
        let size = self.nebula.size;
        let to_sizes = ARCSEC / 60.0 / size.0;
        let (east, north) = self.plane.project(direction)?;
        let (east, north) = (east * to_sizes, north * to_sizes);
        if east * east + north * north > REACH * REACH {
            return None;
        }
        let (sin, cos) = self.angle;
        let along = east * sin + north * cos;
        let across = (east * cos - north * sin) / size.1;
        let brightness = match self.nebula.shape {
            Orion => self.orion(east * size.0, north * size.0),
            Cloud { hole } => self.cloud(east, north, length(along, across), hole),
            Horsehead => self.horsehead(east, north, along, across),
            Shell { lobes } => self.shell(east, north, along, across, lobes),
            Spiral { winding, bulge } => self.spiral(along, across, winding, bulge),
            Smooth => 1.0 / (1.0 + 40.0 * (along * along + across * across)).powi(2),
        };
        let fade = smooth(REACH, REACH * 0.8, length(east, north));
        Some(self.spectrum((brightness * fade).max(0.0)))
    }

    /// Oxygen glows where the light of the stars is hardest, near the bright parts; sulphur far from them.
    fn spectrum(&self, brightness: f64) -> Spectrum {
        let root = brightness.sqrt();
        let mut spectrum = self.surface.map(|part| part * brightness);
        spectrum[3] = self.lines[0] * brightness * root;
        spectrum[4] = self.lines[1] * brightness;
        spectrum[5] = self.lines[2] * root * root.sqrt();
        spectrum
    }

    /// In arcminutes east and north of the Trapezium.
    fn orion(&self, east: f64, north: f64) -> f64 {
        let distance = length(east, north);
        // The gas is stirred: places are displaced before the shapes are laid over them, less near the core.
        let stir = 0.3 + 4.2 * smooth(0.3, 14.0, distance);
        let billows = self.billows.smoother(1.0);
        let (stir_x, stir_y) = (billows.billows(12.0, east, north), billows.billows(12.0, east + 240.0, north));
        let (east, north) = (east + stir * stir_x, north + stir * stir_y);
        // The wings: a loop around a point in the south-west, draped in filaments that run along it.
        let (x, y) = ((east + 4.5) / 16.0, (north + 13.5) / 17.5);
        let (loop_radius, loop_angle) = (length(x, y), x.atan2(y));
        let drapes = self.filaments.filaments(5.0, 17.0 * loop_radius, 5.5 * loop_angle);
        let wisps = self.filaments.filaments(6.0, east + 42.0, north);
        let texture = 0.12 + 1.1 * drapes + 0.45 * wisps;
        let rim = (-((loop_radius - 0.93) / 0.2).powi(2)).exp() * (-distance / 7.5).exp();
        let inside = smooth(1.25, 0.6, loop_radius) * (-distance / 7.0).exp();
        let halo = (-distance / 15.0).exp() * (0.45 + 0.5 * stir_x + 0.35 * wisps).max(0.0);
        let gas = (0.75 * rim + 0.3 * inside) * texture + 0.016 * halo;
        // The bright part, cut off by the bar in the south-east.
        let core = core(distance / 1.5);
        let fan = 0.22 * (-(((east + 1.8) / 5.0).powi(2) + ((north + 1.5) / 4.2).powi(2))).exp() * (0.4 + wisps);
        let (bar_across, bar_along) = ((east - north) * 0.707 - 2.3, (east + north) * 0.707);
        let bar = 0.16 * (-(bar_across / 0.4).powi(2) - (bar_along / 2.6).powi(2)).exp();
        let beyond_bar = 1.0 - 0.6 * smooth(0.0, 1.0, bar_across) * smooth(9.0, 4.0, distance);
        // The dark bay comes in from the north-east and goes on between M42 and M43.
        let (bay_along, bay_across) = (east * 0.75 + north * 0.66, north * 0.75 - east * 0.66);
        let width = 0.35 + 0.3 * bay_along.max(0.0);
        let bay = (-(bay_across / width).powi(2)).exp() * smooth(0.8, 2.2, bay_along) * smooth(12.0, 5.0, bay_along);
        let lane = (-((north - 5.2 + 0.12 * east) / 0.9).powi(2)).exp()
            * smooth(-9.0, -1.0, east)
            * smooth(9.0, 3.0, east)
            * 0.7;
        let m42 = ((core + fan + bar) * (0.75 + 0.5 * wisps) + gas) * beyond_bar;
        // M43, round its star, with a dark lane of its own.
        let (x, y) = (east - 3.4, north - 7.6);
        let own_lane = (-((x - 1.0 + 0.4 * y) / 0.5).powi(2)).exp();
        let m43 = 0.09 * (-(x * x + y * y) / 5.0).exp() * (1.0 - 0.75 * own_lane) * (0.6 + 0.7 * wisps);
        (m42 * (1.0 - 0.94 * bay)) * (1.0 - lane) + m43
    }

    fn cloud(&self, east: f64, north: f64, radius: f64, hole: f64) -> f64 {
        let billows = self.billows.billows(0.45, east, north);
        let wisps = self.filaments.filaments(0.6, east + 0.15 * billows, north);
        let dust = self.billows.billows(0.6, east + 24.0, north + 0.2 * billows);
        let radius = radius + 0.3 * billows;
        let outside = (-(1.6 * radius.max(0.0)).powi(2)).exp();
        let open = if hole > 0.0 { smooth(0.4 * hole, 1.5 * hole, radius) } else { 1.0 };
        let dark = 1.0 - 0.85 * smooth(0.15, 0.55, dust);
        outside * open * dark * (0.25 + 1.1 * wisps)
    }

    /// A bright ridge, streaks to its west, and the dark head before it.
    fn horsehead(&self, east: f64, north: f64, along: f64, across: f64) -> f64 {
        let billows = self.billows.billows(0.4, east, north);
        let wisps = self.filaments.filaments(0.6, north + 0.1 * billows, 2.5 * east + 0.3 * billows);
        let taper = (-(1.3 * along).powi(2)).exp();
        let edge = across - 0.12 - 0.1 * billows + 0.25 * along * along;
        let rim = (-(edge / 0.12).powi(2)).exp();
        let gas = smooth(0.08, -0.05, edge) * (0.55 * (edge.min(0.0) / 0.35).exp() + 0.4 * rim) * taper;
        // The head in arcminutes from its middle, looking north-west.
        let arcmin = self.nebula.size.0;
        let (x, y) = (east * arcmin - 1.0 + billows, north * arcmin - 0.1);
        let neck = smooth(2.0, 1.2, (y + 0.3 * x).abs()) * smooth(-1.5, -0.5, x);
        let head = smooth(2.3, 1.5, length((x + 1.4) * 0.9, y - 0.9));
        gas * (0.3 + 1.0 * wisps) * (1.0 - 0.93 * neck.max(head))
    }

    fn shell(&self, east: f64, north: f64, along: f64, across: f64, lobes: f64) -> f64 {
        let wisps = self.filaments.filaments(0.4, east, north);
        let radius = length(along, across) + 0.06 * self.billows.billows(0.5, east, north);
        let ring = (-((radius - 0.62) / 0.2).powi(2)).exp();
        let filled = 0.25 * smooth(1.0, 0.5, radius) + 0.02 * smooth(1.5, 0.9, radius);
        // Two lobes along the axis: the waist is dimmed away from it.
        let waist = 1.0 - lobes * (across * across - along * along) / (radius * radius + 0.1);
        (ring * (1.0 - 0.5 * lobes) + filled * (1.0 + lobes)) * waist.max(0.0) * (0.6 + 0.6 * wisps)
    }

    fn spiral(&self, along: f64, across: f64, winding: f64, bulge: f64) -> f64 {
        let radius = length(along, across).max(1e-3);
        let billows = self.billows.billows(0.25, along, across);
        let knots = self.filaments.filaments(0.2, along, across);
        let phase = 2.0 * (across.atan2(along) - winding * radius.ln()) + 1.5 * billows;
        // Tightly wound arms are less distinct.
        let contrast = (2.5 / winding).min(1.0).powi(2);
        let arms = (0.5 + 0.5 * phase.cos()).powi(2) * contrast + 0.5 * (1.0 - contrast);
        let lanes = (0.5 + 0.5 * (phase + 1.3).cos()).powi(6) * smooth(0.04, 0.15, radius);
        let dust = 1.0 - 0.45 * lanes * (0.3 + knots).min(1.0);
        let disc = 0.3 * (-3.6 * radius).exp() * (0.35 + 0.9 * arms * (0.6 + 0.8 * knots)) * dust;
        let middle = bulge * core(radius / 0.04);
        (disc + 0.8 * middle) * smooth(1.5, 0.8, radius)
    }
}

/// The length of a vector; quicker than `hypot`, which minds numbers that do not occur here.
fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// A bright middle with wide wings: the power -1.25 of one plus the square of the distance.
fn core(distance: f64) -> f64 {
    let square = 1.0 + distance * distance;
    1.0 / (square * square.sqrt().sqrt())
}

/// Rises smoothly from 0 at one value to 1 at another.
fn smooth(zero: f64, one: f64, value: f64) -> f64 {
    let t = ((value - zero) / (one - zero)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
