//! One connection: messages come in and go to the devices they are for; what is sent waits in its outbox.

use super::{
    Service,
    audience::Listener,
    device::{Question, Task},
    order::Order,
};
use crate::lock;
use astrobackend::wire::indi::{Limits, Message, Parser, Vector};
use bytes::Bytes;
use std::{io, sync::Arc};
use tokio::{
    io::AsyncReadExt,
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::{OwnedSemaphorePermit, watch},
    time,
};

/// Clients of a server have no BLOBs to send to these devices.
const MOST_BLOB: usize = 64 << 10;

/// Serves a client until it goes, misbehaves, or the server stops.
pub(super) async fn serve(stream: TcpStream, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let (input, half) = stream.into_split();
    let limits = service.limits;
    let listener = service.audience.join(limits.queue, limits.waiting);
    service.follow();
    let sending = listener.outbox.send_all(half, limits.stall);
    let receiving = receive(input, service.clone(), listener.clone());
    tokio::pin!(sending, receiving);
    let mut can_send = true;
    // A client that is gone before it was answered has been heard all the same.
    let stopping = loop {
        tokio::select! {
            sent = &mut sending, if can_send => {
                can_send = false;
                if let Err(error) = sent && is_its_own_fault(&error) {
                    log::warn!("a client is given up: {error}");
                    break false;
                }
                listener.outbox.close();
            }
            () = &mut receiving => break false,
            _ = stopped.wait_for(|stopped| *stopped) => break true,
        }
    };
    service.audience.leave(&listener);
    listener.outbox.close();
    if stopping && can_send {
        let _ = time::timeout(limits.stop, sending).await;
    }
}

/// It took nothing, or too little.
fn is_its_own_fault(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::OutOfMemory)
}

/// Takes in what the client says, until it goes or is not to be listened to any longer.
async fn receive(mut input: OwnedReadHalf, service: Arc<Service>, listener: Arc<Listener>) {
    let limits = service.limits;
    let mut parser = Parser::new(Limits { message: limits.message, blob: MOST_BLOB });
    let (mut mistakes, mut spoken) = (0, false);
    loop {
        let room = parser.room();
        let bytes = match input.read(room).await {
            Ok(0) | Err(_) => return,
            Ok(bytes) => bytes,
        };
        // A page in a browser here could otherwise send commands with a request of HTTP.
        if !spoken && let Some(first) = room[..bytes].iter().find(|byte| !byte.is_ascii_whitespace()) {
            spoken = true;
            if *first != b'<' {
                return log::warn!("a client is given up: it speaks another language");
            }
        }
        parser.filled(bytes);
        while let Some(message) = parser.next_message() {
            let routed = match message {
                Ok(message) => route(&service, &listener, message),
                Err(error) => {
                    log::debug!("a client sent nonsense: {error}");
                    mistakes += 1;
                    None
                }
            };
            if mistakes > limits.mistakes {
                return log::warn!("a client is given up: it sends nonsense");
            }
            for (name, request) in routed.into_iter().flatten() {
                let Ok(place) = listener.places.clone().acquire_owned().await else { return };
                service.devices.give(&name, request.into_task(&listener, place));
            }
        }
    }
}

/// What a client wants of a device.
enum Request {
    Order(Order),
    Question(Option<String>),
}

impl Request {
    fn into_task(self, listener: &Arc<Listener>, place: OwnedSemaphorePermit) -> Task {
        match self {
            Request::Order(order) => Task::Order(order, place),
            Request::Question(name) => Task::Question(Question { from: listener.clone(), name, _place: place }),
        }
    }
}

/// Deals with a message, as far as it is not for devices; what is, with the devices' names.
fn route(service: &Service, listener: &Listener, message: Message<'_>) -> Option<Vec<(String, Request)>> {
    match message {
        Message::GetProperties { device, name } => {
            lock(&listener.interest).ask(device.as_deref(), name.as_deref());
            let devices = match device.filter(|device| device != "*") {
                Some(device) => vec![device.into_owned()],
                None => service.devices.names(),
            };
            let question = |device| (device, Request::Question(name.as_deref().map(str::to_owned)));
            Some(devices.into_iter().map(question).collect())
        }
        Message::New(vector) => {
            let order = Order::read(&vector);
            let device = vector.device.clone().into_owned();
            echo(service, listener, vector);
            Some(vec![(device, Request::Order(order))])
        }
        Message::EnableBlob { device, name, mode } => {
            lock(&listener.interest).enable(device.as_deref(), name.as_deref(), mode);
            None
        }
        Message::PingRequest { uid } => {
            listener.outbox.put(Bytes::from(Message::PingReply { uid }.to_bytes()));
            None
        }
        _ => None,
    }
}

fn echo(service: &Service, listener: &Listener, vector: Vector<'_>) {
    if !service.read_only && service.devices.has(&vector.device) {
        let (device, name) = (vector.device.clone(), vector.name.clone());
        service.audience.echo(listener, &device, &name, &Message::New(vector));
    }
}
