//! Runs the real command, as a user does, on a simulated observatory of its own.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output},
};

/// A small fast observatory.
pub(crate) const SIM: &str = "sim://?speed=1000&sensor=generic";

/// The command, in a folder, without the user's environment.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astrobackend"));
    command.args(args).current_dir(folder).env_remove("PYASTROBACKEND").env_remove("ASTROBACKEND_RIG");
    command
}

/// What it did.
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Insists on success.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON object on stdout.
    pub(crate) fn json(self) -> Value {
        let done = self.ok();
        let value: Value =
            serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.stdout));
        assert_eq!(value["schema"], 1);
        value
    }

    /// Insists on a failure with this code, nothing on stdout, and a sentence with these words.
    pub(crate) fn fails(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "data of a failure");
        words.iter().for_each(|word| assert!(self.stderr.contains(word), "no {word:?} in: {}", self.stderr));
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// Runs it without a backend option.
pub(crate) fn bare(folder: &Path, args: &[&str]) -> Done {
    Done::new(command(folder, args).output().expect("the command starts"))
}

/// Runs it on [`SIM`].
pub(crate) fn sim(folder: &Path, args: &[&str]) -> Done {
    bare(folder, &[&["--backend", SIM], args].concat())
}
