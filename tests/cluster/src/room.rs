//! People who write in groups all the time, and what they were told.
//!
//! Owns the writers and the account. Must not know what happens meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::{
    Action, Client, Conversation, Entrance, Event, Fate, GroupId, History, LogEntry, LogEpoch,
    Logged, MessageId, Range, SendError,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::patience::within;
use crate::person::Person;

/// The pause of a writer between two messages.
const PACE: Duration = Duration::from_millis(20);
/// The pause before a message of unknown fate is sent again.
const AGAIN: Duration = Duration::from_millis(100);
/// Each writer is answered so often in each group before it is in full flow.
const ANSWERS: u64 = 2;
/// Entries asked for at a time.
const PAGE: usize = 100;

/// A message that was told logged, and where.
type Told = (usize, LogEpoch, u64, MessageId);
/// How often each writer was answered in each group.
type Answered = Vec<Vec<u64>>;

/// All of them in all groups.
#[derive(Debug)]
pub struct Room {
    /// Who writes and hears.
    pub people: Vec<Person>,
    groups: Vec<GroupId>,
    answered: Arc<watch::Sender<Answered>>,
    stop: watch::Sender<bool>,
    writing: JoinSet<Vec<Told>>,
}

impl Room {
    /// The first of the people makes the groups, all come in, and begin to write.
    pub async fn begins(people: Vec<Person>, groups: Vec<GroupId>) -> Self {
        for group in &groups {
            for (at, person) in people.iter().enumerate() {
                let action = match at {
                    0 => Action::Create {
                        title: "a room".into(),
                        entrance: Entrance::Open,
                    },
                    _ => Action::Join,
                };
                let change = person.client.change_group(group, action);
                change.await.expect("a member of the group");
            }
        }
        let answered = vec![vec![0; groups.len()]; people.len()];
        let mut room = Self {
            answered: Arc::new(watch::Sender::new(answered)),
            stop: watch::Sender::new(false),
            writing: JoinSet::new(),
            people,
            groups,
        };
        for (writer, person) in room.people.iter().enumerate() {
            let writing = Writing {
                writer,
                client: person.client.clone(),
                groups: room.groups.clone(),
                answered: room.answered.clone(),
                stop: room.stop.subscribe(),
            };
            room.writing.spawn(writing.run());
        }
        room
    }

    /// Waits until each writer is answered in each group again.
    pub async fn flows(&self) {
        let begun = self.answered.borrow().clone();
        let mut answered = self.answered.subscribe();
        let flowing = answered.wait_for(|now| {
            let mut pairs = now.iter().flatten().zip(begun.iter().flatten());
            pairs.all(|(now, begun)| *now >= begun + ANSWERS)
        });
        drop(within("full flow", flowing).await.expect("the room lives"));
    }

    /// Stops it and closes the account.
    ///
    /// # Panics
    /// A message that was told logged is not where that was said, or there twice;
    /// a log began anew; or a member was not told an entry since they came in,
    /// once and in its order.
    pub async fn ends(mut self) -> usize {
        self.stop.send_replace(true);
        let mut told = Vec::new();
        while let Some(account) = within("the last answers", self.writing.join_next()).await {
            told.extend(account.expect("a writer's account"));
        }
        for (at, group) in self.groups.iter().enumerate() {
            let log = self.log_of(group).await;
            let told = told.iter().filter(|told| told.0 == at);
            assert_holds(group, &log, told);
            for person in &self.people {
                hears_all(person, group, &log).await;
            }
        }
        told.len()
    }

    /// All that is in the log of a group.
    async fn log_of(&self, group: &GroupId) -> Log {
        let mut entries = Vec::new();
        loop {
            let page: History = self.people[0]
                .client
                .history(
                    Conversation::Group(group.clone()),
                    Range::After(entries.len() as u64),
                    PAGE,
                )
                .await
                .expect("a page");
            assert_eq!(page.first, 1, "all of {group} is kept");
            entries.extend(page.entries);
            if entries.len() as u64 >= page.last {
                return Log {
                    epoch: page.epoch,
                    entries,
                };
            }
        }
    }
}

/// A log as it was read.
#[derive(Debug)]
struct Log {
    epoch: LogEpoch,
    entries: Vec<LogEntry>,
}

fn assert_holds<'a>(group: &GroupId, log: &Log, told: impl Iterator<Item = &'a Told>) {
    let mut places = BTreeMap::new();
    for (at, entry) in log.entries.iter().enumerate() {
        assert_eq!(entry.seq, at as u64 + 1, "{group}");
        if let Logged::Message { id, .. } = entry.what {
            let before = places.insert((entry.from.clone(), id), entry.seq);
            assert_eq!(before, None, "{group} has {id} of {} twice", entry.from);
        }
    }
    let places: BTreeMap<_, _> = places.into_iter().map(|((_, id), seq)| (id, seq)).collect();
    for (_, epoch, seq, id) in told {
        assert_eq!(*epoch, log.epoch, "the log of {group} began anew");
        assert_eq!(places.get(id), Some(seq), "{group}: {id} was told logged");
    }
}

/// Waits until a member was told the last entry, and looks at all of them.
async fn hears_all(person: &Person, group: &GroupId, log: &Log) {
    let last = log.entries.last().expect("an entry").seq;
    let entries = person
        .hears(&format!("entry {last} of {group}"), |events| {
            let of_group = events.iter().filter_map(|event| match event {
                Event::GroupEntry(entry) if entry.group == *group => Some(entry.entry.clone()),
                _ => None,
            });
            let entries: Vec<LogEntry> = of_group.collect();
            (entries.last()?.seq >= last).then_some(entries)
        })
        .await;
    let first = entries.first().expect("an entry").seq;
    let own = log.entries.iter().find(|entry| entry.from == person.user);
    assert!(
        first <= own.expect("their coming").seq + 1,
        "{} was told {group} from {first} on",
        person.user
    );
    assert_eq!(
        entries,
        log.entries[first as usize - 1..],
        "{} in {group}",
        person.user
    );
}

struct Writing {
    writer: usize,
    client: Client,
    groups: Vec<GroupId>,
    answered: Arc<watch::Sender<Answered>>,
    stop: watch::Receiver<bool>,
}

impl Writing {
    async fn run(self) -> Vec<Told> {
        let mut told = Vec::new();
        let mut number = self.writer;
        while !*self.stop.borrow() {
            let at = number % self.groups.len();
            let text = format!("{number} of {}", self.writer);
            told.push(self.writes(at, text).await);
            self.answered
                .send_modify(|answered| answered[self.writer][at] += 1);
            number += 1;
            sleep(PACE).await;
        }
        told
    }

    /// Writes until it is told that it is in the log.
    async fn writes(&self, at: usize, text: String) -> Told {
        let group = &self.groups[at];
        let first = self.client.send_to_group(group, Vec::new(), text.clone());
        let mut handle = first.await.expect("the message is taken");
        let id = handle.id();
        loop {
            match within("a fate", handle).await {
                Fate::Logged { place, .. } => return (at, place.epoch, place.seq, id),
                Fate::Unknown { .. } => {}
                fate => panic!("writer {} in {group}: {fate:?}", self.writer),
            }
            sleep(AGAIN).await;
            let again = self.again(id, group, &text).await;
            handle = again.expect("the message is taken again");
        }
    }

    async fn again(
        &self,
        id: MessageId,
        group: &GroupId,
        text: &str,
    ) -> Result<client::SendHandle, SendError> {
        let text = text.to_owned();
        self.client
            .send_to_group_with_id(id, group, Vec::new(), text)
            .await
    }
}
