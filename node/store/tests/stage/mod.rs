//! A small service over one keyspace, and one place that touches the API.

// Each test file uses its part of the stage.
#![allow(dead_code)]

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use store::{
    Completion, Engine, Failure, Handle, Keyspace, Running, Service, Settings, Transaction,
    Unreadable,
};

/// Notes by name, each remembered in a cache once it was written or read.
pub struct Notes {
    keyspace: Keyspace,
    cache: BTreeMap<String, String>,
    rollbacks: Arc<AtomicUsize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Put(String, String),
    Remove(String),
    Get(String),
    /// All names from the first to before the second, backwards if asked.
    List(String, String, bool),
    /// The cached value, without a look at the store.
    Cached(String),
    Panic,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    Value(Option<String>),
    Names(Vec<String>),
}

impl Service for Notes {
    type Request = Request;
    type Ticket = usize;
    type Outcome = Outcome;

    fn execute(
        &mut self,
        request: Request,
        transaction: &mut Transaction<'_>,
    ) -> Result<Outcome, Unreadable> {
        Ok(match request {
            Request::Put(name, text) => {
                transaction.put(self.keyspace, name.as_bytes(), text.as_bytes());
                self.cache.insert(name, text);
                Outcome::Done
            }
            Request::Remove(name) => {
                transaction.remove(self.keyspace, name.as_bytes());
                self.cache.remove(&name);
                Outcome::Done
            }
            Request::Get(name) => {
                let value = transaction.get(self.keyspace, name.as_bytes())?;
                Outcome::Value(value.map(|text| string(&text)))
            }
            Request::List(from, to, backwards) => {
                let mut scan = transaction.range(self.keyspace, from..to);
                let mut names = Vec::new();
                while let Some(entry) = if backwards {
                    scan.next_back()
                } else {
                    scan.next()
                } {
                    names.push(string(&entry?.0));
                }
                Outcome::Names(names)
            }
            Request::Cached(name) => Outcome::Value(self.cache.get(&name).cloned()),
            Request::Panic => panic!("asked to"),
        })
    }

    fn rolled_back(&mut self) {
        self.cache.clear();
        self.rollbacks.fetch_add(1, Ordering::SeqCst);
    }
}

/// An engine with one `Notes`, and what came out of it.
pub struct Stage {
    engine: Option<Engine>,
    running: Option<Running>,
    pub notes: Handle<Notes>,
    pub outcomes: Receiver<Completion<usize, Outcome>>,
    pub rollbacks: Arc<AtomicUsize>,
    tickets: usize,
}

impl Stage {
    /// Opened, not yet started: what is submitted now is one group.
    pub fn set(path: &Path, capacity: usize) -> Self {
        Self::set_by(path, capacity, Settings::default())
    }

    pub fn set_by(path: &Path, capacity: usize, settings: Settings) -> Self {
        let mut engine = Engine::open(path, settings).expect("opens");
        let keyspace = engine.keyspace("notes").expect("keyspace");
        let rollbacks = Arc::new(AtomicUsize::new(0));
        let service = Notes {
            keyspace,
            cache: BTreeMap::new(),
            rollbacks: Arc::clone(&rollbacks),
        };
        let (sender, outcomes) = sync_channel(100_000);
        let notes = engine.serve(service, capacity, move |completions| {
            for completion in completions {
                sender.try_send(completion).expect("the test keeps up");
            }
        });
        Self {
            engine: Some(engine),
            running: None,
            notes,
            outcomes,
            rollbacks,
            tickets: 0,
        }
    }

    pub fn started(path: &Path) -> Self {
        let mut stage = Self::set(path, 100_000);
        stage.start();
        stage
    }

    pub fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("not started")
    }

    pub fn start(&mut self) {
        let engine = self.engine.take().expect("not started");
        self.running = Some(engine.start().expect("starts"));
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("started")
    }

    pub fn is_open(&self) -> bool {
        self.running().is_open()
    }

    pub fn stop(&mut self) -> Result<(), store::CommitterPanicked> {
        self.running.take().expect("started").stop()
    }

    /// Submits all at once.
    pub fn submit(&mut self, requests: impl IntoIterator<Item = Request>) {
        let mut batch = VecDeque::new();
        for request in requests {
            batch.push_back((self.tickets, request));
            self.tickets += 1;
        }
        self.notes.submit_all(&mut batch).expect("room");
    }

    pub fn next(&self) -> Completion<usize, Outcome> {
        self.outcomes
            .recv_timeout(Duration::from_secs(20))
            .expect("an outcome")
    }

    pub fn next_ok(&self) -> Outcome {
        self.next().outcome.expect("no failure")
    }

    pub fn ask(&mut self, request: Request) -> Result<Outcome, Failure> {
        self.submit([request]);
        self.next().outcome
    }
}

pub fn put(name: &str, text: &str) -> Request {
    Request::Put(name.to_owned(), text.to_owned())
}

pub fn get(name: &str) -> Request {
    Request::Get(name.to_owned())
}

pub fn value(text: &str) -> Outcome {
    Outcome::Value(Some(text.to_owned()))
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("notes are text")
}
