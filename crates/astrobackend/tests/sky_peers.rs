//! The simulated sky in the eyes of another program: an independent star finder sees the catalogue's stars where
//! the pointing puts them, and the focus where it is.
//!
//! Without Python, astropy and sep the tests are skipped and say so; with `ASTROBACKEND_REQUIRE_PEERS=1` they fail.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use astrobackend::{
    Degrees, Hours, RaDec, Wait,
    device::{CameraExt, Exposure, FilterWheelExt, FocuserExt, MountExt, PierSide},
    fits,
    observation::Observation,
};
use serde_json::Value;
use std::{path::PathBuf, process::Command, time::Duration};

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/backend/sim/stars.bin");

/// Focal length of the simulated telescope, as its documentation says.
const FOCAL_LENGTH_MM: f64 = 530.0;

/// The Python with the star finder, when it is there.
fn python() -> Option<String> {
    match testing::python(&["astropy", "numpy", "sep"]) {
        Ok(python) => Some(python.get_program().to_string_lossy().into_owned()),
        Err(skip) => {
            assert!(!skip.report(), "{skip}");
            None
        }
    }
}

fn look(python: &str, arguments: &[String]) -> Value {
    let output = Command::new(python).arg(testing::script("star_finder.py")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

struct Telescope(std::sync::Arc<dyn astrobackend::Backend>, tempfile::TempDir);

impl Telescope {
    fn new(options: &str) -> Self {
        let observatory = astrobackend::open(&format!("sim://?speed=1000&{options}")).unwrap();
        for info in observatory.devices().unwrap() {
            observatory.device(&info.id).unwrap().device().connect().unwrap();
        }
        let telescope = Telescope(observatory, tempfile::tempdir().unwrap());
        telescope.0.filter_wheel().unwrap().select("L", &wait()).unwrap();
        telescope.focus(25_000);
        telescope
    }

    fn focus(&self, position: i32) {
        self.0.focuser().unwrap().move_to(position, &wait()).unwrap();
    }

    fn expose(&self, name: &str, seconds: f64) -> (PathBuf, PierSide) {
        let exposure = Exposure::light(Duration::from_secs_f64(seconds));
        let image = self.0.camera().unwrap().expose(exposure, &wait()).unwrap();
        let state = self.0.mount().unwrap().state().unwrap();
        let around = Observation { pointing: Some(state.position), ..Observation::default() };
        let path = self.1.path().join(name);
        fits::write(&path, &image, &fits::header(&image, &around), false).unwrap();
        (path, state.pier_side)
    }
}

fn wait() -> Wait {
    Wait::new(Duration::from_secs(60))
}

#[test]
fn catalogue_stars_stand_where_the_pointing_puts_them() {
    let Some(python) = python() else { return };
    for (n, (options, rotation, ra, dec)) in [
        ("seed=1", 0.0, 5.9, 20.0),
        ("seed=2&rotation=63", 63.0, 3.79, 24.1),
        ("seed=3&sensor=imx571&equinox=j2000", 0.0, 8.67, 19.7),
    ]
    .into_iter()
    .enumerate()
    {
        let telescope = Telescope::new(options);
        telescope.0.mount().unwrap().slew(RaDec::j2000(Hours(ra), Degrees(dec)), &wait()).unwrap();
        let (path, side) = telescope.expose(&format!("{n}.fits"), 2.0);
        // East of the meridian a German mount looks from beyond the pole; the camera is upright there.
        let rotation = if side == PierSide::West { rotation } else { rotation + 180.0 };
        let seen = look(
            &python,
            &[
                "stars".into(),
                CATALOGUE.into(),
                path.display().to_string(),
                FOCAL_LENGTH_MM.to_string(),
                rotation.to_string(),
            ],
        );
        println!("{options}, pier side {side}: {seen}");
        let (stars, close) = (seen["catalogue_stars"].as_u64().unwrap(), seen["within_a_pixel"].as_u64().unwrap());
        assert!(stars >= 5, "{seen}");
        // Close pairs are one object to the finder, and a saturated star has no sharp centre.
        assert!(close * 10 >= stars * 8, "{options}: {seen}");
        assert!(seen["median_offset"].as_f64().unwrap() < 0.5, "{options}: {seen}");
    }
}

#[test]
fn stars_are_smallest_at_the_best_focus() {
    let Some(python) = python() else { return };
    let telescope = Telescope::new("seed=4&seeing=2");
    telescope.0.mount().unwrap().slew(RaDec::j2000(Hours(5.9), Degrees(20.0)), &wait()).unwrap();
    let positions: Vec<i32> = (-4..=4).map(|n| 25_000 + n * 500).collect();
    let pictures = positions.iter().map(|position| {
        telescope.focus(*position);
        telescope.expose(&format!("{position}.fits"), 3.0).0.display().to_string()
    });
    let arguments: Vec<String> = std::iter::once("focus".into()).chain(pictures).collect();
    let seen = look(&python, &arguments);
    let diameters: Vec<f64> =
        seen["half_flux_diameter"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    println!("half-flux diameters at {positions:?}: {diameters:?}");
    let best = (0..diameters.len()).min_by(|a, b| diameters[*a].total_cmp(&diameters[*b])).unwrap();
    assert!((positions[best] - 25_000).abs() <= 500, "smallest at {}: {diameters:?}", positions[best]);
    assert!(
        diameters[..=best].windows(2).all(|pair| pair[0] > pair[1]),
        "not falling towards the focus: {diameters:?}"
    );
    assert!(diameters[best..].windows(2).all(|pair| pair[0] < pair[1]), "not rising beyond the focus: {diameters:?}");
}
