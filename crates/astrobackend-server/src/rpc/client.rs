//! One connection: lines come in, answers go out, and nobody waits for somebody else's device.
//!
//! What a backend reads from memory is answered at once. What may wait is done elsewhere: requests of the original
//! protocol to one kind of device in their order, as its clients expect, ours side by side.

use super::{Service, dispatch, dispatch::Reply, exposure, picture};
use astrobackend::{
    device::DeviceKind,
    wire::rpc::{Answer, Line, Lines, Method, Refusal, Request, RequestError},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedWriteHalf},
    sync::{Mutex, Semaphore, mpsc, watch},
    task::JoinSet,
    time,
};

/// Bytes read at a time.
const PIECE: usize = 64 * 1024;

/// Pixels sent at a time, for which a client has the time to stall.
const PIXELS: usize = 1 << 20;

/// What is written of a connection.
#[derive(Debug)]
pub(super) struct Output {
    half: Mutex<OwnedWriteHalf>,
    stall: time::Duration,
    broken: watch::Sender<bool>,
}

impl Output {
    /// Writes all of the pieces, with nothing in between.
    pub(super) async fn send(&self, pieces: &[&[u8]]) {
        let mut half = self.half.lock().await;
        for piece in pieces {
            if let Err(error) = write(&mut half, piece, self.stall).await {
                log::debug!("a client is given up: {error}");
                // Half an answer cannot be taken back.
                self.broken.send_replace(true);
                let _ = half.shutdown().await;
                return;
            }
        }
    }

    pub(super) async fn answer(&self, answer: &Answer) {
        let mut line = Vec::with_capacity(128);
        answer.write(&mut line);
        self.send(&[&line]).await;
    }
}

async fn write(half: &mut OwnedWriteHalf, bytes: &[u8], stall: time::Duration) -> io::Result<()> {
    // Nearly always there is room, and no clock has to be set.
    let written = half.try_write(bytes).unwrap_or(0);
    for piece in bytes[written..].chunks(PIXELS) {
        time::timeout(stall, half.write_all(piece)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
    Ok(())
}

/// Requests of the original protocol to one kind of device, in their order.
struct Lane {
    requests: mpsc::Sender<(Method, Request)>,
    waiting: Arc<AtomicUsize>,
}

/// A connection.
struct Client {
    service: Arc<Service>,
    output: Arc<Output>,
    lanes: HashMap<DeviceKind, Lane>,
    side_by_side: Arc<Semaphore>,
    tasks: JoinSet<()>,
    subscription: Option<tokio::task::AbortHandle>,
}

/// Serves a client until it goes, or the server stops.
pub(super) async fn serve(stream: TcpStream, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let (mut input, half) = stream.into_split();
    let (broken, mut given_up) = watch::channel(false);
    let output = Arc::new(Output { half: Mutex::new(half), stall: service.limits.stall, broken });
    output.send(&[&service.greeting]).await;
    let mut lines = Lines::new(service.limits.line);
    let mut client = Client {
        side_by_side: Arc::new(Semaphore::new(service.limits.waiting)),
        service,
        output,
        lanes: HashMap::new(),
        tasks: JoinSet::new(),
        subscription: None,
    };
    let mut buffer = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            read = input.read(&mut buffer) => read,
            _ = given_up.wait_for(|broken| *broken) => break,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match read {
            Ok(0) | Err(_) => break,
            Ok(bytes) => lines.push(&buffer[..bytes]),
        }
        if client.take(&mut lines).await.is_err() {
            break;
        }
        while client.tasks.try_join_next().is_some() {}
    }
    if *stopped.borrow() {
        if let Some(subscription) = client.subscription.take() {
            subscription.abort();
        }
        client.lanes.clear();
        while client.tasks.join_next().await.is_some() {}
    }
}

/// It speaks another language: a browser that a page from elsewhere sends here, perhaps.
struct Stranger;

impl Client {
    /// Answers all that came.
    async fn take(&mut self, lines: &mut Lines) -> Result<(), Stranger> {
        let mut answers = Vec::new();
        while let Some(line) = lines.next_line() {
            let request = match line {
                Line::TooLong => {
                    let refusal = Refusal::invalid(format!("a request is longer than {}", self.service.limits.line));
                    Err(RequestError { refusal, id: Value::from("null") })
                }
                Line::Whole(line) if is_http(line) => return Err(Stranger),
                Line::Whole(line) => Request::parse(line),
            };
            match request {
                Ok(request) => {
                    if let Some(answer) = self.request(request).await {
                        answer.write(&mut answers);
                    }
                }
                Err(RequestError { refusal, id }) => Answer { id, outcome: Err(refusal) }.write(&mut answers),
            }
        }
        if !answers.is_empty() {
            self.output.send(&[&answers]).await;
        }
        Ok(())
    }

    /// The answer, if it is known at once.
    async fn request(&mut self, request: Request) -> Option<Answer> {
        let Some(method) = Method::find(&request.method) else {
            let refusal = Refusal::unknown_method(&request.method);
            return Some(Answer { id: request.id, outcome: Err(refusal) });
        };
        if self.service.read_only && !method.reads {
            let refusal = Refusal::from(astrobackend::Error::unsupported("this server lets nothing be changed"));
            return Some(Answer { id: request.id, outcome: Err(refusal) });
        }
        match (method.name, method.kind) {
            ("subscribe", _) => return Some(self.subscribe(request).await),
            ("unsubscribe", _) => {
                if let Some(subscription) = self.subscription.take() {
                    subscription.abort();
                }
                return Some(Answer { id: request.id, outcome: Ok(json!({ "complete": true })) });
            }
            (_, Some(kind)) if !method.ours => {
                let waits = self.lanes.get(&kind).is_some_and(|lane| lane.waiting.load(Ordering::Acquire) > 0);
                if !waits && let Some(outcome) = dispatch::at_once(&self.service, &method, &request.params) {
                    return Some(Answer { id: request.id, outcome });
                }
                self.queue(kind, method, request).await;
            }
            _ => {
                if let Some(outcome) = dispatch::at_once(&self.service, &method, &request.params) {
                    return Some(Answer { id: request.id, outcome });
                }
                let place = self.side_by_side.clone().acquire_owned().await.ok()?;
                let (service, output) = (self.service.clone(), self.output.clone());
                self.tasks.spawn(async move {
                    carry_out(&service, &output, method, request).await;
                    drop(place);
                });
            }
        }
        None
    }

    /// Puts a request behind those that came before it.
    async fn queue(&mut self, kind: DeviceKind, method: Method, request: Request) {
        let (service, output, tasks) = (&self.service, &self.output, &mut self.tasks);
        let lane = self.lanes.entry(kind).or_insert_with(|| {
            let (requests, mut queue) = mpsc::channel(service.limits.waiting);
            let waiting = Arc::new(AtomicUsize::new(0));
            let (service, output, left) = (service.clone(), output.clone(), waiting.clone());
            tasks.spawn(async move {
                while let Some((method, request)) = queue.recv().await {
                    carry_out(&service, &output, method, request).await;
                    left.fetch_sub(1, Ordering::AcqRel);
                }
            });
            Lane { requests, waiting }
        });
        lane.waiting.fetch_add(1, Ordering::AcqRel);
        // The other end lives as long as this one.
        let _ = lane.requests.send((method, request)).await;
    }

    async fn subscribe(&mut self, request: Request) -> Answer {
        let outcome = match self.service.news.subscribe().await {
            Ok(mut news) => {
                let output = self.output.clone();
                let subscription = self.tasks.spawn(async move {
                    while let Some(line) = news.next().await {
                        output.send(&[&line]).await;
                    }
                });
                if let Some(before) = self.subscription.replace(subscription) {
                    before.abort();
                }
                Ok(json!({ "complete": true }))
            }
            Err(error) => Err(error.into()),
        };
        Answer { id: request.id, outcome }
    }
}

/// Does what is asked and answers.
async fn carry_out(service: &Arc<Service>, output: &Arc<Output>, method: Method, request: Request) {
    let Request { id, params, .. } = request;
    let outcome = match dispatch::reply(service, &method, params).await {
        Ok(Reply::Value(value)) => Ok(value),
        Ok(Reply::Picture(image, tag)) => return picture::send(output, id, &image, tag).await,
        Ok(Reply::Exposing(watched)) => {
            // Its end is told when it comes, and nobody waits for it: neither here nor in the lane.
            let output = output.clone();
            tokio::spawn(async move {
                let outcome = exposure::ended(watched).await;
                output.answer(&Answer { id, outcome }).await;
            });
            return;
        }
        Err(refusal) => Err(refusal),
    };
    output.answer(&Answer { id, outcome }).await;
}

/// The first line, or any other, of a request of HTTP.
fn is_http(line: &[u8]) -> bool {
    line.first() != Some(&b'{') && memchr::memmem::find(line, b" HTTP/1.").is_some()
}
