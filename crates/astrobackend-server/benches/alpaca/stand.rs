//! The stand: starts servers, and runs each client in a process of its own.

use crate::{
    floor,
    frame::{BYTES, HEIGHT, WIDTH},
    ours,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};
use testing::{
    Listening, alpaca,
    bench::{PLACES, Report, Result, SAMPLES, cost, median, on_core, peak_memory, run, serve, stay_as_told, this},
};

const MEGABYTE: f64 = 1e6;

/// The states that programs ask for most.
const STATES: [&str; 4] = ["connected", "camerastate", "imageready", "devicestate"];

/// Does what this process was started for, if it was.
pub(crate) fn role(arguments: &[String]) -> Option<Result<()>> {
    let (name, address) = (arguments.first()?.as_str(), arguments.get(1).map_or("", String::as_str));
    if let Err(error) = stay_as_told() {
        return Some(Err(error));
    }
    let sample = match name {
        "serve-floor" => return Some(floor::serve()),
        "serve-ours" => return Some(ours::serve()),
        "fetch-floor" => floor::fetch(address, true),
        "fetch-theirs" => floor::fetch(address, false),
        "fetch-ours" => ours::fetch(address),
        "small-floor" => floor::small(address),
        "small-ours" => ours::small(address),
        _ => return None,
    };
    Some(sample.map(|sample| println!("{sample}")))
}

/// Our server with a picture that is ready.
fn ours_with_a_picture(command: Command) -> Result<Listening> {
    let server = serve(command)?;
    ours::expose(&server.address().to_string())?;
    Ok(server)
}

fn client(role: &str, address: SocketAddr) -> Result<Value> {
    run(this(role)?.arg(address.to_string()))
}

/// The frame: our server with the least client, the pair of ours, and the other crate's.
pub(crate) fn image(report: &mut Report) -> Result<()> {
    let (bare, server) = (serve(this("serve-floor")?)?, ours_with_a_picture(this("serve-ours")?)?);
    let (mut floor, mut served, mut pair) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        floor.push(client("fetch-floor", bare.address())?);
        served.push(client("fetch-floor", server.address())?);
    }
    let held = peak_memory(server.process())? as f64;
    for _ in 0..SAMPLES {
        floor.push(client("fetch-floor", bare.address())?);
        pair.push(client("fetch-ours", server.address())?);
    }
    let base = median(&floor, "wall");
    report.note("frame: floor", cost(&floor));
    report.note("frame: our server, least client", cost(&served));
    ratio(report, "frame: our server", median(&served, "wall") / base, 1.15);
    report.note("frame: our server and client", cost(&pair));
    ratio(report, "frame: our pair, pixels in rows", median(&pair, "wall") / base, 2.0);
    crate::guard::report(report, "frame", &pair);
    memory(report, "frame: our server's memory", held, BYTES as f64 + 20.0 * MEGABYTE);
    memory(report, "frame: our client's memory", median(&pair, "peak_rss"), 1.3 * BYTES as f64 + 20.0 * MEGABYTE);
    other_crate(report, server.address(), base)
}

fn other_crate(report: &mut Report, ours: SocketAddr, base: f64) -> Result<()> {
    let theirs = match alpaca::ascom_alpaca_server(WIDTH, HEIGHT) {
        Ok(server) => server,
        Err(why) => {
            report.note("frame: ascom-alpaca", format!("skipped: {why}"));
            return Ok(());
        }
    };
    for (what, address) in [("its pair", theirs.address()), ("our server, its client", ours)] {
        let mut command = alpaca::ascom_alpaca_client().map_err(|why| why.to_string())?;
        let output = command.args([&format!("http://{address}"), "image"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let seconds = text.split_whitespace().last().and_then(|word| word.parse::<f64>().ok());
        let seconds = seconds.ok_or_else(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr)))?;
        report
            .note(format!("frame: ascom-alpaca, {what}"), format!("{:.0} ms, {:.1} x", seconds * 1e3, seconds / base));
    }
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        samples.push(client("fetch-theirs", theirs.address())?);
    }
    let seconds = median(&samples, "wall");
    report.note(
        "frame: ascom-alpaca's server, least client",
        format!("{:.0} ms, {:.1} x", seconds * 1e3, seconds / base),
    );
    Ok(())
}

/// The same frame as JSON: what it costs the server in memory.
pub(crate) fn json(report: &mut Report) -> Result<()> {
    let server = ours_with_a_picture(this("serve-ours")?)?;
    let before = peak_memory(server.process())? as f64;
    let mut client = floor::Client::connect(server.address())?;
    let (bytes, time) = client.chunked("/api/v1/camera/0/imagearray")?;
    let more = peak_memory(server.process())? as f64 - before;
    report.note("JSON: the frame", format!("{:.0} MB of text in {:.2} s", bytes as f64 / MEGABYTE, time.as_secs_f64()));
    memory(report, "JSON: our server's memory on top", more, 1.5 * BYTES as f64);
    Ok(())
}

/// Small answers on one connection.
pub(crate) fn small(report: &mut Report) -> Result<()> {
    for (place, [here, there]) in PLACES {
        let client = |role, address: SocketAddr| run(on_core(this(role)?, here).arg(address.to_string()));
        let bare = serve(on_core(this("serve-floor")?, there))?;
        let server = ours_with_a_picture(on_core(this("serve-ours")?, there))?;
        let (mut floor, mut served, mut pair) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..SAMPLES {
            floor.push(client("small-floor", bare.address())?);
            served.push(client("small-floor", server.address())?);
            pair.push(client("small-ours", server.address())?);
        }
        let base = median(&floor, "wall");
        report.note(format!("small GET, {place}: floor"), microseconds(base));
        ratio(report, &format!("small GET, {place}: our server"), median(&served, "wall") / base, 1.15);
        ratio(report, &format!("small GET, {place}: our pair"), median(&pair, "wall") / base, 1.3);
    }
    states(report)
}

/// The states that programs ask for most, wherever the system puts the two ends.
fn states(report: &mut Report) -> Result<()> {
    let server = ours_with_a_picture(this("serve-ours")?)?;
    let mut client = floor::Client::connect(server.address())?;
    for state in STATES {
        let path = format!("/api/v1/camera/0/{state}");
        let times = crate::frame::median_time(|| client.small(&path))?;
        let (median, late) = (times["wall"].as_f64().unwrap_or(f64::NAN), times["late"].as_f64().unwrap_or(f64::NAN));
        let figure = format!("{}, 99 % below {}", microseconds(median), microseconds(late));
        report.row(format!("small GET: {state}"), figure, "under 1 ms", median < 1e-3);
    }
    Ok(())
}

/// Many clients at a time, by `wrk`.
pub(crate) fn load(report: &mut Report) -> Result<()> {
    let server = ours_with_a_picture(this("serve-ours")?)?;
    let theirs = alpaca::ascom_alpaca_server(64, 64);
    for connections in [8, 64] {
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            ours.extend(wrk(server.address(), connections));
            others.extend(theirs.as_ref().ok().and_then(|theirs| wrk(theirs.address(), connections)));
        }
        let (ours, others) = (median(&ours, "rate"), median(&others, "rate"));
        let figure = format!("{ours:.0} a second, ascom-alpaca {others:.0}");
        report.row(format!("load: {connections} connections"), figure, "at least ascom-alpaca's", ours >= others);
    }
    Ok(())
}

/// Requests a second for two seconds; `None` without the program.
fn wrk(address: SocketAddr, connections: u32) -> Option<Value> {
    let url = format!("http://{address}/api/v1/camera/0/camerastate");
    let mut command = testing::command("wrk").ok()?;
    command.args(["-t1", "-d2s", &format!("-c{connections}"), &url]).stdin(Stdio::null());
    let text = String::from_utf8(command.output().ok()?.stdout).ok()?;
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?.trim().parse::<f64>().ok()?;
    Some(json!({ "rate": rate }))
}

fn ratio(report: &mut Report, what: &str, ratio: f64, goal: f64) {
    report.row(what, format!("{ratio:.2} x floor"), format!("at most {goal} x"), ratio <= goal);
}

fn memory(report: &mut Report, what: &str, bytes: f64, goal: f64) {
    let (figure, limit) = (format!("{:.0} MB", bytes / MEGABYTE), format!("at most {:.0} MB", goal / MEGABYTE));
    report.row(what, figure, limit, bytes <= goal);
}

fn microseconds(seconds: f64) -> String {
    format!("{:.0} µs", Duration::from_secs_f64(seconds.max(0.0)).as_nanos() as f64 / 1e3)
}
