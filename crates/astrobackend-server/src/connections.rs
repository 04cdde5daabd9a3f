//! Connections of protocols that keep them: whose, how many, and how they end.

use astrobackend::{Error, Result};
use ipnet::IpNet;
use socket2::{SockRef, TcpKeepalive};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time,
};

/// Rest after the system had no connection to give.
const REST: Duration = Duration::from_millis(50);

/// Clients keep connections for a night and say nothing: the system finds out which are dead.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Refuses what would let strangers in by mistake.
///
/// # Errors
/// `InvalidValue` for an address beyond this computer, unless the server is open to everybody.
pub(crate) fn refuse_strangers(listen: SocketAddr, open: bool) -> Result<()> {
    if listen.ip().is_loopback() || open {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{listen} can be reached from other computers, and this protocol knows no passwords: say that the server shall be \
         open to everybody on the network, or let it listen on 127.0.0.1 behind a tunnel"
    )))
}

/// Whose connections are taken, and how many.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    /// The networks that clients may come from; empty for all.
    pub(crate) networks: Vec<IpNet>,
    /// Connections at a time.
    pub(crate) connections: usize,
    /// Finishing answers when the server stops.
    pub(crate) stop: Duration,
}

/// Serves until told to stop, and then until answers under way are sent, or the limit for that.
pub(crate) async fn serve<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    doors: Doors,
    mut stopped: watch::Receiver<bool>,
    client: impl Fn(TcpStream, watch::Receiver<bool>) -> F,
) {
    let (mut connections, until_stopped) = (JoinSet::new(), stopped.clone());
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((_, peer)) if !is_allowed(&doors.networks, peer.ip()) => {
                log::warn!("{peer} is of no network that may come");
            }
            Ok((_, peer)) if connections.len() >= doors.connections => log::warn!("{peer} is one client too many"),
            Ok((stream, _)) => {
                prepare(&stream);
                connections.spawn(client(stream, until_stopped.clone()));
            }
            Err(error) => {
                log::warn!("no connection can be taken: {error}");
                time::sleep(REST).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if time::timeout(doors.stop, all).await.is_err() {
        log::warn!("answers under way were cut off");
    }
}

/// True for a client of one of the networks that may come.
fn is_allowed(networks: &[IpNet], client: IpAddr) -> bool {
    let client = client.to_canonical();
    networks.is_empty() || networks.iter().any(|network| network.contains(&client))
}

fn prepare(stream: &TcpStream) {
    // Small answers must not wait for acknowledgements.
    let nodelay = stream.set_nodelay(true);
    let keepalive = SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
    if let Err(error) = nodelay.and(keepalive) {
        log::debug!("a connection stays as it is: {error}");
    }
}
