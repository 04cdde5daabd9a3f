//! The chains: a client's backend, what lies between, and the observatory at the other end.

use super::rest;
use astrobackend::{
    Backend,
    backend::sim::{Doing, Fault, Sim, What},
};
use astrobackend_server::{alpaca, indi, rpc};
use std::{
    any::Any,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use testing::{IndiServer, Line, StallingLine};

/// How often each driver of an indiserver is killed at most.
const KILLS: u32 = 8;

/// A server that runs, whichever.
type Served = Box<dyn Any + Send>;

/// What is at the far end.
enum End {
    /// A simulated observatory, whose truth can be asked.
    Sim(Arc<dyn Backend>),
    /// An indiserver with its simulators.
    IndiServer(Mutex<IndiServer>),
}

/// A client's backend and all that is behind it.
pub(super) struct Chain {
    pub(super) name: &'static str,
    /// Dropped first: it must not see its server go.
    pub(super) client: Option<Arc<dyn Backend>>,
    line: Option<StallingLine>,
    _served: Option<Mutex<Served>>,
    end: End,
    seed: u64,
}

/// All chains, with the faults of a seed.
pub(super) fn all(seed: u64) -> Vec<Chain> {
    let mut chains = vec![
        Chain::of_sim("sim", seed, |_| None, ""),
        Chain::of_sim("alpaca", seed + 1, |sim| Some(serve_alpaca(sim)), "timeout=2&image=10&stall=2&poll=0.2"),
        Chain::of_sim("rpc", seed + 2, |sim| Some(serve_rpc(sim)), "timeout=2&image=10&stall=2&alive=2"),
        Chain::of_sim("indi", seed + 3, |sim| Some(serve_indi(sim)), "timeout=3&alive=3"),
    ];
    match Chain::of_indiserver(seed + 4) {
        Ok(chain) => chains.push(chain),
        Err(skip) => assert!(skip.report(), "every peer must be there"),
    }
    chains
}

fn here() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn serve_alpaca(sim: &Arc<dyn Backend>) -> (Served, SocketAddr, &'static str) {
    let options = alpaca::Options { listen: here(), discovery: None, state_file: None, ..Default::default() };
    let server = alpaca::Server::start(sim.clone(), options).unwrap();
    let address = server.address();
    (Box::new(server), address, "alpaca")
}

fn serve_rpc(sim: &Arc<dyn Backend>) -> (Served, SocketAddr, &'static str) {
    let server = rpc::Server::start(sim.clone(), rpc::Options { listen: here(), ..Default::default() }).unwrap();
    let address = server.address();
    (Box::new(server), address, "rpc")
}

fn serve_indi(sim: &Arc<dyn Backend>) -> (Served, SocketAddr, &'static str) {
    let server = indi::Server::start(sim.clone(), indi::Options { listen: here(), ..Default::default() }).unwrap();
    let address = server.address();
    (Box::new(server), address, "indi")
}

impl Chain {
    fn of_sim(
        name: &'static str,
        seed: u64,
        serve: impl FnOnce(&Arc<dyn Backend>) -> Option<(Served, SocketAddr, &'static str)>,
        options: &str,
    ) -> Self {
        let sim = format!("sim://?sensor=generic&speed=50&timeout=1&seed={seed}");
        let sim = astrobackend::open(&sim).unwrap();
        let mut chain = Chain { name, client: None, line: None, _served: None, end: End::Sim(sim.clone()), seed };
        chain.client = Some(match serve(&sim) {
            None => sim,
            Some((served, address, scheme)) => {
                chain._served = Some(Mutex::new(served));
                let line = StallingLine::to(address).unwrap();
                let address = format!("{scheme}://{}?{options}", line.address());
                chain.line = Some(line);
                astrobackend::open(&address).unwrap()
            }
        });
        chain
    }

    fn of_indiserver(seed: u64) -> Result<Self, testing::Skip> {
        let drivers =
            ["indi_simulator_ccd", "indi_simulator_telescope", "indi_simulator_focus", "indi_simulator_wheel"];
        let server = IndiServer::start(&drivers)?;
        let line = StallingLine::to(SocketAddr::from(([127, 0, 0, 1], server.port()))).unwrap();
        let client = astrobackend::open(&format!("indi://{}?timeout=5&alive=3", line.address())).unwrap();
        let end = End::IndiServer(Mutex::new(server));
        Ok(Chain { name: "indiserver", client: Some(client), line: Some(line), _served: None, end, seed })
    }

    pub(super) fn client(&self) -> &Arc<dyn Backend> {
        self.client.as_ref().unwrap()
    }

    /// The simulated observatory itself, where that is at the far end.
    pub(super) fn truth(&self) -> Option<&Arc<dyn Backend>> {
        match &self.end {
            End::Sim(sim) => Some(sim),
            End::IndiServer(_) => None,
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Lets things go wrong until the end: faults of the observatory by its own clock, the line and drivers by ours.
    pub(super) fn go_wrong(&self, end: Instant, over: &AtomicBool) {
        if let End::Sim(sim) = &self.end {
            let sim = Sim::of(&**sim).unwrap();
            faults().into_iter().for_each(|fault| sim.inject(fault).unwrap());
        }
        let mut round = 0_u32;
        // An indiserver starts a driver anew ten times and no more.
        let between = (end.saturating_duration_since(Instant::now()) / (3 * KILLS)).max(Duration::from_secs(8));
        let mut next_kill = Instant::now() + between;
        let mut kills = 0;
        while !over.load(Ordering::SeqCst) && Instant::now() < end {
            let quiet = Duration::from_millis(2500 + u64::from(round * 37 % 1500));
            rest(quiet.min(end.saturating_duration_since(Instant::now())));
            if let Some(line) = &self.line {
                line.set([Line::Broken, Line::After(0), Line::After(5000), Line::After(200_000)][round as usize % 4]);
                rest(Duration::from_millis(u64::from(200 + round * 91 % 900)));
                // What was held comes late, or the line is cut and made again.
                line.set(if round.is_multiple_of(3) { Line::Broken } else { Line::Whole });
                line.set(Line::Whole);
            }
            if let End::IndiServer(server) = &self.end
                && next_kill <= Instant::now()
            {
                let drivers = ["indi_simulator_ccd", "indi_simulator_focus", "indi_simulator_wheel"];
                server.lock().unwrap().kill_driver(drivers[kills % drivers.len()]);
                next_kill += between;
                kills += 1;
            }
            round += 1;
        }
        if let Some(line) = &self.line {
            line.set(Line::Whole);
        }
        if let End::Sim(sim) = &self.end {
            Sim::of(&**sim).unwrap().heal();
        }
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.client = None;
    }
}

/// What goes wrong in a simulated observatory, all of it again and again.
fn faults() -> Vec<Fault> {
    let seconds = Duration::from_secs;
    let camera = |what| Fault::new("camera", what);
    let mut faults = vec![
        camera(What::BlackFrame).on_exposure(3).every(11.0),
        camera(What::DuplicateFrame).on_exposure(5).every(13.0),
        camera(What::WrongSize).on_exposure(7).every(17.0),
        camera(What::MissingTail).on_exposure(9).every(19.0),
        camera(What::FailExposure("the sensor does not answer".into())).on_exposure(4).every(12.0),
        camera(What::StallReadout).on_exposure(6).every(14.0).lasting(seconds(30)),
        camera(What::EndlessExposure).on_exposure(8).every(15.0).lasting(seconds(40)),
        camera(What::UsbReset).at(seconds(400)).every(900.0).lasting(seconds(60)),
        camera(What::CoolerOff).at(seconds(100)),
        camera(What::PowerCycle).at(seconds(700)).every(1100.0),
        // Forth and back: a clock that is minutes off makes every frame suspect, and rightly so.
        camera(What::ClockJump(2.0)).at(seconds(500)).every(800.0),
        camera(What::ClockJump(-2.0)).at(seconds(900)).every(800.0),
        Fault::new("focuser", What::Stick).at(seconds(150)).every(400.0).lasting(seconds(30)),
        Fault::new("focuser", What::PowerCycle).at(seconds(900)).every(1300.0),
        Fault::new("wheel", What::Stick).at(seconds(250)).every(500.0).lasting(seconds(20)),
        Fault::new("mount", What::Stick).during(Doing::Slewing).lasting(seconds(20)),
        Fault::new("mount", What::Stick).at(seconds(350)).every(600.0).lasting(seconds(20)),
        Fault::new("all", What::LoseLink).at(seconds(300)).every(450.0).lasting(seconds(25)),
        Fault::new("focuser", What::LoseLink).at(seconds(200)).every(350.0).lasting(seconds(15)),
    ];
    for device in ["camera", "focuser", "wheel", "mount"] {
        let any = |what| Fault::new(device, what).on_call("any", 50).every(1.0);
        faults.push(any(What::Throw("the cable crackles".into())).chance(0.005));
        faults.push(any(What::Late(seconds(15))).chance(0.005));
        faults.push(any(What::Hang).chance(0.001).lasting(seconds(100)).times(1));
    }
    faults
}
