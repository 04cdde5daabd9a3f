//! What benches share: processes that measure themselves, and the figures as a table.

use crate::Listening;
use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    process::{Command, Stdio},
    time::Duration,
};

/// What a part of a bench comes to.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Samples of which the median is taken.
pub const SAMPLES: usize = 7;

/// Rows in the order of measuring.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<[String; 4]>,
}

impl Report {
    /// A figure with its goal.
    pub fn row(&mut self, what: impl Into<String>, figure: impl Into<String>, goal: impl Into<String>, met: bool) {
        let verdict = if met { "met" } else { "MISSED" };
        self.add(what, figure, goal, verdict);
    }

    /// A figure without a goal.
    pub fn note(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.add(what, figure, "", "");
    }

    fn add(&mut self, what: impl Into<String>, figure: impl Into<String>, goal: impl Into<String>, verdict: &str) {
        let row = [what.into(), figure.into(), goal.into(), verdict.to_owned()];
        println!("{:<52} {:<42} {:<28} {}", row[0], row[1], row[2], row[3]);
        self.rows.push(row);
    }

    /// Prints the table again, as Markdown.
    pub fn print(&self) {
        println!("\n| What | Measured | Goal | |\n|---|---|---|---|");
        for [what, figure, goal, verdict] in &self.rows {
            println!("| {what} | {figure} | {goal} | {verdict} |");
        }
    }
}

/// The median of a figure; not a number without samples.
pub fn median(samples: &[Value], figure: &str) -> f64 {
    let mut values: Vec<f64> = samples.iter().filter_map(|sample| sample[figure].as_f64()).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Time, processor time and peak memory of samples, for people.
pub fn cost(samples: &[Value]) -> String {
    let [wall, cpu, peak] = ["wall", "cpu", "peak_rss"].map(|figure| median(samples, figure));
    format!("{:.0} ms, {:.0} ms CPU, {:.0} MB", wall * 1e3, cpu * 1e3, peak / 1e6)
}

/// This program once more, in a role of the bench.
///
/// # Errors
/// Where the system does not tell what program this is.
pub fn this(role: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role);
    Ok(command)
}

/// Starts a server that says where it listens.
///
/// # Errors
/// When it cannot be started.
pub fn serve(command: Command) -> Result<Listening> {
    Listening::spawn(command).map_err(|why| why.to_string().into())
}

/// Runs a command that prints a JSON object as its last line.
///
/// # Errors
/// When it does not run, fails, or prints something else.
pub fn run(command: &mut Command) -> Result<Value> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last().map(serde_json::from_str) {
        Some(Ok(value)) if output.status.success() => Ok(value),
        _ => Err(format!("{command:?}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The measurement of one process: seconds, its processor time while they passed, and its peak memory.
///
/// # Errors
/// Where the system does not tell the memory.
pub fn sample(wall: Duration, cpu: Duration) -> Result<Value> {
    let peak = peak_memory(std::process::id())?;
    Ok(json!({ "wall": wall.as_secs_f64(), "cpu": cpu.as_secs_f64(), "peak_rss": peak }))
}

/// Bytes of memory that a process had at most.
///
/// # Errors
/// Where the system does not tell.
pub fn peak_memory(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// Processor time that this process has used.
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Where the two ends of a small exchange are, client and server: both on one core, or each on its own. Left to itself
/// the system puts them here or there from run to run, and the time of an exchange changes with it, up to six times.
pub const PLACES: [(&str, [usize; 2]); 2] = [("one core", [0, 0]), ("two cores", [0, 1])];

/// Tells a process on which core it is to stay.
const CORE: &str = "BENCH_CORE";

/// Makes a process stay on a core, if it does as [`stay_as_told`] says.
pub fn on_core(mut command: Command, core: usize) -> Command {
    command.env(CORE, core.to_string());
    command
}

/// Stays on the core that this process was told.
///
/// # Errors
/// When there is no such core.
pub fn stay_as_told() -> Result<()> {
    match std::env::var(CORE) {
        Ok(core) => stay_on(core.parse()?),
        Err(_) => Ok(()),
    }
}

/// Makes this thread, and those that it starts, stay on a core.
///
/// # Errors
/// When there is no such core.
pub fn stay_on(core: usize) -> Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}
