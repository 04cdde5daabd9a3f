//! The crate `indi` in the INDI bench: `indi-crate-peer HOST:PORT frame|updates`.
//!
//! Only its reader runs, without its store of devices, which could only add to the time. The second of two
//! runs counts.

use indi::{
    PropertyState,
    client::{AsyncClientConnection, AsyncReadConnection},
    serialization::Command,
};
use std::{error::Error, fs, io::Write, time::Instant};

const EXPOSURE: &str = "<newNumberVector device='Bench Camera' name='CCD_EXPOSURE'>\
    <oneNumber name='CCD_EXPOSURE_VALUE'>0</oneNumber></newNumberVector>\n";
const FAST: &str =
    "<newSwitchVector device='Bench Camera' name='BENCH'><oneSwitch name='FAST'>On</oneSwitch></newSwitchVector>\n";

/// A figure of this process from `/proc`.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok()
}

/// Seconds of processor time that this process has used.
fn processor_time() -> f64 {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (address, what) = (args.next().ok_or("no address")?, args.next().ok_or("frame or updates?")?);
    let mut writer = std::net::TcpStream::connect(address)?;
    let socket = writer.try_clone()?;
    socket.set_nonblocking(true)?;
    let (_writer, mut reader) = tokio::net::TcpStream::from_std(socket)?.to_indi();
    writer.write_all(b"<getProperties version='1.7'/><enableBLOB device='Bench Camera'>Also</enableBLOB>\n")?;
    while !matches!(reader.read().await, Some(Ok(Command::DefBlobVector(_)))) {}
    let mut figures = (0.0, 0.0);
    for _ in 0..2 {
        let (begin, before) = (Instant::now(), processor_time());
        writer.write_all(if what == "frame" { EXPOSURE } else { FAST }.as_bytes())?;
        loop {
            match reader.read().await.ok_or("the server is gone")? {
                Ok(Command::SetBlobVector(vector)) if what == "frame" => {
                    assert!(vector.blobs[0].value.0.len() > 9576 * 6388 * 2);
                    break;
                }
                Ok(Command::SetSwitchVector(vector)) if vector.name == "BENCH" && vector.state == PropertyState::Ok => {
                    break;
                }
                _ => {}
            }
        }
        figures = (begin.elapsed().as_secs_f64(), processor_time() - before);
    }
    let peak = status("VmHWM:").unwrap_or_default() * 1024;
    println!("{{\"wall\": {}, \"cpu\": {}, \"peak_rss\": {peak}}}", figures.0, figures.1);
    Ok(())
}
