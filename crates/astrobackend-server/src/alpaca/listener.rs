//! Connections: how many, how long, and how they end.

use super::{http::Service, io::Stalling, options::Limits};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};

/// Connections beyond the limit that are told so; those beyond that are closed without a word.
const REFUSED: usize = 64;
/// How long they may take to listen.
const REFUSAL: Duration = Duration::from_secs(1);
/// Rest after the system had no connection to give.
const REST: Duration = Duration::from_millis(50);

/// The most headers that a request may have, and bytes of all of them.
const HEADERS: usize = 64;
const HEAD: usize = 64 * 1024;

/// Serves until told to stop, and then until replies under way are sent, or the limit for that.
pub(super) async fn serve(
    listener: TcpListener,
    service: Arc<Service>,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let (mut refusals, until_stopped) = (JoinSet::new(), stopped.clone());
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            Some(_) = refusals.join_next(), if !refusals.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) if connections.len() < limits.connections => {
                connections.spawn(connection(stream, peer, service.clone(), limits, until_stopped.clone()));
            }
            Ok((stream, _)) if refusals.len() < REFUSED => {
                refusals.spawn(time::timeout(REFUSAL, refuse(stream)));
            }
            Ok(_) => {}
            Err(error) => {
                log::warn!("no connection can be taken: {error}");
                time::sleep(REST).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if time::timeout(limits.stop, all).await.is_err() {
        log::warn!("replies under way were cut off");
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    service: Arc<Service>,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    // Small replies must not wait for acknowledgements.
    if let Err(error) = stream.set_nodelay(true) {
        log::debug!("{peer}: {error}");
    }
    let answer = service_fn(|request| {
        let service = &service;
        async move { Ok::<_, Infallible>(service.answer(peer, request).await) }
    });
    let http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_headers(HEADERS)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(Stalling::new(stream, limits.stall)), answer);
    let mut http = pin!(http);
    let told = async {
        // What it sees is a lock that must not be held on.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let ended = tokio::select! {
        ended = http.as_mut() => ended,
        () = told => {
            http.as_mut().graceful_shutdown();
            http.await
        }
    };
    if let Err(error) = ended {
        log::debug!("{peer}: {error}");
    }
}

/// Hears what is asked, so that the answer is not lost with it.
async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    let _ = stream.read(&mut asked).await?;
    let text = "too many clients are connected";
    let length = text.len();
    let head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n";
    stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{text}").as_bytes()).await?;
    stream.shutdown().await
}
