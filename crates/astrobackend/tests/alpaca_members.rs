//! The table of Alpaca's members against the official OpenAPI text, where `ASTROBACKEND_ALPACA_YAML` says where that is.

#![allow(clippy::unwrap_used)] // a test

use testing::{python, script};

#[test]
fn the_table_is_the_one_of_the_official_text() {
    let Some(text) = std::env::var_os("ASTROBACKEND_ALPACA_YAML") else {
        return println!("skipped: ASTROBACKEND_ALPACA_YAML does not say where AlpacaDeviceAPI_v1.yaml is");
    };
    let mut python = match python(&["yaml"]) {
        Ok(python) => python,
        Err(why) => return assert!(!why.report()),
    };
    let output = python.arg(script("alpaca_members.py")).arg(text).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ours = include_str!("../src/wire/alpaca/members.rs");
    let rows = |text: &str| text.lines().filter(|line| line.starts_with("    ")).map(str::to_owned).collect::<Vec<_>>();
    let official = rows(&String::from_utf8(output.stdout).unwrap());
    assert!(official.len() > 180, "{} members", official.len());
    for row in official {
        assert!(ours.contains(&row), "the table lacks {row}");
    }
}
