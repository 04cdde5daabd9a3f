//! What runs behind the fake server: the thread that accepts clients, and the answers to what they say.

use super::{
    Act, Command,
    client::{Client, Line},
    world::World,
};
use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

pub(super) type Handler = Arc<dyn Fn(&Command) -> Vec<Act> + Send + Sync>;

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) commands: Vec<Command>,
    pub(super) connections: usize,
}

pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    pub(super) handlers: Mutex<HashMap<String, Handler>>,
    pub(super) greeting: Vec<Act>,
    pub(super) line: Mutex<Line>,
    pub(super) heard: Mutex<Heard>,
    pub(super) news: Condvar,
    pub(super) clients: Mutex<Vec<Client>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Takes a client in.
    fn welcome(self: &Arc<Self>, stream: TcpStream) {
        let mut heard = lock(&self.heard);
        heard.connections += 1;
        let shared = self.clone();
        let number = heard.connections;
        let line = *lock(&self.line);
        if let Ok(client) = Client::start(stream, line, number) {
            client.act(self.greeting.iter().cloned());
            {
                let mut clients = lock(&self.clients);
                clients.retain(|client| !client.is_gone());
                clients.push(client.clone());
            }
            // Only now: its first question must find it among the clients.
            let _ = client.listen(move |command| shared.hear(command));
        }
        self.news.notify_all();
    }

    /// Notes a command and answers it.
    fn hear(&self, command: Command) {
        let handler = {
            let handlers = lock(&self.handlers);
            // A question about a property is no command to it.
            let own = handlers.get(&command.name).filter(|_| command.tag.starts_with("new"));
            own.or_else(|| handlers.get(&command.tag)).cloned()
        };
        let clients = || lock(&self.clients).clone();
        match handler {
            Some(handler) => {
                let acts = handler(&command);
                clients()
                    .iter()
                    .filter(|client| client.number() == command.client)
                    .for_each(|client| client.act(acts.clone()));
            }
            None => {
                let answer = lock(&self.world).answer(&command);
                let all = command.tag != "getProperties";
                let asked = |client: &&Client| all || client.number() == command.client;
                clients().iter().filter(asked).for_each(|client| client.act([Act::Send(answer.clone())]));
            }
        }
        lock(&self.heard).commands.push(command);
        self.news.notify_all();
    }

    pub(super) fn drop_clients(&self) {
        std::mem::take(&mut *lock(&self.clients)).iter().for_each(Client::close);
    }
}

/// The thread that accepts clients; ends with its value.
pub(super) struct Listening {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    pub(super) fn start(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let ended = stop.clone();
        let accept = move || {
            while let Ok((stream, _)) = listener.accept() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                shared.welcome(stream);
            }
        };
        let thread = std::thread::Builder::new().name("fake-indi".into()).spawn(accept)?;
        Ok(Listening { address, stop, thread: Some(thread) })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accept; it closes the listener on its way out.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
