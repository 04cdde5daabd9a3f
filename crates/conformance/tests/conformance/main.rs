//! Runs every case on every target: `cargo test -p conformance -- alpaca camera::abort`.
//!
//! `ASTROBACKEND_CONFORMANCE="[NAME=]ADDRESS ..."` adds any backends as targets.

use conformance::{Case, Deviation, Stop, Target, cases};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{any::Any, process::ExitCode, sync::Arc, time::Duration};
use testing::{AlpacaSimulators, IndiServer, IndipyServer, Skip, in_private_network};

mod alpaca;
mod ascom;
mod deviations;
mod indi;
mod rpc;

/// Set where the COM drivers must be there.
const DRIVERS: &str = "ASTROBACKEND_REQUIRE_DRIVERS";

fn main() -> ExitCode {
    // Before anything else: it may start this program anew in a network of its own.
    let network = in_private_network();
    let mut arguments = Arguments::from_args();
    // Waiting for simulated hardware takes no processor: more cases at a time than cores.
    arguments.test_threads.get_or_insert(8);
    let mut targets = simulators();
    targets.extend(alpaca::over_the_simulator());
    targets.extend(rpc::over_the_simulator());
    targets.extend(indi::over_the_simulator());
    let mut missing = Vec::new();
    // Kept until the end. Listing the cases needs no server, but the same names.
    let mut running = Vec::new();
    for server in SERVERS {
        match network.clone().and_then(|()| (server.start)()) {
            Ok((process, address)) => {
                targets.push(server.target(address));
                running.push(process);
            }
            Err(skip) => missing.push(unavailable(server.name, &skip)),
        }
    }
    match ascom::targets() {
        Ok(drivers) => targets.extend(drivers),
        Err(why) => missing.push(absent("ascom(wine)", why, std::env::var_os(DRIVERS).is_some())),
    }
    targets.extend(named(&std::env::var("ASTROBACKEND_CONFORMANCE").unwrap_or_default()));
    let targets: Vec<Arc<Target>> = targets.into_iter().map(Arc::new).collect();
    // Case by case, so that no target's turns keep all threads waiting.
    let cases = cases().flat_map(|case| targets.iter().map(move |target| trial(target.clone(), case)));
    let trials = cases.chain(missing).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The targets in a list of addresses; one without a name is called like its address.
fn named(list: &str) -> impl Iterator<Item = Target> {
    list.split_whitespace().map(|entry| {
        let (name, address) = entry.split_once('=').filter(|(name, _)| !name.contains("://")).unwrap_or((entry, entry));
        let address = address.to_owned();
        Target::shared(name, move || astrobackend::open(&address))
    })
}

fn simulators() -> Vec<Target> {
    let sim = |name, address: &'static str| Target::isolated(name, move || astrobackend::open(address));
    vec![
        sim("sim", "sim://?speed=100&cameras=2"),
        // The variants of a world that change what a device can do.
        sim("sim(osc)", "sim://?speed=100&seed=2&camera=osc&bits=8&equinox=j2000&backlash=200"),
    ]
}

/// A process that runs as long as this, and the address of what it serves.
type Started = Result<(Box<dyn Any>, String), Skip>;

/// A real server: each is a target of its own, and all run at the same time.
struct Server {
    name: &'static str,
    /// Starts it; where it is.
    start: fn() -> Started,
    /// The devices to try, where there are several of a kind.
    preferred: &'static [&'static str],
    deviations: &'static [Deviation],
    /// The longest that a motion of its may take.
    patience: Duration,
}

/// Simulators that imitate hardware, and devices that take a moment for anything.
const HARDWARE: Duration = Duration::from_secs(90);
const QUICK: Duration = Duration::from_secs(10);

/// A simulated mount that moves 15 degrees a second: half a turn takes more than ten seconds, at some times of the day.
const ACROSS_THE_SKY: Duration = Duration::from_secs(30);

const SERVERS: &[Server] = &[
    Server {
        name: "indiserver",
        start: || indiserver(IndiServer::address),
        preferred: WHEEL,
        deviations: deviations::INDI_SIMULATORS,
        patience: HARDWARE,
    },
    Server {
        name: "indiserver(unix)",
        start: || indiserver(IndiServer::unix_address),
        preferred: WHEEL,
        deviations: deviations::INDI_SIMULATORS,
        patience: HARDWARE,
    },
    Server {
        name: "indipyserver",
        start: || indipyserver(IndipyServer::start(1.0)),
        preferred: &["Camera"],
        deviations: &[],
        patience: HARDWARE,
    },
    Server {
        name: "indipyserver(libindi)",
        start: || indipyserver(IndipyServer::with_libindi(&INDI_SIMULATORS)),
        preferred: WHEEL,
        deviations: deviations::INDI_SIMULATORS,
        patience: HARDWARE,
    },
    Server {
        name: "alpaca(indiserver)",
        start: alpaca::over_indiserver,
        preferred: WHEEL,
        deviations: deviations::INDI_SIMULATORS,
        patience: HARDWARE,
    },
    Server {
        name: "rpc(indiserver)",
        start: || rpc::over(indiserver(IndiServer::address)?),
        preferred: WHEEL,
        deviations: deviations::INDI_SIMULATORS,
        patience: HARDWARE,
    },
    Server {
        name: "alpaca(rpc(indiserver))",
        start: || rpc::behind_alpaca(indiserver(IndiServer::address)?),
        preferred: WHEEL,
        deviations: deviations::INDI_SIMULATORS,
        patience: HARDWARE,
    },
    Server {
        name: "ascom-alpaca",
        start: || {
            let server = testing::alpaca::ascom_alpaca_server(640, 480)?;
            let address = format!("alpaca://{}", server.address());
            Ok((Box::new(server), address))
        },
        preferred: &[],
        deviations: &[],
        patience: QUICK,
    },
    Server {
        name: "alpaca-simulators",
        start: || {
            let server = AlpacaSimulators::start()?;
            let address = server.url();
            Ok((Box::new(server), address))
        },
        preferred: &[],
        deviations: deviations::ALPACA_SIMULATORS,
        patience: ACROSS_THE_SKY,
    },
    Server {
        name: "ascom-alpaca-core",
        start: || {
            let server = testing::alpaca::Harness::start()?;
            let address = format!("alpaca://{}", server.address());
            Ok((Box::new(server), address))
        },
        preferred: &["Mock Camera"],
        deviations: deviations::ASCOM_ALPACA_CORE,
        patience: QUICK,
    },
];

/// The CCD simulator has a wheel too, which turns in no time.
const WHEEL: &[&str] = &["Filter Simulator"];

/// The drivers of Debian's indi-bin that the contract speaks of.
const INDI_SIMULATORS: [&str; 5] = [
    "indi_simulator_ccd",
    "indi_simulator_telescope",
    "indi_simulator_focus",
    "indi_simulator_wheel",
    "indi_simulator_guide",
];

fn indiserver(way: fn(&IndiServer) -> String) -> Started {
    let server = IndiServer::start(&INDI_SIMULATORS)?;
    let address = way(&server);
    Ok((Box::new(server), address))
}

fn indipyserver(started: Result<IndipyServer, Skip>) -> Started {
    let server = started?;
    let address = format!("indi://{}", server.address());
    Ok((Box::new(server), address))
}

impl Server {
    fn target(&self, address: String) -> Target {
        Target::shared(self.name, move || astrobackend::open(&address))
            .preferring(self.preferred)
            .deviating(self.deviations)
            .within(self.patience)
    }
}

/// A peer that cannot run here, as a test of its own that says why.
fn unavailable(name: &str, skip: &Skip) -> Trial {
    absent(name, skip.to_string(), skip.report())
}

fn absent(name: &str, why: String, required: bool) -> Trial {
    Trial::ignorable_test(format!("{name}::(all cases)"), move || match required {
        true => Err(Failed::from(why)),
        false => Ok(Completion::ignored_with(format!("skipped: {why}"))),
    })
}

fn trial(target: Arc<Target>, case: &'static Case) -> Trial {
    let name = format!("{}::{}", target.name, case.name);
    Trial::ignorable_test(name, move || match target.run(case) {
        Ok(()) => Ok(Completion::Completed),
        Err(Stop::Skip(why)) => Ok(Completion::ignored_with(format!("skipped: {why}"))),
        Err(Stop::Fail(why)) => Err(Failed::from(why)),
    })
}
