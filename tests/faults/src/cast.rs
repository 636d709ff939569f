//! Who there is: people who chat, people who come and go, people who block each
//! other; their devices and their friends.
//!
//! Owns them, and who is whose friend. Must not know what they write.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use client::{Action, ChangeError, Entrance, GroupId, Relation, UserId};
use tokio::time::{Duration, Instant, sleep};

use crate::books::{Books, Route, To};
use crate::device::{Device, Owner, Shown};

/// People who chat in pairs all the time.
const CHATTERS: usize = 40;
/// People who come and go, each with somebody who writes to them.
const VISITORS: usize = 12;
/// People who block each other, in pairs.
const BLOCKERS: usize = 12;
/// Groups of people who chat.
const ROOMS: usize = 6;
/// Members of each who write.
const WRITERS: usize = 3;
/// One in so many people who chat has a second device.
const SECOND_DEVICE: usize = 5;

/// One in so many people who chat is slow.
const SLOW: usize = 4;

/// For two people to become friends.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(10);

/// Everybody.
#[derive(Debug)]
pub struct Cast {
    /// Devices that stay, those who chat first.
    pub devices: Vec<Device>,
    /// Those who come and go.
    pub visitors: Vec<Owner>,
    /// Who has which friends.
    pub friends: BTreeMap<UserId, Vec<UserId>>,
    first: Vec<usize>,
}

/// A user by number.
fn user(number: usize) -> Result<UserId> {
    Ok(format!("u{}", 1_001 + number).parse()?)
}

const EVERYBODY: usize = CHATTERS + VISITORS + BLOCKERS;

/// Who writes to whom.
pub fn routes() -> Result<Vec<Route>> {
    let route = |from, to, is_blocked| {
        Ok(Route {
            from: user(from)?,
            to: To::User(user(to)?),
            is_blocked,
        })
    };
    let chats = (0..CHATTERS).map(|one| route(one, one ^ 1, false));
    let visits = (0..VISITORS).map(|one| route(one, CHATTERS + one, false));
    let blocks = (CHATTERS + VISITORS..EVERYBODY).map(|one| route(one, one ^ 1, true));
    let people = chats.chain(visits).chain(blocks);
    let rooms = (0..ROOMS).flat_map(|number| {
        let writers = members(number).take(WRITERS);
        writers.map(move |member| {
            Ok(Route {
                from: user(member)?,
                to: To::Group(room(number)?),
                is_blocked: false,
            })
        })
    });
    people.chain(rooms).collect()
}

/// A group by number.
fn room(number: usize) -> Result<GroupId> {
    Ok(format!("room-{}", 1_001 + number).parse()?)
}

/// Of those who chat every so manyth is in a room.
fn members(room: usize) -> impl Iterator<Item = usize> {
    (room..CHATTERS).step_by(ROOMS)
}

/// Pairs of friends: who writes to each other, and some who only look.
fn friendships() -> Vec<(usize, usize)> {
    let chats = (0..CHATTERS).step_by(2).map(|one| (one, one + 1));
    let looks = (0..CHATTERS).map(|one| (one, (one + 2) % CHATTERS));
    let visits = (0..VISITORS).map(|one| (one, CHATTERS + one));
    let blocks = (CHATTERS + VISITORS..EVERYBODY).step_by(2);
    let blocks = blocks.map(|one| (one, one + 1));
    chats.chain(looks).chain(visits).chain(blocks).collect()
}

impl Cast {
    /// Everybody comes, and becomes friends; then those who come and go leave.
    pub async fn comes(addresses: &str, books: &Books) -> Result<Self> {
        let owner = |number: usize, device: &str| {
            Ok::<Owner, anyhow::Error>(Owner {
                user: user(number)?,
                device: device.parse()?,
                addresses: addresses.to_owned(),
                shown: Shown::default(),
                is_slow: number < CHATTERS && number % SLOW == 1,
            })
        };
        let mut devices = Vec::new();
        let mut visitors = Vec::new();
        let mut first = Vec::new();
        for number in 0..EVERYBODY {
            let owner = owner(number, "phone")?;
            first.push(devices.len());
            devices.push(owner.comes(books)?);
            if (CHATTERS..CHATTERS + VISITORS).contains(&number) {
                visitors.push(owner);
            }
        }
        for number in (0..CHATTERS).step_by(SECOND_DEVICE) {
            devices.push(owner(number, "desk")?.comes(books)?);
        }
        for device in &devices {
            device.is_there().await?;
        }
        let mut cast = Self {
            devices,
            visitors,
            friends: BTreeMap::new(),
            first,
        };
        for (one, other) in friendships() {
            cast.befriend(one, other).await?;
        }
        for number in 0..ROOMS {
            cast.open_room(number).await?;
        }
        let going: Vec<Device> = cast.devices.drain(CHATTERS..CHATTERS + VISITORS).collect();
        for device in going {
            device.leaves().await;
        }
        // Who stood behind them has moved up.
        for at in &mut cast.first[CHATTERS + VISITORS..] {
            *at -= VISITORS;
        }
        Ok(cast)
    }

    /// The first member makes a room, and the others come in.
    async fn open_room(&self, number: usize) -> Result<()> {
        let room = room(number)?;
        let mut action = Action::Create {
            title: "a room".into(),
            entrance: Entrance::Open,
        };
        for member in members(number) {
            let client = &self.devices[self.first[member]].client;
            client.change_group(&room, action).await?;
            action = Action::Join;
        }
        Ok(())
    }

    /// All rooms, each with a member who reads its log.
    pub fn rooms(&self) -> Result<Vec<(GroupId, &Device)>> {
        let rooms = (0..ROOMS).map(|number| Ok((room(number)?, self.device(&user(number)?)?)));
        rooms.collect()
    }

    async fn befriend(&mut self, one: usize, other: usize) -> Result<()> {
        let [one, other] = [one, other].map(|number| &self.devices[self.first[number]]);
        become_friends(one, other).await?;
        for (one, other) in [(one, other), (other, one)] {
            let friends = self.friends.entry(one.user.clone()).or_default();
            friends.push(other.user.clone());
        }
        Ok(())
    }

    /// The first device of somebody who stays.
    pub fn device(&self, user: &UserId) -> Result<&Device> {
        let mut devices = self.devices.iter();
        let found = devices.find(|device| device.user == *user);
        found.with_context(|| format!("{user} stays"))
    }

    /// Those who chat and have one device, whose status is their own.
    pub fn with_one_device(&self) -> impl Iterator<Item = &Device> {
        let chatters = self.devices[..CHATTERS].iter().enumerate();
        chatters
            .filter(|(number, _)| !number.is_multiple_of(SECOND_DEVICE))
            .map(|(_, device)| device)
    }

    /// Pairs who block each other.
    pub fn blockers(&self) -> Vec<[&Device; 2]> {
        let blockers = &self.devices[CHATTERS..CHATTERS + BLOCKERS];
        let pairs = blockers.chunks_exact(2);
        pairs.map(|pair| [&pair[0], &pair[1]]).collect()
    }
}

/// Two who are there become friends, and both know it.
pub async fn become_friends(one: &Device, other: &Device) -> Result<()> {
    one.client.request(&other.user).await?;
    other.client.accept(&one.user).await?;
    let end = Instant::now() + PATIENCE;
    let lists = |one: &Device, other: &Device| {
        let list = one.client.friends();
        let entry = list.as_ref().and_then(|list| list.find(&other.user));
        entry.is_some_and(|entry| entry.relation == Relation::Friend)
    };
    while !(lists(one, other) && lists(other, one)) {
        anyhow::ensure!(Instant::now() < end, "{} finds no friend", one.user);
        sleep(LOOK).await;
    }
    Ok(())
}

/// Whether a change that was refused or not answered is to be tried again.
pub fn may_be_tried_again(error: &ChangeError) -> bool {
    match error {
        ChangeError::Refused(code) => code.next() == client::Next::Again,
        ChangeError::Unanswered => true,
        ChangeError::Request(_) => false,
    }
}
