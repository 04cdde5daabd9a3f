//! Our INDI server driven by clients that share no code with us: `indi_setprop` and `indi_getprop`, indipyclient, and
//! Debian's indiserver, which passes on our devices as if they were its own.

use astrobackend::{Wait, device::Exposure};
use astrobackend::{device::CameraExt, fits};
use astrobackend_server::indi::{Options, Running, Server};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::{process::Command, time::Duration};
use testing::{IndiServer, Skip, command, in_private_network, python, script};

type Outcome = Result<Completion, Failed>;

fn main() -> std::process::ExitCode {
    // First of all: it may start this program anew in a network of its own.
    let network = in_private_network();
    let arguments = Arguments::from_args();
    let trials = vec![
        Trial::ignorable_test("indi_setprop_and_getprop_use_it", tools),
        Trial::ignorable_test("indipyclient_uses_every_device", indipyclient),
        Trial::ignorable_test("indiserver_passes_it_on", move || match &network {
            Ok(()) => chained(),
            Err(why) => skipped(why),
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn skipped(why: &Skip) -> Outcome {
    match why.report() {
        true => Err(Failed::from(why.to_string())),
        false => Ok(Completion::ignored_with(format!("skipped: {why}"))),
    }
}

fn simulator() -> Result<Running, Failed> {
    let options = Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() };
    Ok(Server::start(astrobackend::open("sim://?speed=20&sensor=generic&settle=0")?, options)?)
}

/// Runs a program; what it printed.
fn run(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{command:?}: {}{}", text(&output.stdout), text(&output.stderr)).into()),
    }
}

fn tools() -> Outcome {
    if let Err(why) = command("indi_getprop").and(command("indi_setprop")) {
        return skipped(&why);
    }
    let server = simulator()?;
    let port = server.address().port().to_string();
    let get = |property: &str| run(command("indi_getprop")?.args(["-1", "-p", &port, "-t", "20", property]));
    let set = |values: &str| run(command("indi_setprop")?.args(["-p", &port, "-t", "20", values]));
    set("Focuser Simulator.CONNECTION.CONNECT=On")?;
    get("Focuser Simulator.ABS_FOCUS_POSITION.FOCUS_ABSOLUTE_POSITION")?;
    set("Focuser Simulator.ABS_FOCUS_POSITION.FOCUS_ABSOLUTE_POSITION=24000")?;
    let wait = Wait::new(Duration::from_secs(30));
    let there = || {
        Ok((get("Focuser Simulator.ABS_FOCUS_POSITION.FOCUS_ABSOLUTE_POSITION").is_ok_and(|it| it.trim() == "24000"))
            .then_some(()))
    };
    wait.until("the move", there, || Ok(()))?;
    assert_eq!(get("Focuser Simulator.ABS_FOCUS_POSITION._STATE")?.trim(), "Ok");
    assert_eq!(get("Mount Simulator.DRIVER_INFO.DRIVER_INTERFACE")?.trim(), "1");
    Ok(Completion::Completed)
}

fn indipyclient() -> Outcome {
    let mut python = match python(&["indipyclient"]) {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    let server = simulator()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("picture.fits");
    run(python.arg(script("indipy_tour.py")).arg(server.address().port().to_string()).arg(&file))?;
    let (image, header) = fits::read(&file)?;
    assert_eq!((image.width(), image.height()), (1280, 1024));
    assert_eq!((header.text("FILTER"), header.real("EXPTIME")), (Some("G"), Some(2.0)));
    Ok(Completion::Completed)
}

/// indiserver asks us for one device, and our client uses it through both.
fn chained() -> Outcome {
    let ours = simulator()?;
    let remotes = ["Camera Simulator", "Focuser Simulator"].map(|name| format!("{name}@{}", ours.address()));
    let theirs = match IndiServer::start(&remotes.each_ref().map(String::as_str)) {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let backend = astrobackend::open(&format!("{}/Camera%20Simulator", theirs.address()))?;
    let camera = backend.camera()?;
    camera.connect()?;
    let frame = astrobackend::image::Frame { width: 320, height: 200, ..camera.frame()? };
    camera.set_frame(frame)?;
    let image = camera.expose(Exposure::light(Duration::from_secs(1)), &Wait::new(Duration::from_secs(60)))?;
    assert_eq!((image.width(), image.height()), (320, 200));
    Ok(Completion::Completed)
}
