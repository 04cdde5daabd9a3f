//! Soak: chains of backends and servers expose, slew and focus while things go wrong at random.
//!
//! A minute of it is part of the tests; `just soak` makes an hour of it (`ASTROBACKEND_SOAK=3600`). It fails when a
//! frame that was called good is not, when what is said to have arrived is elsewhere, when a piece of work takes longer
//! than its limit or good frames stay away, when a state is wrong at the end, or when threads, descriptors or memory
//! grow, or do not go back to where they were.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod chain;
mod oracle;
mod resources;
mod settle;
mod work;

use astrobackend::Cancel;
use chain::Chain;
use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use testing::Census;
use work::Tally;

/// Seconds of work.
const SECONDS: &str = "ASTROBACKEND_SOAK";

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        println!("soak: test");
        return ExitCode::SUCCESS;
    }
    if let Err(skip) = testing::in_private_network() {
        return if skip.report() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let seconds = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let problems = soak(Duration::from_secs(seconds));
    for problem in &problems {
        println!("soak: {problem}");
    }
    println!("soak: {} problems in {seconds} s", problems.len());
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn soak(time: Duration) -> Vec<String> {
    // What the process itself needs once, it needs from here on.
    drop(chain::all(1));
    let before = Census::take();
    let chains = chain::all(7);
    let end = Instant::now() + time;
    let mut problems = Vec::new();
    let (tallies, samples) = run(&chains, end);
    for (chain, tally) in chains.iter().zip(tallies) {
        println!("soak: {}: {tally}", chain.name);
        problems.extend(tally.problems.iter().map(|problem| format!("{}: {problem}", chain.name)));
        if tally.good == 0 {
            problems.push(format!("{}: not one good frame", chain.name));
        }
        let (begun, wrong) = (Instant::now(), settle::settle(chain));
        println!("soak: {}: {} things wrong at the end, after {:.1?}", chain.name, wrong.len(), begun.elapsed());
        problems.extend(wrong.into_iter().map(|problem| format!("{} at the end: {problem}", chain.name)));
    }
    drop(chains);
    problems.extend(resources::left_over(&before));
    problems.extend(samples.growth());
    problems
}

/// Waits for time to pass, where there is nothing to be told of.
fn rest(time: Duration) {
    Cancel::new().wait(time);
}

/// Lets all chains work until the end, and looks at what that takes meanwhile.
fn run(chains: &[Chain], end: Instant) -> (Vec<Tally>, resources::Samples) {
    let over = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let working: Vec<_> = chains.iter().map(|chain| scope.spawn(move || work::until(chain, end))).collect();
        let breaking: Vec<_> = chains.iter().map(|chain| (chain, over.clone())).collect();
        let breaking: Vec<_> =
            breaking.into_iter().map(|(chain, over)| scope.spawn(move || chain.go_wrong(end, &over))).collect();
        let samples = resources::Samples::watch(end);
        let tallies = working.into_iter().map(|thread| thread.join().unwrap()).collect();
        over.store(true, Ordering::SeqCst);
        breaking.into_iter().for_each(|thread| thread.join().unwrap());
        (tallies, samples)
    })
}
