//! What waits to be sent to one client: bounded, whatever the client does, and nobody waits for it.

use super::picture::Picture;
use crate::lock;
use astrobackend::wire::indi::{Leaving, Message};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::tcp::OwnedWriteHalf, sync::Notify, time};

/// Bytes written at a time, for which a client has the time to stall.
const PIECE: usize = 1 << 20;

/// Messages are collected up to this many bytes before they are written.
const COLLECT: usize = 64 << 10;

/// The queue of one client.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    news: Notify,
    /// Bytes that may wait, without pictures.
    most: usize,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    /// Nothing more will be put in or taken out.
    closed: bool,
    /// It was closed because too much was waiting.
    overflowed: bool,
}

#[derive(Debug)]
enum Item {
    Messages(Bytes),
    /// At most one of each vector: a newer one takes the place of one that has not begun to leave.
    Picture(Arc<Picture>),
}

impl Outbox {
    pub(super) fn new(most: usize) -> Self {
        Outbox { queue: Mutex::default(), news: Notify::new(), most }
    }

    /// Puts messages in; too many close it.
    pub(super) fn put(&self, messages: Bytes) {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return;
        }
        queue.bytes += messages.len();
        if queue.bytes > self.most {
            *queue = Queue { closed: true, overflowed: true, ..Queue::default() };
        } else {
            queue.items.push_back(Item::Messages(messages));
        }
        drop(queue);
        self.news.notify_one();
    }

    /// Puts a picture in; one of the same vector that still waits is left out, and the client told so.
    pub(super) fn show(&self, picture: Arc<Picture>) {
        let mut queue = lock(&self.queue);
        if queue.closed {
            return;
        }
        let same = |item: &&mut Item| matches!(item, Item::Picture(other) if other.is_of_the_vector_of(&picture));
        let mut added = 0;
        if let Some(waiting) = queue.items.iter_mut().find(same) {
            let text = "[WARNING] a picture was left out: the one before had not been taken yet";
            let (device, text) = (Some(picture.device.as_str().into()), text.into());
            let warning = Bytes::from(Message::Message { device, timestamp: None, text }.to_bytes());
            added = warning.len();
            *waiting = Item::Messages(warning);
        }
        queue.bytes += added;
        queue.items.push_back(Item::Picture(picture));
        drop(queue);
        self.news.notify_one();
    }

    /// Nothing more comes; what is in it may still leave.
    pub(super) fn close(&self) {
        lock(&self.queue).closed = true;
        self.news.notify_one();
    }

    /// The next to be sent: all messages at the front together, or a picture; `None` when nothing will come.
    async fn next(&self) -> Option<Item> {
        loop {
            let news = self.news.notified();
            {
                let mut queue = lock(&self.queue);
                match queue.items.pop_front() {
                    Some(Item::Messages(first)) => return Some(Item::Messages(queue.collect(first))),
                    Some(picture) => return Some(picture),
                    None if queue.closed => return None,
                    None => {}
                }
            }
            news.await;
        }
    }

    /// Sends what is put in until it is closed.
    ///
    /// # Errors
    /// The connection's, `TimedOut` for a client that takes nothing, `OutOfMemory` for one that takes too little.
    pub(super) async fn send_all(&self, mut half: OwnedWriteHalf, stall: Duration) -> io::Result<()> {
        while let Some(item) = self.next().await {
            match item {
                Item::Messages(messages) => write(&mut half, &messages, stall).await?,
                Item::Picture(picture) => send_picture(&mut half, &picture, stall).await?,
            }
        }
        match lock(&self.queue).overflowed {
            true => Err(io::ErrorKind::OutOfMemory.into()),
            false => Ok(()),
        }
    }
}

impl Queue {
    fn collect(&mut self, first: Bytes) -> Bytes {
        self.bytes = self.bytes.saturating_sub(first.len());
        if !matches!(self.items.front(), Some(Item::Messages(_))) {
            return first;
        }
        let mut all = first.to_vec();
        while all.len() < COLLECT
            && let Some(Item::Messages(more)) = self.items.front()
        {
            all.extend_from_slice(more);
            self.bytes = self.bytes.saturating_sub(more.len());
            self.items.pop_front();
        }
        all.into()
    }
}

async fn write(half: &mut OwnedWriteHalf, bytes: &[u8], stall: Duration) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        time::timeout(stall, half.write_all(piece)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
    Ok(())
}

async fn send_picture(half: &mut OwnedWriteHalf, picture: &Picture, stall: Duration) -> io::Result<()> {
    write(half, picture.around.head(), stall).await?;
    let mut characters = Vec::with_capacity(Leaving::PIECE / 3 * 4);
    for piece in picture.file.chunks(Leaving::PIECE) {
        characters.clear();
        Leaving::encode(piece, &mut characters);
        write(half, &characters, stall).await?;
    }
    write(half, picture.around.tail(), stall).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(device: &str) -> Arc<Picture> {
        Arc::new(Picture::new(device, "CCD1", vec![1, 2, 3]))
    }

    #[tokio::test]
    async fn messages_leave_together_and_pictures_in_their_place() {
        let outbox = Outbox::new(100);
        outbox.put(Bytes::from_static(b"<a/>"));
        outbox.put(Bytes::from_static(b"<b/>"));
        outbox.show(picture("A"));
        outbox.put(Bytes::from_static(b"<c/>"));
        outbox.close();
        assert!(matches!(outbox.next().await, Some(Item::Messages(all)) if all == "<a/><b/>"));
        assert!(matches!(outbox.next().await, Some(Item::Picture(_))));
        assert!(matches!(outbox.next().await, Some(Item::Messages(all)) if all == "<c/>"));
        assert!(outbox.next().await.is_none());
    }

    #[tokio::test]
    async fn a_picture_takes_the_place_of_one_that_waits() {
        let outbox = Outbox::new(1000);
        for device in ["A", "B", "A", "A"] {
            outbox.show(picture(device));
        }
        outbox.close();
        let mut seen = Vec::new();
        while let Some(item) = outbox.next().await {
            seen.push(match item {
                Item::Picture(picture) => picture.device.clone(),
                Item::Messages(text) => format!("told {}", String::from_utf8_lossy(&text).matches("left out").count()),
            });
        }
        assert_eq!(seen, ["told 1", "B", "told 1", "A"]);
    }

    #[tokio::test]
    async fn too_much_closes_it() {
        let outbox = Outbox::new(10);
        outbox.put(Bytes::from_static(b"<message/>"));
        outbox.put(Bytes::from_static(b"<message/>"));
        outbox.show(picture("A"));
        assert!(outbox.next().await.is_none() && lock(&outbox.queue).overflowed);
    }
}
