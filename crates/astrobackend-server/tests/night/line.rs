//! The line between a client and its server: it can be cut, go dead, refuse, and break off in the middle of an answer.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Passes,
    /// Connections stay, and nothing comes through.
    Dead,
    /// Connections are accepted and closed at once.
    Slams,
    /// Nobody listens.
    Refuses,
    /// All connections end after so many bytes of answers more; then it passes again.
    Breaks(usize),
}

#[derive(Debug)]
struct State {
    mode: Mode,
    upstream: SocketAddr,
    streams: Vec<TcpStream>,
    /// How often it has broken.
    breaks: usize,
    ended: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A line; it ends with its value.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Line {
    /// A line to a server. It listens on an address of its own: no other test takes its port while it refuses, and no
    /// attempt to connect again hits itself.
    pub(crate) fn to(upstream: SocketAddr, host: u8) -> Self {
        let own = if cfg!(target_os = "linux") { [127, 0, 7, host] } else { [127, 0, 0, 1] };
        let listener = TcpListener::bind(SocketAddr::from((own, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { mode: Mode::Passes, upstream, streams: Vec::new(), breaks: 0, ended: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Mutex::new(Some(accept(listener, shared.clone())));
        Line { address, shared, accepting }
    }

    /// From now on it is like this. Whatever it is, what was connected before stays so, unless nobody listens any more.
    pub(crate) fn set(&self, mode: Mode) {
        let before = {
            let mut state = self.shared.state.lock().unwrap();
            std::mem::replace(&mut state.mode, mode)
        };
        self.shared.changed.notify_all();
        if mode == Mode::Refuses {
            self.cut();
            // Wakes the thread that accepts, which then lets the port go.
            let _ = TcpStream::connect(self.address);
            self.accepting.lock().unwrap().take().map(JoinHandle::join);
        } else if before == Mode::Refuses {
            let listener = TcpListener::bind(self.address).unwrap();
            *self.accepting.lock().unwrap() = Some(accept(listener, self.shared.clone()));
        }
    }

    /// Ends all connections.
    pub(crate) fn cut(&self) {
        cut(&mut self.shared.state.lock().unwrap());
    }

    /// From now on it leads to another server.
    pub(crate) fn lead_to(&self, upstream: SocketAddr) {
        self.shared.state.lock().unwrap().upstream = upstream;
    }

    pub(crate) fn breaks(&self) -> usize {
        self.shared.state.lock().unwrap().breaks
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state.lock().unwrap();
            state.ended = true;
            cut(&mut state);
        }
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

fn cut(state: &mut State) {
    for stream in state.streams.drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn accept(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let mut state = shared.state.lock().unwrap();
            match state.mode {
                _ if state.ended => return,
                Mode::Refuses => return,
                Mode::Slams => continue,
                _ => {}
            }
            let Ok(server) = TcpStream::connect_timeout(&state.upstream, Duration::from_secs(1)) else { continue };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let ends = [&client, &client, &server, &server].map(|stream| stream.try_clone().unwrap());
            state.streams.extend([client, server]);
            drop(state);
            let [from_client, to_client, from_server, to_server] = ends;
            let (up, down) = (shared.clone(), shared.clone());
            thread::spawn(move || carry(&up, from_client, to_server, false));
            thread::spawn(move || carry(&down, from_server, to_client, true));
        }
    })
}

fn carry(shared: &Shared, mut from: TcpStream, mut to: TcpStream, answers: bool) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        let mut state = shared.state.lock().unwrap();
        while state.mode == Mode::Dead && !state.ended {
            state = shared.changed.wait(state).unwrap();
        }
        let mut allowed = bytes;
        if let (Mode::Breaks(left), true) = (state.mode, answers) {
            allowed = bytes.min(left);
            state.mode = Mode::Breaks(left - allowed);
            if left <= bytes {
                state.mode = Mode::Passes;
                state.breaks += 1;
                let _ = to.write_all(&buffer[..allowed]);
                cut(&mut state);
                return;
            }
        }
        drop(state);
        if to.write_all(&buffer[..allowed]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
