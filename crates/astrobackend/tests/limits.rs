//! `docs/limits.md` tells the figures that are in the source.

#![allow(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

use std::{fs, path::Path};

/// Whether a source sets a name to a value: a constant, or a field of a default.
fn sets(source: &str, name: &str, value: &str) -> bool {
    source.lines().map(str::trim).any(|line| {
        let constant =
            line.split_once("const ").map(|(_, rest)| rest).filter(|rest| rest.starts_with(&format!("{name}:")));
        let field = || {
            let fields = line.trim_start_matches("Limits {").trim_end_matches('}');
            fields.split(", ").any(|field| field.trim().trim_end_matches(',') == format!("{name}: {value}"))
        };
        constant.map_or_else(field, |rest| rest.ends_with(&format!("= {value};")))
    })
}

#[test]
fn the_figures_in_the_documentation_are_those_of_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let mut told = 0;
    for span in text.split('`').skip(1).step_by(2) {
        let Some((path, (name, value))) =
            span.split_once(": ").and_then(|(path, set)| Some((path, set.split_once(" = ")?)))
        else {
            continue;
        };
        let (folder, path) = match path.strip_prefix("server:") {
            Some(path) => ("crates/astrobackend-server/src", path),
            None => ("crates/astrobackend/src", path),
        };
        let source = fs::read_to_string(root.join(folder).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(sets(&source, name, value), "{path} does not say {name} = {value}");
        told += 1;
    }
    assert!(told > 40, "{told} figures");
}
