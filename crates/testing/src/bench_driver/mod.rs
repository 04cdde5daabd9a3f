//! An INDI driver that is never the bottleneck: a large frame prepared once, and number updates
//! printed beforehand. What a client needs beyond the driver's own pace is the client's.
//!
//! An exposure gives the frame at once. Bias and dark exposures are for clients that know cameras only: instead of
//! a frame they bring the updates that the switches of `BENCH` ask for, and then fail.
//!
//! It speaks INDI in plain text of its own rather than through the library, so that the two check each other.

mod command;
mod frame;
mod link;
mod updates;

use command::{Command, Commands};
use frame::Frame;
use link::Link;
use std::{
    io::{self, Read, Write},
    net::TcpListener,
    os::{linux::net::SocketAddrExt, unix::net::UnixListener},
    sync::Arc,
    thread,
};

pub use frame::{HEIGHT, WIDTH, pixel};
pub use updates::{COUNT, PROPERTIES, RATE, SECONDS, update};

/// The name of the one device.
pub const DEVICE: &str = "Bench Camera";

/// How the driver is reached; by default over standard input and output, as `indiserver` wants it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// BLOBs go as shared memory, which needs a unix socket; otherwise as base64 in one line.
    pub attach: bool,
    /// Listens on this TCP address instead.
    pub listen: Option<String>,
    /// Listens on this abstract unix socket instead.
    pub listen_unix: Option<String>,
}

/// A program of this name is the driver; `indiserver` passes no arguments on, so the name has to tell.
pub const NAME: &str = "indi-bench-driver";

/// Under this name it attaches its BLOBs.
pub const ATTACHING: &str = "indi-bench-driver-attach";

impl Options {
    /// From the command line: `[--attach] [--listen HOST:PORT] [--listen-unix NAME]`.
    ///
    /// # Errors
    /// `InvalidInput` for any other argument.
    pub fn from_args() -> io::Result<Self> {
        let mut args = std::env::args();
        let attach = args.next().is_some_and(|program| program.ends_with(ATTACHING));
        let mut options = Options { attach, ..Options::default() };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--attach" => options.attach = true,
                "--listen" => options.listen = args.next(),
                "--listen-unix" => options.listen_unix = args.next(),
                other => {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("unknown argument {other:?}")));
                }
            }
        }
        Ok(options)
    }
}

/// Runs the driver: until its input ends, or for ever when it listens.
///
/// # Errors
/// Those of its sockets.
pub fn run(options: &Options) -> io::Result<()> {
    let frame = Arc::new(Frame::new(options.attach)?);
    let serve = |link: Link, input: Box<dyn Read + Send>| {
        let frame = Arc::clone(&frame);
        // A client that goes away in mid-sentence is no failure of the driver.
        thread::spawn(move || Driver { link, frame, frame_type: String::new() }.run(input).unwrap_or(()));
    };
    if let Some(address) = &options.listen {
        for socket in TcpListener::bind(address)?.incoming() {
            let socket = socket?;
            socket.set_nodelay(true)?;
            serve(Link::Tcp(socket.try_clone()?), Box::new(socket));
        }
    } else if let Some(name) = &options.listen_unix {
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        for socket in UnixListener::bind_addr(&address)?.incoming() {
            let socket = socket?;
            serve(Link::Unix(socket.try_clone()?), Box::new(socket));
        }
    } else {
        let link = if options.attach { Link::attached_stdout()? } else { Link::Stdout(io::stdout()) };
        Driver { link, frame, frame_type: String::new() }.run(Box::new(io::stdin()))?;
    }
    Ok(())
}

/// The driver as one connection sees it.
#[derive(Debug)]
struct Driver {
    link: Link,
    frame: Arc<Frame>,
    frame_type: String,
}

impl Driver {
    fn run(&mut self, mut input: Box<dyn Read + Send>) -> io::Result<()> {
        let mut commands = Commands::default();
        let mut chunk = [0; 16 << 10];
        loop {
            let n = input.read(&mut chunk)?;
            if n == 0 {
                return Ok(());
            }
            commands.push(&chunk[..n]);
            while let Some(command) = commands.next_command() {
                self.obey(&command)?;
            }
        }
    }

    fn obey(&mut self, command: &Command) -> io::Result<()> {
        let ours = command.attribute("device").is_none_or(|device| device == DEVICE || device == "*");
        match (command.root(), command.attribute("name")) {
            _ if !ours => Ok(()),
            ("getProperties", _) => self.link.write_all(definitions().as_bytes()),
            ("pingRequest", _) => {
                let uid = command.attribute("uid").unwrap_or_default();
                writeln!(self.link, "<pingReply uid='{uid}'/>")
            }
            ("newNumberVector", Some("CCD_EXPOSURE")) => self.expose(),
            ("newSwitchVector", Some("BENCH")) => match command.switched_on() {
                Some("FAST") => updates::fast(&mut self.link),
                Some("STEADY") => updates::steady(&mut self.link),
                _ => Ok(()),
            },
            ("newSwitchVector", Some(name)) => self.switch(name, command.switched_on()),
            ("newNumberVector", Some(name)) => self.numbers(name, command),
            _ => Ok(()),
        }
    }

    fn expose(&mut self) -> io::Result<()> {
        let exposure = |state| {
            format!(
                "<setNumberVector device='{DEVICE}' name='CCD_EXPOSURE' state='{state}'>\n\
                 <oneNumber name='CCD_EXPOSURE_VALUE'>0</oneNumber>\n</setNumberVector>\n"
            )
        };
        self.link.write_all(exposure("Busy").as_bytes())?;
        match self.frame_type.as_str() {
            "FRAME_BIAS" => updates::fast(&mut self.link)?,
            "FRAME_DARK" => updates::steady(&mut self.link)?,
            _ => {
                self.frame.send(&mut self.link)?;
                return self.link.write_all(exposure("Ok").as_bytes());
            }
        }
        writeln!(self.link, "<message device='{DEVICE}' message='[ERROR] there is no frame after updates'/>")?;
        self.link.write_all(exposure("Alert").as_bytes())
    }

    /// Confirms a switch: the one that was asked for is on now.
    fn switch(&mut self, name: &str, on: Option<&str>) -> io::Result<()> {
        if let ("CCD_FRAME_TYPE", Some(on)) = (name, on) {
            self.frame_type = on.to_owned();
        }
        let Some((_, switches)) = SWITCHES.iter().find(|(vector, _)| *vector == name) else { return Ok(()) };
        let mut text = format!("<setSwitchVector device='{DEVICE}' name='{name}' state='Ok'>\n");
        for switch in *switches {
            let value = if Some(*switch) == on { "On" } else { "Off" };
            text += &format!("<oneSwitch name='{switch}'>{value}</oneSwitch>\n");
        }
        self.link.write_all((text + "</setSwitchVector>\n").as_bytes())
    }

    /// Confirms numbers as they were asked for.
    fn numbers(&mut self, name: &str, command: &Command) -> io::Result<()> {
        let content = command.content();
        self.link.write_all(
            format!("<setNumberVector device='{DEVICE}' name='{name}' state='Ok'>{content}</setNumberVector>\n")
                .as_bytes(),
        )
    }
}

/// The switch vectors and their switches; the first is on.
const SWITCHES: [(&str, &[&str]); 6] = [
    ("CONNECTION", &["CONNECT", "DISCONNECT"]),
    ("UPLOAD_MODE", &["UPLOAD_CLIENT", "UPLOAD_LOCAL", "UPLOAD_BOTH"]),
    ("CCD_FRAME_TYPE", &["FRAME_LIGHT", "FRAME_BIAS", "FRAME_DARK", "FRAME_FLAT"]),
    ("CCD_COMPRESSION", &["INDI_DISABLED", "INDI_ENABLED"]),
    ("CCD_FRAME_RESET", &["RESET"]),
    ("CCD_ABORT_EXPOSURE", &["ABORT"]),
];

fn definitions() -> String {
    let mut text = format!(
        "<defTextVector device='{DEVICE}' name='DRIVER_INFO' label='Driver Info' group='General' state='Idle' \
         perm='ro' timeout='60'>\n<defText name='DRIVER_NAME' label='Name'>{DEVICE}</defText>\n\
         <defText name='DRIVER_EXEC' label='Exec'>indi-bench-driver</defText>\n\
         <defText name='DRIVER_VERSION' label='Version'>1.0</defText>\n\
         <defText name='DRIVER_INTERFACE' label='Interface'>2</defText>\n</defTextVector>\n"
    );
    for (name, switches) in SWITCHES {
        text += &format!(
            "<defSwitchVector device='{DEVICE}' name='{name}' label='{name}' group='Main' state='Ok' perm='rw' \
             rule='AtMostOne' timeout='60'>\n"
        );
        for (index, switch) in switches.iter().enumerate() {
            let on = if index == 0 && switches.len() > 1 { "On" } else { "Off" };
            text += &format!("<defSwitch name='{switch}' label='{switch}'>{on}</defSwitch>\n");
        }
        text += "</defSwitchVector>\n";
    }
    text += &format!(
        "<defSwitchVector device='{DEVICE}' name='BENCH' label='Bench' group='Main' state='Idle' perm='rw' \
         rule='AtMostOne' timeout='60'>\n<defSwitch name='FAST' label='Fast'>Off</defSwitch>\n\
         <defSwitch name='STEADY' label='Steady'>Off</defSwitch>\n</defSwitchVector>\n"
    );
    let (width, height) = (f64::from(WIDTH), f64::from(HEIGHT));
    text += &numbers("CCD_EXPOSURE", &[("CCD_EXPOSURE_VALUE", 0.0, 3600.0, 1.0)]);
    text += &numbers("CCD_BINNING", &[("HOR_BIN", 1.0, 1.0, 1.0), ("VER_BIN", 1.0, 1.0, 1.0)]);
    text += &numbers(
        "CCD_FRAME",
        &[
            ("X", 0.0, width - 1.0, 0.0),
            ("Y", 0.0, height - 1.0, 0.0),
            ("WIDTH", 1.0, width, width),
            ("HEIGHT", 1.0, height, height),
        ],
    );
    text += &numbers(
        "CCD_INFO",
        &[
            ("CCD_MAX_X", 1.0, 16000.0, width),
            ("CCD_MAX_Y", 1.0, 16000.0, height),
            ("CCD_PIXEL_SIZE", 1.0, 40.0, 3.76),
            ("CCD_PIXEL_SIZE_X", 1.0, 40.0, 3.76),
            ("CCD_PIXEL_SIZE_Y", 1.0, 40.0, 3.76),
            ("CCD_BITSPERPIXEL", 8.0, 64.0, 16.0),
        ],
    );
    text += &updates::definition("NUMBERS");
    text += &format!(
        "<defBLOBVector device='{DEVICE}' name='CCD1' label='Image Data' group='Image Info' state='Idle' perm='ro' \
         timeout='60'>\n<defBLOB name='CCD1' label='Image'/>\n</defBLOBVector>\n"
    );
    text
}

/// Defines a number vector: name, least, largest and present value of each element.
fn numbers(name: &str, elements: &[(&str, f64, f64, f64)]) -> String {
    let perm = if name == "CCD_INFO" { "ro" } else { "rw" };
    let mut text = format!(
        "<defNumberVector device='{DEVICE}' name='{name}' label='{name}' group='Main' state='Ok' perm='{perm}' \
         timeout='60'>\n"
    );
    for (element, min, max, value) in elements {
        text += &format!(
            "<defNumber name='{element}' label='{element}' format='%g' min='{min}' max='{max}' step='0'>{value}\
             </defNumber>\n"
        );
    }
    text + "</defNumberVector>\n"
}
