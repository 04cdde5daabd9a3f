//! Finding the programs that are not ours; what is missing skips a test, or fails it where peers are required.

use std::{
    fmt,
    path::PathBuf,
    process::{Command, Stdio},
};

/// A peer is not there.
#[derive(Clone, Debug)]
pub struct Missing(pub String);

impl Missing {
    /// Says that the test is skipped.
    ///
    /// # Panics
    /// With `ASTROBACKEND_REQUIRE_PEERS=1`, where a missing peer is a failure.
    pub fn skip(self) {
        let required = std::env::var("ASTROBACKEND_REQUIRE_PEERS").is_ok_and(|value| value == "1");
        assert!(!required, "{self}");
        println!("skipped: {self}");
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The Python of the tests (`ASTROBACKEND_PYTHON`, else `python3`), if it has these modules.
///
/// # Errors
/// When it does not run or lacks a module.
pub fn python(modules: &[&str]) -> Result<Command, Missing> {
    let python = std::env::var("ASTROBACKEND_PYTHON").unwrap_or_else(|_| "python3".into());
    let imports = format!("import {}", modules.join(", "));
    let tried = Command::new(&python).args(["-c", &imports]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match tried {
        Ok(status) if status.success() => Ok(Command::new(python)),
        _ => Err(Missing(format!("{python} has no {}", modules.join(", ")))),
    }
}

/// The path of a script in `testing/`.
pub fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../testing")).join(name)
}
