//! Replays the corpus of the fuzz targets through the same checks.

#[allow(unreachable_pub, reason = "public where the fuzz targets use it")]
#[path = "../../../fuzz/src/lib.rs"]
mod checks;

use std::{fs, path::Path};

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).expect("a corpus") {
        let path = entry.expect("an entry").path();
        println!("{}", path.display());
        check(&fs::read(&path).expect("an input"));
        replayed += 1;
    }
    assert!(replayed > 10, "{replayed} inputs in {}", folder.display());
}

#[test]
fn indi_stream() {
    replay("indi_stream", checks::indi::stream);
}

#[test]
fn indi_blob() {
    replay("indi_blob", checks::indi::blob);
}

#[test]
fn indi_number() {
    replay("indi_number", checks::indi::number);
}

#[test]
fn alpaca_image() {
    replay("alpaca_image", checks::alpaca::image);
}

#[test]
fn alpaca_reply() {
    replay("alpaca_reply", checks::alpaca::reply);
}

#[test]
fn alpaca_packet() {
    replay("alpaca_packet", checks::alpaca::packet);
}

#[test]
fn alpaca_form() {
    replay("alpaca_form", checks::alpaca::form);
}

#[test]
fn alpaca_path() {
    replay("alpaca_path", checks::alpaca::path);
}

#[test]
fn rpc_lines() {
    replay("rpc_lines", checks::rpc::framing);
}

#[test]
fn fits_image() {
    replay("fits_image", checks::fits::image);
}

#[test]
fn fits_header() {
    replay("fits_header", checks::fits::header);
}

#[test]
fn fits_packed() {
    replay("fits_packed", checks::fits::packed);
}

#[test]
fn fits_tiles() {
    replay("fits_tiles", checks::fits::tiles);
}

#[test]
fn alpaca_head() {
    replay("alpaca_head", checks::alpaca::head);
}

#[test]
fn rpc_value() {
    replay("rpc_value", checks::rpc::value);
}

#[test]
fn address() {
    replay("address", checks::texts::address);
}

#[test]
fn angle() {
    replay("angle", checks::texts::angle);
}

#[test]
fn naming() {
    replay("naming", checks::texts::naming);
}

#[test]
fn rig() {
    replay("rig", checks::texts::rig);
}

#[test]
fn indi_property() {
    replay("indi_property", checks::texts::property);
}
