//! Files that appear whole or not at all, because a night's pictures are not taken twice.
//!
//! Everything goes to a hidden name beside the target, to the disk, and only then to its own name.

use crate::{Error, Result};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Size of the buffer that `body` writes through; larger pieces go straight to the file.
const BUFFER: usize = 64 * 1024;

/// Writes a file with `body`; under the target's name there is either nothing new or all of it.
///
/// An existing file is kept unless `overwrite`, even when it appears while the body writes.
/// Returns when the content is on the disk. A killed program leaves at most a hidden `.part` file.
///
/// # Errors
/// `Io`, naming the target: it exists, its folder does not, the disk is full ...
pub(crate) fn write(
    path: &Path,
    overwrite: bool,
    body: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> Result<()> {
    let failed = |source: io::Error| Error::io(format_args!("cannot write {}", path.display()), source);
    let target = target(path, overwrite).map_err(failed)?;
    let folder = folder_of(&target);
    let mut part = temporary(folder).map_err(failed)?;
    let mut buffered = BufWriter::with_capacity(BUFFER, part.as_file_mut());
    body(&mut buffered).and_then(|()| buffered.flush()).map_err(failed)?;
    drop(buffered);
    part.as_file().sync_all().map_err(failed)?;
    let renamed = if overwrite { part.persist(&target) } else { part.persist_noclobber(&target) };
    renamed.map_err(|refused| failed(refused.error))?;
    sync_folder(folder);
    Ok(())
}

/// The name to rename to; early refusal of what could only fail after a long write.
fn target(path: &Path, overwrite: bool) -> io::Result<PathBuf> {
    if path.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "that is no file name"));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let missing = format!("there is no folder {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, missing));
    }
    match path.symlink_metadata() {
        Err(_) => Ok(path.to_owned()),
        Ok(_) if !overwrite => Err(io::Error::new(io::ErrorKind::AlreadyExists, "it exists already")),
        // A link stays a link: what it points to is replaced. One that points nowhere gives way itself.
        Ok(_) => match path.canonicalize() {
            Ok(real) if real.is_file() => Ok(real),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file")),
            Err(_) => Ok(path.to_owned()),
        },
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A hidden file beside the target, with the rights that any new file of this user has.
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".astrobackend-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The kind alone: the full text names the hidden file, which helps nobody.
    builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))
}

/// The new name itself reaches the disk; the content is there already, so a refusal is no failure.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        folder.sync_all().ok();
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use std::{fs, process::Command};

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn text(text: &str) -> impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()> {
        move |out| out.write_all(text.as_bytes())
    }

    #[test]
    fn an_existing_file_is_replaced_only_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fits");
        write(&path, false, text("first")).unwrap();
        let error = write(&path, false, text("second")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("a.fits: it exists already"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        write(&path, true, text("third")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "third");
        assert_eq!(names(folder.path()), ["a.fits"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fits");
        let outcome = write(&path, false, |out| {
            fs::write(&path, "of another program")?;
            out.write_all(b"ours")
        });
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(fs::read_to_string(&path).unwrap(), "of another program");
        assert_eq!(names(folder.path()), ["a.fits"]);
    }

    #[test]
    fn a_failed_body_leaves_nothing_and_keeps_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fits");
        write(&path, false, text("old")).unwrap();
        let outcome = write(&path, true, |out| {
            out.write_all(&[0; 200_000])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(outcome.unwrap_err().to_string().contains("a.fits"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.fits"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night/a.fits");
        let error = write(&path, false, text("x")).unwrap_err();
        assert!(error.to_string().contains("there is no folder"), "{error}");
        assert!(write(Path::new("/"), true, text("x")).is_err());
        assert!(write(folder.path(), true, text("x")).unwrap_err().to_string().contains("no ordinary file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_has_the_usual_rights_and_a_link_stays_one() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, usual, link) =
            (folder.path().join("a.fits"), folder.path().join("usual"), folder.path().join("link"));
        write(&path, false, text("x")).unwrap();
        File::create(&usual).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&usual));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write(&link, true, text("through the link")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "through the link");
    }

    const CHILD: &str = "ASTROBACKEND_TEST_ATOMIC_CHILD";

    /// Not a test of its own: what the two tests below run as another program.
    #[test]
    fn child() {
        let Ok(path) = std::env::var(CHILD) else { return };
        let outcome = write(Path::new(&path), false, |out| {
            out.write_all(&[7; 1 << 20])?;
            out.flush()?;
            println!("half");
            io::stdin().read_line(&mut String::new()).map(|_| ())
        });
        println!("outcome {outcome:?}");
    }

    fn itself() -> Vec<String> {
        let program = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
        [program.as_str(), "--exact", "--nocapture", "atomic::tests::child"].map(String::from).into()
    }

    #[test]
    fn a_killed_program_leaves_nothing_under_the_name() {
        use std::io::BufRead;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fits");
        let command = itself();
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .env(CHILD, &path)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = io::BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("half")));
        child.kill().unwrap();
        child.wait().unwrap();
        let left = names(folder.path());
        assert_eq!(left.len(), 1);
        assert!(left[0].starts_with(".astrobackend-") && left[0].ends_with(".part"), "{left:?}");
    }

    /// In a mount namespace of its own, so that the small disk vanishes with the program.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"mount -t tmpfs -o size=64k tmpfs "$0" && "$@" && ls -A "$0" && echo listed"#;
        let unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script];
        let output = Command::new(unshare[0])
            .args(&unshare[1..])
            .arg(folder.path())
            .args(itself())
            .env(CHILD, folder.path().join("a.fits"))
            .output();
        let output = match output {
            Ok(output) if output.status.success() => output,
            // Not with `println!`, which the test runner catches.
            other => return writeln!(io::stdout(), "skipped: no small disk can be mounted here: {other:?}").unwrap(),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("cannot write") && said.contains("outcome Err(Io"), "{said}");
        assert!(!said.contains("half") && said.ends_with("\nlisted\n"), "{said}");
        assert!(!said.contains(".part"), "{said}");
    }
}
