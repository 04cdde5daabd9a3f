//! The servers of the night, each behind a line, and what another of their clients does to them.

use crate::{line::Line, script::FRAME};
use astrobackend::{
    Backend,
    device::{AnyDevice, DeviceKind},
};
use astrobackend_server::{alpaca, rpc};
use std::sync::Arc;
use testing::{
    FakeIndi, FakeRpc,
    fake_indi::{observatory, xml},
};

/// What an observatory is simulated like: motions take a moment.
const SKY: &str = "sim://?speed=50&sensor=generic&settle=0&cooler=yes";

/// A server, with the ways in which it can fail.
pub(crate) trait Peer {
    fn line(&self) -> &Line;

    /// The address of the backend under test: through the line.
    fn address(&self) -> String;

    /// The devices as the server itself has them, not through the backend under test.
    fn truth(&self) -> Arc<dyn Backend>;

    /// It is started anew, and has forgotten everything; its devices are `connected` already, or not.
    fn renew(&mut self, connected: bool);

    /// Another client disconnects a device.
    fn disconnect(&self, kind: DeviceKind);

    /// What a person has to do after that, where the protocol cannot.
    fn heal(&self) {}

    /// Commands take their time, or are done at once.
    fn take_time(&self, _yes: bool) {}

    /// The server keeps region and gain: otherwise they are sent with each exposure.
    fn keeps_settings(&self) -> bool {
        true
    }

    /// The size of its pictures.
    fn picture(&self) -> (u32, u32) {
        (FRAME.width, FRAME.height)
    }

    /// An idle connection that ends is a lost server.
    fn is_connection(&self) -> bool {
        true
    }
}

fn sky(connected: bool) -> Arc<dyn Backend> {
    let sky = astrobackend::open(SKY).or_else(|_| astrobackend::open("sim://?speed=50&sensor=generic&settle=0"));
    let sky = sky.unwrap();
    if connected {
        devices(&*sky).iter().for_each(|device| device.device().connect().unwrap());
    }
    sky
}

pub(crate) fn devices(backend: &dyn Backend) -> Vec<AnyDevice> {
    backend.devices().unwrap().iter().map(|info| backend.device(&info.id).unwrap()).collect()
}

fn let_go(backend: &dyn Backend, kind: DeviceKind) {
    let found = devices(backend).into_iter().find(|device| device.device().info().id.kind == kind);
    found.unwrap().device().disconnect().unwrap();
}

/// Our Alpaca server.
pub(crate) struct OurAlpaca {
    sky: Arc<dyn Backend>,
    server: alpaca::Running,
    line: Line,
}

impl OurAlpaca {
    pub(crate) fn new() -> Self {
        let sky = sky(false);
        let server = OurAlpaca::serve(&sky);
        let line = Line::to(server.address(), 1);
        OurAlpaca { sky, server, line }
    }

    fn serve(sky: &Arc<dyn Backend>) -> alpaca::Running {
        let listen = ([127, 0, 0, 1], 0).into();
        let options = alpaca::Options { listen, discovery: None, ..alpaca::Options::default() };
        alpaca::Server::start(sky.clone(), options).unwrap()
    }
}

impl Peer for OurAlpaca {
    fn line(&self) -> &Line {
        &self.line
    }
    fn address(&self) -> String {
        format!("alpaca://{}?alive=0.4&timeout=1&connect=1", self.line.address)
    }
    fn truth(&self) -> Arc<dyn Backend> {
        // The server keeps a region until the next exposure: it is asked, straight.
        astrobackend::open(&format!("alpaca://{}?reconnect=off", self.server.address())).unwrap()
    }
    fn renew(&mut self, connected: bool) {
        self.sky = sky(connected);
        self.server = OurAlpaca::serve(&self.sky);
        self.line.lead_to(self.server.address());
    }
    fn disconnect(&self, kind: DeviceKind) {
        let_go(&*self.sky, kind);
    }
    fn is_connection(&self) -> bool {
        false
    }
}

/// Our RPC server.
pub(crate) struct OurRpc {
    sky: Arc<dyn Backend>,
    server: rpc::Running,
    line: Line,
}

impl OurRpc {
    pub(crate) fn new() -> Self {
        let sky = sky(false);
        let server = OurRpc::serve(&sky);
        let line = Line::to(server.address(), 2);
        OurRpc { sky, server, line }
    }

    fn serve(sky: &Arc<dyn Backend>) -> rpc::Running {
        let options = rpc::Options { listen: ([127, 0, 0, 1], 0).into(), ..rpc::Options::default() };
        rpc::Server::start(sky.clone(), options).unwrap()
    }
}

impl Peer for OurRpc {
    fn line(&self) -> &Line {
        &self.line
    }
    fn address(&self) -> String {
        format!("rpc://{}?alive=0.4&timeout=1", self.line.address)
    }
    fn truth(&self) -> Arc<dyn Backend> {
        self.sky.clone()
    }
    fn renew(&mut self, connected: bool) {
        self.sky = sky(connected);
        self.server = OurRpc::serve(&self.sky);
        self.line.lead_to(self.server.address());
    }
    fn disconnect(&self, kind: DeviceKind) {
        let_go(&*self.sky, kind);
    }
}

/// A server like the original's.
pub(crate) struct Original {
    server: FakeRpc,
    line: Line,
}

impl Original {
    pub(crate) fn new() -> Self {
        let server = FakeRpc::start().unwrap();
        let line = Line::to(server.address(), 3);
        Original { server, line }
    }
}

const WINDOW: [(DeviceKind, &str); 4] = [
    (DeviceKind::Camera, "Camera"),
    (DeviceKind::Focuser, "Focuser"),
    (DeviceKind::FilterWheel, "Filter wheel"),
    (DeviceKind::Mount, "Mount"),
];

impl Peer for Original {
    fn line(&self) -> &Line {
        &self.line
    }
    fn address(&self) -> String {
        format!("rpc://{}?alive=0.4&timeout=1&poll=0.1", self.line.address)
    }
    fn truth(&self) -> Arc<dyn Backend> {
        let truth = astrobackend::open(&format!("rpc://{}?reconnect=off", self.server.address())).unwrap();
        devices(&*truth).iter().for_each(|device| device.device().connect().unwrap());
        truth
    }
    fn renew(&mut self, _: bool) {
        self.server = FakeRpc::start().unwrap();
        self.line.lead_to(self.server.address());
    }
    fn disconnect(&self, kind: DeviceKind) {
        let name = WINDOW.iter().find(|(known, _)| *known == kind).unwrap().1;
        self.server.connect(name, false);
    }
    fn heal(&self) {
        WINDOW.iter().for_each(|(_, name)| self.server.connect(name, true));
    }
    fn keeps_settings(&self) -> bool {
        false
    }
}

/// A server of INDI drivers.
pub(crate) struct Indi {
    server: FakeIndi,
    line: Line,
}

impl Indi {
    pub(crate) fn new() -> Self {
        let server = FakeIndi::builder().observatory().start().unwrap();
        let line = Line::to(server.address(), 4);
        Indi { server, line }
    }
}

impl Peer for Indi {
    fn line(&self) -> &Line {
        &self.line
    }
    fn address(&self) -> String {
        format!("indi://{}?alive=0.6&timeout=2", self.line.address)
    }
    fn truth(&self) -> Arc<dyn Backend> {
        astrobackend::open(&self.server.url("reconnect=off")).unwrap()
    }
    fn renew(&mut self, connected: bool) {
        let mut builder = FakeIndi::builder();
        use observatory::{camera, filter_wheel, focuser, mount};
        for device in [camera("Camera"), focuser("Focuser"), filter_wheel("Wheel"), mount("Mount")] {
            builder = builder.device(if connected { device.connected() } else { device });
        }
        self.server = builder.start().unwrap();
        self.line.lead_to(self.server.address());
    }
    fn disconnect(&self, kind: DeviceKind) {
        let name = match kind {
            DeviceKind::Camera => "Camera",
            DeviceKind::Focuser => "Focuser",
            DeviceKind::FilterWheel => "Wheel",
            _ => "Mount",
        };
        self.server.let_go(name);
    }
    /// Whatever it is told.
    fn picture(&self) -> (u32, u32) {
        (observatory::WIDTH as u32, observatory::HEIGHT as u32)
    }
    fn take_time(&self, yes: bool) {
        const SLOW: [(&str, &str, &str, f64); 4] = [
            ("Camera", "CCD_EXPOSURE", "CCD_EXPOSURE_VALUE", 600.0),
            ("Focuser", "ABS_FOCUS_POSITION", "FOCUS_ABSOLUTE_POSITION", 30_000.0),
            ("Wheel", "FILTER_SLOT", "FILTER_SLOT_VALUE", 1.0),
            ("Mount", "EQUATORIAL_EOD_COORD", "RA", 3.0),
        ];
        for (device, property, element, value) in SLOW {
            match yes {
                true => self
                    .server
                    .on(property, move |_| vec![xml::numbers(device, property, "Busy", &[(element, value)]).into()]),
                false => self.server.off(property),
            }
        }
    }
}
