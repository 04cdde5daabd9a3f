//! `save_image`: below one folder only, whole or not at all.

use super::{devices::Served, values::complete};
use crate::lock;
use astrobackend::{
    Error, ErrorKind,
    device::{AnyDevice, ExposureState},
    fits,
    wire::rpc::{Params, Refusal},
};
use serde_json::Value;
use std::{
    path::{Component, Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};

/// Saves the last picture.
pub(super) fn save(folder: &Path, served: &Arc<Served>, params: &Params) -> Result<Value, Refusal> {
    let name = params.text("filename")?;
    let overwrite = match params.get("overwrite") {
        Some(_) => params.truth("overwrite")?,
        None => false,
    };
    let AnyDevice::Camera(camera) = &served.device else { return Err(Refusal::application("that is no camera")) };
    let none = || {
        let error = Error::invalid_operation("No image available!");
        Refusal { message: error.message().to_owned(), ..Refusal::from(error.clone()) }
    };
    let session = &served.session;
    let is_there = !session.failed.load(Ordering::Acquire) && camera.state()?.exposure == ExposureState::Ready;
    if !is_there {
        return Err(none());
    }
    let image = camera.image().map_err(|error| match error.kind() {
        ErrorKind::InvalidOperation => none(),
        _ => error.into(),
    })?;
    let path = place(folder, name)?;
    let header = fits::header(&image, &lock(&session.observation));
    fits::write(&path, &image, &header, overwrite).map_err(|error| {
        let message = format!("Error writing image: {error}");
        Refusal { message, ..error.into() }
    })?;
    Ok(complete())
}

/// Where a file of that name goes; only below the folder, which is canonical, whatever links there are.
fn place(folder: &Path, name: &str) -> Result<PathBuf, Refusal> {
    let outside = || Refusal::invalid(format!("filename {name} is not below {}", folder.display()));
    let wanted = Path::new(name);
    if name.is_empty() || wanted.components().any(|part| part == Component::ParentDir) {
        return Err(outside());
    }
    let path = folder.join(wanted);
    let (Some(parent), Some(file)) = (path.parent(), path.file_name()) else { return Err(outside()) };
    // To Windows that is a part of another file.
    if cfg!(windows) && file.as_encoded_bytes().contains(&b':') {
        return Err(outside());
    }
    let parent = parent.canonicalize().map_err(|error| {
        let error = Error::io(format_args!("cannot write {name}: its folder"), error);
        Refusal { message: format!("Error writing image: {error}"), ..error.into() }
    })?;
    if !parent.starts_with(folder) {
        return Err(outside());
    }
    let path = parent.join(file);
    // A link would lead the picture to somewhere else.
    if path.is_symlink() {
        return Err(outside());
    }
    Ok(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        let folder = base.join("pictures");
        fs::create_dir_all(folder.join("night")).unwrap();
        fs::create_dir(base.join("secret")).unwrap();
        symlink(base.join("secret"), folder.join("door")).unwrap();
        symlink(base.join("secret/a.fits"), folder.join("a.fits")).unwrap();
        symlink(folder.join("night"), folder.join("inside")).unwrap();
        let at = |name: &str| place(&folder, name);
        assert_eq!(at("x.fits").unwrap(), folder.join("x.fits"));
        assert_eq!(at("night/x.fits").unwrap(), folder.join("night/x.fits"));
        assert_eq!(at("inside/x.fits").unwrap(), folder.join("night/x.fits"));
        assert_eq!(at(folder.join("x.fits").to_str().unwrap()).unwrap(), folder.join("x.fits"));
        for name in ["", "..", "../x.fits", "night/../../x.fits", "/etc/x.fits", "door/x.fits", "a.fits", "/", "no/x"] {
            assert!(at(name).is_err(), "{name}");
        }
    }
}
