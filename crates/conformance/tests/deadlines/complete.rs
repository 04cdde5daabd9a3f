//! Holds the list of calls against the definitions of the traits, so that no new method is forgotten.

use crate::calls;
use std::{collections::BTreeSet, fs, path::Path};

/// The sources that define the contract.
const SOURCES: [&str; 6] = [
    "backend/mod.rs",
    "device/mod.rs",
    "device/camera.rs",
    "device/filter_wheel.rs",
    "device/focuser.rs",
    "device/mount.rs",
];

/// Every method of every public trait there, as `Trait::method`.
fn defined() -> BTreeSet<String> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../astrobackend/src");
    let mut methods = BTreeSet::new();
    for source in SOURCES {
        let text = fs::read_to_string(library.join(source)).expect("the library's sources");
        for item in syn::parse_file(&text).expect("the library's sources are Rust").items {
            let syn::Item::Trait(definition) = item else { continue };
            let functions = definition.items.iter().filter_map(|item| match item {
                syn::TraitItem::Fn(function) => Some(&function.sig.ident),
                _ => None,
            });
            methods.extend(functions.map(|name| format!("{}::{name}", definition.ident)));
        }
    }
    methods
}

/// # Errors
/// The methods that the list lacks, and those of the list that there are not.
pub(crate) fn check() -> Result<(), String> {
    let listed: BTreeSet<_> = calls::all().iter().map(|call| format!("{}::{}", call.of, call.name)).collect();
    let defined = defined();
    for of in ["Backend", "Device", "Camera", "CameraExt", "FilterWheelExt", "FocuserExt", "Mount", "MountExt"] {
        if !defined.iter().any(|method| method.starts_with(&format!("{of}::"))) {
            return Err(format!("there is no trait {of} any more"));
        }
    }
    let missing: Vec<_> = defined.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&defined).collect();
    match missing.is_empty() && gone.is_empty() {
        true => Ok(()),
        false => Err(format!("not in the list of calls: {missing:?}; not defined any more: {gone:?}")),
    }
}
