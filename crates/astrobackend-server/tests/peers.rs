//! Our Alpaca server driven by clients that share no code with us: alpyca, ASCOM's own, and the crate ascom-alpaca.

use astrobackend::{Backend, Image, device::Colour, image::Pixels};
use astrobackend_server::alpaca::{Options, Running, Server};
use conformance::canned::Canned;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{path::Path, process::Command, sync::Arc};
use testing::{IndiServer, Skip, in_private_network, python, script};

type Outcome = Result<Completion, Failed>;

/// The drivers of Debian's indi-bin that Alpaca has kinds for.
const SIMULATORS: [&str; 4] =
    ["indi_simulator_ccd", "indi_simulator_telescope", "indi_simulator_focus", "indi_simulator_wheel"];

fn main() -> std::process::ExitCode {
    // First of all: it may start this program anew in a network of its own.
    let network = in_private_network();
    let arguments = Arguments::from_args();
    let indi = {
        let network = network.clone();
        move || network.clone().and_then(|()| IndiServer::start(&SIMULATORS))
    };
    let (with_alpyca, with_crate) = (indi.clone(), indi);
    let trials = vec![
        Trial::ignorable_test("alpyca_uses_every_device_of_the_simulator", || alpyca_tour(&simulator()?, &[])),
        Trial::ignorable_test("alpyca_uses_every_device_of_indiserver", move || match with_alpyca() {
            Ok(server) => alpyca_tour(&bridge(&server)?, &INDI_DEVICES),
            Err(why) => skipped(&why),
        }),
        Trial::ignorable_test("ascom_alpaca_uses_every_device_of_the_simulator", || crate_tour(&simulator()?)),
        Trial::ignorable_test("ascom_alpaca_uses_every_device_of_indiserver", move || match with_crate() {
            Ok(server) => crate_tour(&bridge(&server)?),
            Err(why) => skipped(&why),
        }),
        Trial::ignorable_test("alpyca_gets_every_pixel_where_it_belongs", every_pixel),
        Trial::ignorable_test("alpyca_discovers_several_servers_on_one_machine", move || match &network {
            Ok(()) => discovered(),
            Err(why) => skipped(why),
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The devices to tour: the CCD simulator has a wheel too, which turns in no time.
const INDI_DEVICES: [&str; 4] = ["CCD Simulator", "Telescope Simulator", "Focuser Simulator", "Filter Simulator"];

fn skipped(why: &Skip) -> Outcome {
    match why.report() {
        true => Err(Failed::from(why.to_string())),
        false => Ok(Completion::ignored_with(format!("skipped: {why}"))),
    }
}

fn serve(backend: Arc<dyn Backend>, discovery: Option<u16>) -> Result<Running, Failed> {
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), discovery, ..Options::default() };
    Ok(Server::start(backend, options)?)
}

fn simulator() -> Result<Running, Failed> {
    serve(astrobackend::open("sim://?speed=20&sensor=generic")?, None)
}

fn bridge(indi: &IndiServer) -> Result<Running, Failed> {
    serve(astrobackend::open(&indi.address())?, None)
}

/// Runs a client to its end and fails with what it said.
fn succeeds(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(Failed::from(format!("{command:?}\n{said}{}", String::from_utf8_lossy(&output.stderr)))),
    }
}

fn alpyca(name: &str) -> Result<Command, Skip> {
    let mut command = python(&["alpaca"])?;
    command.arg(script(name));
    Ok(command)
}

fn alpyca_tour(server: &Running, devices: &[&str]) -> Outcome {
    let mut command = match alpyca("alpyca_tour.py") {
        Ok(command) => command,
        Err(why) => return skipped(&why),
    };
    let said = succeeds(command.arg(server.address().to_string()).args(devices))?;
    match said.lines().last().is_some_and(|line| line.starts_with("done")) {
        true => Ok(Completion::Completed),
        false => Err(Failed::from(said)),
    }
}

fn crate_tour(server: &Running) -> Outcome {
    let mut command = match testing::alpaca::ascom_alpaca_client() {
        Ok(command) => command,
        Err(why) => return skipped(&why),
    };
    let said = succeeds(command.args([&format!("http://{}", server.address()), "tour"]))?;
    for step in ["exposed", "focused", "turned", "pointed"] {
        if !said.contains(step) {
            return Err(Failed::from(format!("nothing was {step}:\n{said}")));
        }
    }
    Ok(Completion::Completed)
}

const WIDTH: u32 = 37;
const HEIGHT: u32 = 23;

/// Pictures in which every pixel says where it is, with the extremes of their type in the corners.
fn pictures() -> Vec<Pixels> {
    let places = || (0..WIDTH * HEIGHT).map(|n| (n % WIDTH + 100 * (n / WIDTH)) as i32);
    let with = |mut pixels: Vec<i32>, corners: [i32; 2]| {
        let last = pixels.len() - 1;
        (pixels[0], pixels[last]) = (corners[0], corners[1]);
        pixels
    };
    let of = |corners| with(places().collect(), corners);
    vec![
        Pixels::U16(of([0, 65_535]).into_iter().map(|pixel| pixel as u16).collect()),
        Pixels::U8(of([0, 255]).into_iter().map(|pixel| pixel as u8).collect()),
        Pixels::I16(of([-32_768, 32_767]).into_iter().map(|pixel| pixel as i16).collect()),
        Pixels::I32(of([i32::MIN, i32::MAX])),
        // These fit 16 bits and travel in as many.
        Pixels::I32(of([0, 65_535])),
        Pixels::U32(of([7, 65_536]).into_iter().map(|pixel| pixel as u32).collect()),
    ]
}

fn every_pixel() -> Outcome {
    let mut command = match alpyca("alpyca_images.py") {
        Ok(command) => command,
        Err(why) => return skipped(&why),
    };
    let count = pictures().len();
    let make = |n: usize| Image::new(WIDTH, HEIGHT, pictures().swap_remove(n)).expect("a picture");
    let server = serve(Canned::new((WIDTH, HEIGHT), Colour::Mono, make), None)?;
    let folder = tempfile::tempdir()?;
    succeeds(command.args([&server.address().to_string(), &count.to_string()]).arg(folder.path()))?;
    for (n, expected) in pictures().into_iter().enumerate() {
        compare(&folder.path().join(format!("{n}.f64")), &expected)?;
    }
    Ok(Completion::Completed)
}

fn compare(file: &Path, expected: &Pixels) -> Result<(), Failed> {
    let bytes = std::fs::read(file)?;
    let mut columns = bytes.chunks_exact(8).map(|bytes| f64::from_ne_bytes(bytes.try_into().expect("eight")));
    for x in 0..WIDTH {
        for y in 0..HEIGHT {
            let (got, wanted) = (columns.next(), expected.get((y * WIDTH + x) as usize));
            if got != wanted {
                let name = expected.type_name();
                return Err(Failed::from(format!("{name}: pixel {x},{y} is {got:?} instead of {wanted:?}")));
            }
        }
    }
    match columns.next() {
        None => Ok(()),
        Some(_) => Err(Failed::from("there are more pixels")),
    }
}

fn discovered() -> Outcome {
    let mut command = match alpyca("alpyca_discover.py") {
        Ok(command) => command,
        Err(why) => return skipped(&why),
    };
    // The network is this test's own: the usual port is free.
    let port = astrobackend::wire::alpaca::discovery::PORT;
    let servers: Result<Vec<Running>, Failed> =
        (0..3).map(|_| serve(astrobackend::open("sim://")?, Some(port))).collect();
    let servers = servers?;
    let said = succeeds(command.arg(port.to_string()))?;
    for server in &servers {
        let address = server.address().to_string();
        if !said.lines().any(|line| line == address) {
            return Err(Failed::from(format!("{address} was not found among\n{said}")));
        }
    }
    Ok(Completion::Completed)
}
