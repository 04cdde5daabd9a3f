//! What our side of COM costs: a property against the bare `Invoke`, and a 16-megapixel picture against a copy that
//! transposes. On the test drivers, for Windows: `testing/windows/setup FOLDER`, `. FOLDER/env`, then
//! `cargo bench -p astrobackend --bench ascom`.

#[cfg(windows)]
#[allow(unsafe_code, reason = "the system's own interface")]
mod windows_only;

fn main() {
    #[cfg(windows)]
    windows_only::main();
    #[cfg(not(windows))]
    println!("skipped: COM drivers need Windows, or Wine");
}
