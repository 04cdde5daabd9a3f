//! A night in which everything goes wrong that drivers do: they die idle, at work, within any call and while they are
//! brought back; they lose their objects, are disconnected by other programs, hang, and are not installed for a while.
//!
//! As over the other frameworks (`crates/astrobackend-server/tests/night`): after each loss the state is true, as the
//! driver itself has it, or unknown, never stale; what was declared is back; nothing moves by itself; the events came in
//! their order. Here the other devices notice nothing, too: each driver is a link of its own.

mod drivers;
mod losses;
mod script;

use crate::turn;
use losses::LOSSES;
use script::Night;
use std::{
    process::Command,
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

/// The exit code of a night in which Wine made no threads any more.
const NO_THREADS: i32 = 77;

/// How often a night is begun anew that Wine has ended.
const TRIES: usize = 3;

/// Wine 8.0 now and then stops making threads in a process, in `NtCreateThreadEx`; COM's calls, which want one each,
/// hold all others up from then on. That is told from a fault of ours, and happens in a process of its own.
#[test]
fn a_night_of_drivers() {
    let _turn = turn();
    let program = std::env::current_exe().unwrap();
    for _ in 0..TRIES {
        let mut night = Command::new(&program);
        night.args(["--exact", "night::in_a_process_of_its_own", "--ignored", "--nocapture"]);
        let status = night.status().unwrap();
        if status.code() != Some(NO_THREADS) {
            return assert!(status.success(), "{status}");
        }
    }
    println!("skipped: Wine stopped making threads in {TRIES} nights of {TRIES}");
}

#[test]
#[ignore = "a_night_of_drivers starts it"]
fn in_a_process_of_its_own() {
    let threads = Threads::new();
    let begun = Instant::now();
    let night = std::panic::catch_unwind(|| {
        let mut night = Night::begin();
        for (number, (during, kind, loss)) in LOSSES.iter().enumerate() {
            let since = Instant::now();
            night.row = format!("loss {}: {kind} {loss:?} while {during:?}", number + 1);
            night.go_through(*during, *kind, *loss);
            println!("{} survived in {:.1?}", night.row, since.elapsed());
        }
    });
    if let Err(why) = night {
        if threads.are_made() {
            std::panic::resume_unwind(why);
        }
        println!("Wine makes no threads any more");
        std::process::exit(NO_THREADS);
    }
    println!("{} losses in {:.1?}", LOSSES.len(), begun.elapsed());
}

/// A thread that finds out whether there can be others.
struct Threads {
    ask: Sender<()>,
    made: Receiver<()>,
}

impl Threads {
    fn new() -> Self {
        let ((ask, asked), (tell, made)) = (channel(), channel());
        std::thread::spawn(move || {
            while asked.recv().is_ok() && std::thread::spawn(|| ()).join().is_ok() && tell.send(()).is_ok() {}
        });
        Threads { ask, made }
    }

    fn are_made(&self) -> bool {
        self.ask.send(()).is_ok() && self.made.recv_timeout(Duration::from_secs(5)).is_ok()
    }
}
