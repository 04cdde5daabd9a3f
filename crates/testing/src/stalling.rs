//! A line between a client and a real server that stalls when it is told to, in the middle of whatever is under way.
//!
//! What the client says always goes through, so that the server does it; what the server answers is held, and comes
//! late when the line heals, as after a pulled cable that was put back.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What the line does with the server's answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    /// All goes through.
    Whole,
    /// So many bytes more, over all connections together, and then nothing.
    After(u64),
    /// A byte, and the next one after so long.
    Drip(Duration),
    /// Connections are closed, new ones as soon as they are made.
    Broken,
}

#[derive(Debug)]
struct State {
    line: Line,
    /// Bytes of the server that went through since the line was set.
    passed: u64,
    ends: Vec<TcpStream>,
    threads: Vec<JoinHandle<()>>,
    closed: bool,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    news: Condvar,
}

/// The line; it ends with its value, threads, sockets and all.
#[derive(Debug)]
pub struct StallingLine {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

impl StallingLine {
    /// A line to a server, whole at first.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn to(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = State { line: Line::Whole, passed: 0, ends: Vec::new(), threads: Vec::new(), closed: false };
        let shared = Arc::new(Shared { server, state: Mutex::new(state), news: Condvar::new() });
        let serving = shared.clone();
        let listening = thread::Builder::new().name("stalling-line".into()).spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if serving.state().closed {
                    return;
                }
                // A client that is gone already needs no line.
                let _ = serving.connect(client);
            }
        })?;
        Ok(StallingLine { address, shared, listening: Some(listening) })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does from now on.
    pub fn set(&self, line: Line) {
        let mut state = self.shared.state();
        (state.line, state.passed) = (line, 0);
        if line == Line::Broken {
            state.hang_up();
        }
        drop(state);
        self.shared.news.notify_all();
    }

    /// True while a line that stops after some bytes has not come so far.
    pub fn has_more(&self) -> bool {
        let state = self.shared.state();
        matches!(state.line, Line::After(limit) if state.passed < limit) || state.line == Line::Whole
    }

    /// Bytes of the server that went through since it was set.
    pub fn passed(&self) -> u64 {
        self.shared.state().passed
    }
}

impl Drop for StallingLine {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.closed = true;
            state.hang_up();
        }
        self.shared.news.notify_all();
        // Wakes the thread that listens.
        let _ = TcpStream::connect(self.address);
        let threads = std::mem::take(&mut self.shared.state().threads);
        for thread in self.listening.take().into_iter().chain(threads) {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl State {
    fn hang_up(&mut self) {
        for end in self.ends.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        if self.state().line == Line::Broken {
            return client.shutdown(Shutdown::Both);
        }
        let server = TcpStream::connect(self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ends = [client.try_clone()?, server.try_clone()?];
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        let over = Arc::new(AtomicBool::new(false));
        let (up, down, over_too) = (self.clone(), self.clone(), over.clone());
        let questions = thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            over.store(true, Ordering::SeqCst);
            let _ = to_server.shutdown(Shutdown::Both);
            drop(up.state());
            up.news.notify_all();
        });
        let answers = thread::spawn(move || {
            down.answer(server, &client, &over_too);
            let _ = client.shutdown(Shutdown::Both);
        });
        let mut state = self.state();
        state.ends.extend(ends);
        // Those that have ended go, so that a long test keeps only what is in use.
        state.threads.retain(|thread| !thread.is_finished());
        state.ends.retain(|end| end.peer_addr().is_ok());
        state.threads.extend([questions, answers]);
        Ok(())
    }

    fn answer(&self, mut server: TcpStream, mut client: &TcpStream, over: &AtomicBool) {
        let mut buffer = [0; 16 << 10];
        while let Some(bytes) = server.read(&mut buffer).ok().filter(|bytes| *bytes > 0) {
            let mut left = &buffer[..bytes];
            while !left.is_empty() {
                let Some(now) = self.allowance(left.len(), over) else { return };
                let (piece, rest) = left.split_at(now);
                if client.write_all(piece).is_err() {
                    return;
                }
                left = rest;
            }
        }
    }

    /// How many bytes may pass, once some may; `None` when the line or the client is gone.
    fn allowance(&self, most: usize, over: &AtomicBool) -> Option<usize> {
        let mut state = self.state();
        loop {
            if state.closed || over.load(Ordering::SeqCst) || state.line == Line::Broken {
                return None;
            }
            let now = match state.line {
                Line::Whole => most,
                Line::After(limit) => most.min(usize::try_from(limit - state.passed.min(limit)).unwrap_or(most)),
                Line::Drip(interval) => {
                    let line = state.line;
                    let still = |state: &mut State| !state.closed && state.line == line;
                    let waited = self.news.wait_timeout_while(state, interval, still);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                    if state.line != line {
                        continue;
                    }
                    1
                }
                Line::Broken => 0,
            };
            if now > 0 {
                state.passed += now as u64;
                return Some(now);
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
