//! No call without a deadline: every public call of every backend, while its server stalls at that very moment.
//!
//! Each call has to return within its deadline and a tenth of a second, with `Timeout`, `Unreachable` or `Cancelled`
//! (or as it does anyway, where it needs nothing of the server), and the same object has to answer once the line is
//! whole again. At the end the threads and descriptors of this process have to be what they were.
//!
//! The test command takes a sample of the places in a dialogue at which a line can stop. With
//! `ASTROBACKEND_DEADLINES=all` only these are tried, and every one of them (every seventh with `7`), call by call.

mod calls;
mod case;
mod complete;
mod lag;
mod peers;

use astrobackend::{FRAMEWORKS, device::DeviceKind};
use calls::Call;
use case::{Case, End, Tally};
use libtest_mimic::{Arguments, Failed, Trial};
use peers::{PEERS, Peer};
use std::{
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use testing::{Census, Line, in_private_network};

/// The longest that threads may take to end after what they belong to was dropped.
const LAST: Duration = Duration::from_secs(10);

/// What the process may keep of memory: the allocator gives back what threads had only in part.
const KEPT: usize = 96 << 20;

/// Set to `all` for every place at which a line can stop, or to a number for every such place.
const EXTENT: &str = "ASTROBACKEND_DEADLINES";

/// What comes behind so many bytes of a dialogue are the same looks again.
const DIALOGUE: u64 = 4096;

/// How a line stops, and what ends the call then.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Nothing comes.
    Silent,
    /// Nothing comes after so many bytes, for a sample of the bytes of the dialogue or all of them.
    Part,
    /// A byte a second.
    Drip,
    /// The connection is closed, and each that is made anew.
    Broken,
}

impl Way {
    /// The lines to try, for a call whose answer has so many bytes.
    fn lines(self, bytes: u64, place: usize) -> Vec<Line> {
        match (self, stride()) {
            (Way::Silent, _) => vec![Line::After(0)],
            (Way::Drip, _) => vec![Line::Drip(Duration::from_secs(1))],
            (Way::Broken, _) => vec![Line::Broken],
            (Way::Part, Some(stride)) => {
                (1 + place as u64 % stride..bytes.min(DIALOGUE)).step_by(stride as usize).map(Line::After).collect()
            }
            (Way::Part, None) => {
                // Another place in each call's dialogue, and its last byte but one.
                let spread = (1 + place as u64 * 131) % bytes.max(2);
                let mut places = vec![spread.max(1), bytes.saturating_sub(1)];
                places.dedup();
                places.into_iter().filter(|place| (1..bytes).contains(place)).map(Line::After).collect()
            }
        }
    }
}

/// How far apart the places are at which lines stop, where not only a sample of them is wanted.
fn stride() -> Option<u64> {
    let extent = std::env::var(EXTENT).ok()?;
    if extent == "all" { Some(1) } else { extent.parse().ok().filter(|stride| *stride > 0) }
}

/// What is tried on each server.
const WAYS: &[(Way, End)] = &[
    (Way::Silent, End::Address),
    (Way::Silent, End::Limit),
    (Way::Silent, End::Cancelled),
    (Way::Part, End::Limit),
    (Way::Drip, End::Limit),
    (Way::Broken, End::Address),
];

/// Calls that one server is asked in a row.
const GROUPS: [(&str, &[Option<DeviceKind>]); 3] = [
    ("camera", &[None, Some(DeviceKind::Camera)]),
    ("wheel and focuser", &[Some(DeviceKind::FilterWheel), Some(DeviceKind::Focuser)]),
    ("mount", &[Some(DeviceKind::Mount)]),
];

fn main() -> ExitCode {
    // Before anything else: it may start this program anew in a network of its own.
    let network = in_private_network();
    let mut arguments = Arguments::from_args();
    // Waiting takes no processor: many more at a time than cores.
    arguments.test_threads.get_or_insert(if stride().is_some() { 64 } else { 40 });
    let before = Census::take();
    let tally = Arc::new(Tally::default());
    let mut trials = vec![
        Trial::test("every method is in the list of calls", || complete::check().map_err(Failed::from)),
        Trial::test("looking for servers ends", || look_for_servers().map_err(Failed::from)),
    ];
    let mut missing = false;
    for peer in PEERS {
        if peer.is_real()
            && let Err(skip) = &network
        {
            missing |= skip.report();
            continue;
        }
        if stride().is_some() {
            if peer.stalls(Way::Part) {
                trials.extend(each_place(*peer, &tally));
            }
            continue;
        }
        for (group, kinds) in GROUPS {
            let calls: Vec<_> = calls::all().into_iter().filter(|call| kinds.contains(&call.kind)).collect();
            for &(way, end) in WAYS {
                if peer.stalls(way) {
                    trials.push(trial(*peer, group, &calls, (way, end), &tally));
                }
            }
        }
    }
    let listed = arguments.list;
    let lag = lag::Reference::start();
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(lag);
    if listed {
        return conclusion.exit_code();
    }
    println!("{tally}");
    let leaks = before.returns(KEPT, LAST).map(|after| println!("before: {before}; after: {after}"));
    if let Err(why) = &leaks {
        println!("left behind: {why}");
    }
    if conclusion.has_failed() || leaks.is_err() || missing { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Calls that stop at any place of their dialogue, each on a server of its own.
fn each_place(peer: Peer, tally: &Arc<Tally>) -> Vec<Trial> {
    let calls = calls::all().into_iter();
    calls.map(|call| trial(peer, &call.title(), &[call], (Way::Part, End::Limit), tally)).collect()
}

fn trial(peer: Peer, what: &str, calls: &[Call], (way, end): (Way, End), tally: &Arc<Tally>) -> Trial {
    let (calls, tally) = (calls.to_vec(), tally.clone());
    let name = format!("{}: {what}, {way:?}, ended by {end:?}", peer.name);
    Trial::test(name, move || run(peer, &calls, way, end, &tally).map_err(Failed::from))
}

/// Calls on one server, one after the other.
fn run(peer: Peer, calls: &[Call], way: Way, end: End, tally: &Tally) -> Result<(), String> {
    let running = match peer.start() {
        Ok(running) => running,
        Err(skip) if skip.report() => return Err(skip.to_string()),
        Err(_) => return Ok(()),
    };
    let case = Case { running: &running, end, tally };
    let mut failures = Vec::new();
    if calls.iter().any(|call| call.kind.is_none()) {
        failures.extend(case.open(way).err());
    }
    let mut open = case.fresh()?;
    for (place, call) in calls.iter().enumerate() {
        let usual = case.usual(&open, call).map_err(|why| format!("{}: {why}", call.title()))?;
        for line in way.lines(usual.bytes, place) {
            if line == Line::Broken {
                // A link that was lost comes back with more and more patience.
                open = case.fresh()?;
            }
            if let Err(why) = case.stall(&open, call, &usual, line) {
                failures.push(format!("{} at {line:?}: {why}", call.title()));
            }
        }
    }
    tally.calls.fetch_max(calls::all().len(), Ordering::Relaxed);
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// Discovery has no server: it ends when its time is over, or earlier.
fn look_for_servers() -> Result<(), String> {
    for framework in FRAMEWORKS.iter().filter(|framework| framework.built_in) {
        case::looks(framework)?;
    }
    Ok(())
}
