//! The servers, the least that they could be, and what is asked of them.

use astrobackend::{
    Backend, Image, Wait,
    device::{Colour, Exposure},
    image::Pixels,
};
use astrobackend_server::rpc::{Options, Server};
use conformance::canned::Canned;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use testing::bench::{PLACES, Report, Result, SAMPLES, on_core, serve, stay_as_told, stay_on, this};

/// Columns of the frame: 61 megapixels, as of an IMX455.
const WIDTH: u32 = 9576;
/// Rows.
const HEIGHT: u32 = 6388;
/// Bytes of its pixels.
const BYTES: usize = WIDTH as usize * HEIGHT as usize * 2;

/// A getter as the original's clients send it.
const GETTER: &str = "{\"method\": \"focuser_is_moving\", \"id\": 1}\n";

/// Getters that are sent without waiting for answers.
const MANY: usize = 10_000;

/// Questions of a sample.
const QUESTIONS: usize = 2000;

/// Does what this process was started for, if it was.
pub(crate) fn role(arguments: &[String]) -> Option<Result<()>> {
    if let Err(error) = stay_as_told() {
        return Some(Err(error));
    }
    match arguments.first()?.as_str() {
        "serve-echo" => Some(raw(|mut stream| {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let bytes = stream.read(&mut buffer).ok().filter(|bytes| *bytes > 0)?;
                stream.write_all(&buffer[..bytes]).ok()?;
            }
        })),
        "serve-raw" => Some(raw(|mut stream| {
            let frame = vec![7; BYTES];
            while stream.read_exact(&mut [0]).is_ok() {
                stream.write_all(&frame).ok()?;
            }
            Some(())
        })),
        "serve-sim" => Some(astrobackend::open("sim://").map_err(Into::into).and_then(ours)),
        "serve-frame" => Some(ours(Canned::new((WIDTH, HEIGHT), Colour::Mono, |_| {
            Image::new(WIDTH, HEIGHT, Pixels::U16(vec![7; BYTES / 2])).expect("the frame")
        }))),
        _ => None,
    }
}

fn raw(answer: fn(TcpStream) -> Option<()>) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("listening {}", listener.local_addr()?.port());
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        thread::spawn(move || answer(stream));
    }
    Ok(())
}

fn ours(backend: Arc<dyn Backend>) -> Result<()> {
    for info in backend.devices()? {
        backend.device(&info.id)?.device().connect()?;
    }
    let server = Server::start(backend, Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() })?;
    println!("listening {}", server.address().port());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    server.stop();
    Ok(())
}

fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(BufReader::with_capacity(1 << 16, stream))
}

/// The median time of something quick.
fn median_time(mut ask: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let begin = Instant::now();
        ask()?;
        times.push(begin.elapsed().as_secs_f64());
    }
    Ok(median(times))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn question(client: &mut BufReader<TcpStream>) -> Result<f64> {
    let mut line = Vec::new();
    median_time(|| {
        client.get_mut().write_all(GETTER.as_bytes())?;
        line.clear();
        client.read_until(b'\n', &mut line)?;
        Ok(())
    })
}

/// One getter after the other.
pub(crate) fn small(report: &mut Report) -> Result<()> {
    PLACES.into_iter().try_for_each(|(place, cores)| {
        // What a thread is told goes for those that it starts, and nobody else is measured in it.
        thread::scope(|scope| {
            let measured = scope.spawn(|| getters(report, place, cores).map_err(|error| error.to_string()));
            Ok(measured.join().map_err(|_| "the bench panicked")??)
        })
    })
}

fn getters(report: &mut Report, place: &str, [here, there]: [usize; 2]) -> Result<()> {
    stay_on(here)?;
    let (echo, server) = (serve(on_core(this("serve-echo")?, there))?, serve(on_core(this("serve-sim")?, there))?);
    let (mut bare, mut least) = (connect(echo.address())?, connect(server.address())?);
    least.read_line(&mut String::new())?;
    let wheel = astrobackend::open(&format!("rpc://{}", server.address()))?.filter_wheel()?;
    let (mut floor, mut served, mut pair) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        floor.push(question(&mut bare)?);
        served.push(question(&mut least)?);
        pair.push(median_time(|| Ok(wheel.state().map(drop)?))?);
    }
    let floor = median(floor);
    report.note(format!("getter, {place}: line echo"), format!("{:.1} µs", floor * 1e6));
    ratio(report, &format!("getter, {place}: our server, least client"), median(served) / floor, 1.3);
    ratio(report, &format!("getter, {place}: our server and client"), median(pair) / floor, 1.3);
    Ok(())
}

/// Ten thousand getters on one connection, without waiting for answers.
pub(crate) fn rate(report: &mut Report) -> Result<()> {
    let server = serve(this("serve-sim")?)?;
    let mut client = connect(server.address())?;
    client.read_line(&mut String::new())?;
    let requests = GETTER.repeat(MANY);
    let mut times = Vec::new();
    for _ in 0..SAMPLES {
        let mut writer = client.get_ref().try_clone()?;
        let begin = Instant::now();
        thread::scope(|scope| {
            let sent = scope.spawn(|| writer.write_all(requests.as_bytes()));
            let mut line = Vec::new();
            for _ in 0..MANY {
                line.clear();
                client.read_until(b'\n', &mut line)?;
            }
            sent.join().map_err(|_| "the writer panicked")??;
            Ok::<_, Box<dyn std::error::Error>>(())
        })?;
        times.push(begin.elapsed().as_secs_f64());
    }
    let rate = MANY as f64 / median(times);
    report.row("getters pipelined", format!("{rate:.0} a second"), "at least 100000", rate >= 1e5);
    Ok(())
}

/// The frame: from the ready exposure to pixels in memory.
pub(crate) fn frame(report: &mut Report) -> Result<()> {
    let (bare, server) = (serve(this("serve-raw")?)?, serve(this("serve-frame")?)?);
    let camera = astrobackend::open(&format!("rpc://{}", server.address()))?.camera()?;
    camera.connect()?;
    let mut stream = TcpStream::connect(bare.address())?;
    let (mut floor, mut pair) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let begin = Instant::now();
        stream.write_all(&[1])?;
        let mut frame = vec![0; BYTES];
        stream.read_exact(&mut frame)?;
        floor.push(begin.elapsed().as_secs_f64());
        drop(frame);
        camera.start_exposure(Exposure::light(Duration::ZERO))?;
        let look = || Ok((!camera.state()?.exposure.is_busy()).then_some(()));
        Wait::new(Duration::from_secs(60)).until("the exposure", look, || Ok(()))?;
        let begin = Instant::now();
        let image = camera.take_image()?;
        pair.push(begin.elapsed().as_secs_f64());
        assert_eq!(image.pixels().len(), BYTES / 2);
    }
    let floor = median(floor);
    report.note("frame: raw loopback", format!("{:.0} ms", floor * 1e3));
    ratio(report, "frame: our server and client", median(pair) / floor, 1.5);
    Ok(())
}

fn ratio(report: &mut Report, what: &str, ratio: f64, goal: f64) {
    report.row(what, format!("{ratio:.2} x floor"), format!("at most {goal} x"), ratio <= goal);
}
