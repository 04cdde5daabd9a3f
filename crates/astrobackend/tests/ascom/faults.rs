//! Drivers that hang, fail and die.

use crate::{PATIENCE, camera, focuser, open, patiently, small_camera, tell, turn};
use astrobackend::{
    ErrorKind,
    device::{AnyDevice, CameraExt, CameraState, Control, DeviceId, DeviceKind, Exposure, ExposureState},
    event::{EventKind, Link},
    image::Frame,
};
use std::{
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};
use windows::Win32::{
    Foundation::{CloseHandle, WAIT_OBJECT_0},
    System::Threading::{OpenProcess, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject},
};

/// A call may take its deadline, and a little for the way; a loaded machine has its own idea of a little.
const LITTLE: Duration = Duration::from_millis(400);

#[test]
fn a_driver_that_hangs_costs_only_its_own_thread() {
    let _turn = turn();
    let neighbour = small_camera("Test.Camera", "");
    let camera = camera("TestSecond.Camera", "?timeout=0.5");
    camera.set_control(Control::Gain, 33.0).unwrap();
    tell(&*camera, "hang", "Gain");

    let asked = Instant::now();
    let error = camera.control(Control::Gain).unwrap_err();
    let waited = asked.elapsed();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.to_string().contains("TestSecond.Camera") && error.to_string().contains("Gain"), "{error}");
    assert!(waited >= Duration::from_millis(500) && waited < Duration::from_millis(500) + LITTLE, "{waited:?}");

    // Everything else is refused at once, with the reason.
    let asked = Instant::now();
    for error in [camera.state().unwrap_err(), camera.control(Control::Offset).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
        assert!(error.to_string().contains("has not answered Gain for"), "{error}");
    }
    assert!(asked.elapsed() < LITTLE, "{:?}", asked.elapsed());

    // The neighbour in the same process notices nothing.
    neighbour.expose(Exposure::light(Duration::from_millis(10)), &patiently()).unwrap();

    tell(&*neighbour, "release", "");
    let look = || Ok(camera.control(Control::Gain).ok());
    let gain = patiently().until("the driver's return", look, || Ok(())).unwrap();
    assert_eq!(gain, 33.0);
}

#[test]
fn nobody_waits_for_a_hung_driver_to_be_dropped() {
    let _turn = turn();
    let neighbour = camera("Test.Camera", "");
    let camera = camera("TestSecond.Camera", "?timeout=0.2");
    tell(&*camera, "hang", "Gain");
    assert_eq!(camera.control(Control::Gain).unwrap_err().kind(), ErrorKind::Timeout);
    let dropped = Instant::now();
    drop(camera);
    assert!(dropped.elapsed() < LITTLE, "{:?}", dropped.elapsed());
    tell(&*neighbour, "release", "");
}

#[test]
fn what_a_driver_throws_is_told_as_it_is() {
    let _turn = turn();
    let focuser = focuser("Test.Focuser", "");
    use ErrorKind::*;
    // How it is thrown, and what is made of it: ASCOM's numbers, those of COM, and those of Visual Basic.
    let cases = [
        ("scode 80040400", Unsupported, "was told to"),
        ("scode 80040401", InvalidValue, "was told to"),
        ("scode 80040402", ValueNotSet, "was told to"),
        ("scode 80040407", NotConnected, "was told to"),
        ("scode 80040408", Parked, "was told to"),
        ("scode 8004040b", InvalidOperation, "Test.Focuser"),
        ("scode 80040512", Device(0x512), "0x80040512"),
        ("scode 80070005", Device(0x8007_0005), "0x80070005"),
        ("wcode 408", Parked, "was told to"),
        ("late 80040401", InvalidValue, "says so late"),
        ("bare 80040408", Parked, "0x80040408"),
        ("bare 80020003", Unsupported, "has no Halt"),
        ("bare 8000ffff", Device(0x8000_ffff), "0x8000FFFF"),
    ];
    // Not now, says the driver's program, and takes it a moment later.
    for later in ["bare 80010001", "bare 8001010a"] {
        tell(&*focuser, "throw", &format!("Halt {later}"));
        focuser.halt().unwrap();
    }
    for (how, kind, words) in cases {
        tell(&*focuser, "throw", &format!("Halt {how}"));
        let error = focuser.halt().unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), kind, "{how}: {text}");
        assert!(text.contains(words) && text.contains("Test.Focuser") && text.contains("Halt"), "{how}: {text}");
        focuser.halt().unwrap();
    }
}

/// Ends the driver's process as the Task Manager would, and waits for its end.
#[allow(unsafe_code, reason = "the system's own interface")]
pub(crate) fn kill(process: &str) {
    // SAFETY: the handle is that of a process that was opened for this, and is closed once.
    unsafe {
        let rights = PROCESS_TERMINATE | PROCESS_SYNCHRONIZE;
        let process = OpenProcess(rights, false, process.parse().unwrap()).unwrap();
        TerminateProcess(process, 1).unwrap();
        assert_eq!(WaitForSingleObject(process, 10_000), WAIT_OBJECT_0);
        CloseHandle(process).unwrap();
    }
}

fn exposing(state: &CameraState) -> bool {
    matches!(state.exposure, ExposureState::Exposing { .. })
}

#[test]
fn a_driver_that_dies_while_it_exposes_is_missed_and_comes_back() {
    let _turn = turn();
    let camera = small_camera("TestProcess.Camera", "?timeout=5&reconnect=reopen");
    camera.start_exposure(Exposure::light(Duration::from_secs(3600))).unwrap();
    assert!(exposing(&camera.state().unwrap()));
    let process = tell(&*camera, "process", "");
    assert_ne!(process, std::process::id().to_string(), "it lives in a process of its own");
    kill(&process);

    let error = camera.state().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("TestProcess.Camera"), "{error}");
    // A new process knows of no exposure and is not connected; nothing is made up.
    let look = || match camera.is_connected() {
        Err(error) if error.kind() == ErrorKind::Unreachable => Ok(None),
        other => other.map(Some),
    };
    let connected = patiently().until("the driver's return", look, || Ok(())).unwrap();
    assert!(!connected);
    assert_eq!(camera.state().unwrap_err().kind(), ErrorKind::NotConnected);
    assert!(camera.image().is_err());

    camera.connect().unwrap();
    let state = camera.state().unwrap();
    assert!(matches!(&state.exposure, ExposureState::Failed(why) if why.to_string().contains("died")), "{state:?}");
    let image = camera.expose(Exposure::light(Duration::from_millis(10)), &patiently()).unwrap();
    assert_eq!((image.width(), image.height()), (640, 480), "a new process has its own settings");
}

#[test]
fn a_driver_that_dies_is_put_back_to_where_it_was() {
    let _turn = turn();
    let backend = open("TestProcess.Camera", "?timeout=5");
    let events = backend.events();
    let AnyDevice::Camera(camera) = backend.device(&DeviceId::new(DeviceKind::Camera, "TestProcess.Camera")).unwrap()
    else {
        panic!("it is a camera")
    };
    camera.connect().unwrap();
    camera.abort_exposure().unwrap();
    let frame = Frame { x: 0, y: 0, width: 30, height: 20, bin_x: 1, bin_y: 1 };
    camera.set_frame(frame).unwrap();
    camera.set_control(Control::Gain, 33.0).unwrap();
    camera.start_exposure(Exposure::light(Duration::from_secs(3600))).unwrap();
    kill(&tell(&*camera, "process", ""));
    assert_eq!(camera.state().unwrap_err().kind(), ErrorKind::Unreachable);
    let state = patiently().until("the driver's return", || Ok(camera.state().ok()), || Ok(())).unwrap();
    assert!(matches!(&state.exposure, ExposureState::Failed(why) if why.kind() == ErrorKind::Unreachable), "{state:?}");
    assert_eq!((camera.frame().unwrap(), camera.control(Control::Gain).unwrap()), (frame, 33.0));
    let mut told = Vec::new();
    let last = |told: &[String]| told.last().is_some_and(|last| last == "up");
    while let Some(event) = events.next(PATIENCE) {
        match event.kind {
            EventKind::Link(Link::Lost { .. }) => told.push("lost".to_owned()),
            EventKind::Link(Link::Restoring) => told.push("restoring".to_owned()),
            EventKind::Link(_) => told.push("up".to_owned()),
            EventKind::Restored { restored, failed } => told.push(format!("{restored:?} {failed:?}")),
            _ => {}
        }
        if last(&told) {
            break;
        }
    }
    assert_eq!(told, ["lost", "restoring", r#"["connection", "frame", "gain"] []"#, "up"]);
}

#[test]
fn a_call_ends_when_the_process_it_waits_for_dies() {
    let _turn = turn();
    let camera = camera("TestProcess.Camera", "?timeout=20");
    let process = tell(&*camera, "process", "");
    tell(&*camera, "hang", "Gain");
    let (sender, answer) = channel();
    let hung = camera.clone();
    let caller = thread::spawn(move || sender.send(hung.control(Control::Gain)).unwrap());
    // Refused as busy, or too late: then the call is under way.
    let nothing = answer.recv_timeout(Duration::from_millis(300)).unwrap_err();
    assert_eq!(nothing, std::sync::mpsc::RecvTimeoutError::Timeout);
    kill(&process);
    let error = answer.recv_timeout(Duration::from_secs(10)).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    caller.join().unwrap();
}

#[test]
fn cameras_expose_at_the_same_time() {
    let _turn = turn();
    let length = Duration::from_secs(2);
    let cameras = ["Test.Camera", "TestSecond.Camera", "TestProcess.Camera"].map(|name| small_camera(name, ""));
    cameras.iter().for_each(|camera| camera.start_exposure(Exposure::light(length)).unwrap());
    assert!(cameras.iter().all(|camera| exposing(&camera.state().unwrap())));
    for (camera, gain) in cameras.iter().zip([1.0, 2.0, 3.0]) {
        camera.set_control(Control::Gain, gain).unwrap();
    }
    for camera in &cameras {
        let look = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
        patiently().until("the exposure", look, || Ok(())).unwrap();
        let image = camera.image().unwrap();
        assert_eq!((image.width(), image.height()), (30, 20));
        assert_eq!(image.meta.camera.as_deref(), Some(camera.info().id.name.as_str()));
    }
    let gains = cameras.iter().map(|camera| camera.control(Control::Gain).unwrap());
    assert_eq!(gains.collect::<Vec<_>>(), [1.0, 2.0, 3.0], "each has its own settings");
}
