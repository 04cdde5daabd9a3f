//! Runs every case on every target: `cargo test -p conformance -- alpaca camera::abort`.
//!
//! `ASTROBACKEND_CONFORMANCE=ADDRESS` adds any backend as a target.

use conformance::{Case, Stop, Target, cases};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Waiting for simulated hardware takes no processor: more cases at a time than cores.
    arguments.test_threads.get_or_insert(8);
    let targets = targets();
    let trials = targets.iter().flat_map(|target| cases().map(|case| trial(target.clone(), case))).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn targets() -> Vec<Arc<Target>> {
    let sim = |name, address: &'static str| Target::isolated(name, move || astrobackend::open(address));
    let mut targets = vec![
        sim("sim", "sim://?speed=100&cameras=2"),
        // The variants of a world that change what a device can do.
        sim("sim(osc)", "sim://?speed=100&seed=2&camera=osc&bits=8&equinox=j2000&backlash=200"),
    ];
    if let Ok(address) = std::env::var("ASTROBACKEND_CONFORMANCE") {
        let name = address.clone();
        targets.push(Target::shared(&name, move || astrobackend::open(&address)));
    }
    targets.into_iter().map(Arc::new).collect()
}

fn trial(target: Arc<Target>, case: &'static Case) -> Trial {
    let name = format!("{}::{}", target.name, case.name);
    Trial::ignorable_test(name, move || match target.run(case) {
        Ok(()) => Ok(Completion::Completed),
        Err(Stop::Skip(why)) => Ok(Completion::ignored_with(format!("skipped: {why}"))),
        Err(Stop::Fail(why)) => Err(Failed::from(why)),
    })
}
