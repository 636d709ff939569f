//! A shard that has a group, with gateways that follow it and people who do
//! things to it.
//!
//! Owns who asks and what is said. Must not know what a scene makes of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use msgd_core::store::{Claim, GroupWrite, KeptGroup};
use msgd_core::{Event, Policy, Settings};
use proto::client::ChangeGroup;
use proto::codes::Code;
use proto::friends::FriendList;
use proto::graph::GraphAnswer;
use proto::group::{Action, Belongs, Entrance, Logged};
use proto::ids::{GatewayId, Generation, GroupId, MessageId, SessionId, UserId};
use proto::link::{
    Answer, Attempt, Down, Follow, FromGroup, Recipient, Request as Wish, Submit, ToGroup, Up,
};
use proto::server::{History, Members, ServerPacket};
use proto::slot::Slot;

use crate::keeper::{Held, Stored};
use crate::stage::{GATEWAY, Stage, user};

/// Another gateway.
pub const OTHER: GatewayId = GatewayId(7_002);

pub struct Hall {
    pub stage: Stage,
    pub stored: BTreeMap<GroupId, Stored>,
    /// The groups of users.
    pub lists: HashMap<UserId, Vec<KeptGroup>>,
    /// Writes and readings wait for the scene.
    pub holds_writes: bool,
    pub holds_reads: bool,
    pub held: VecDeque<Held>,
    /// Lists of users' groups are not kept.
    pub loses_lists: bool,
    /// Groups that ended stay.
    pub loses_ends: bool,
    /// Pages of logs are not larger than this; or there are none.
    pub page_max: usize,
    pub no_pages: bool,
    /// Nobody answers for friend lists.
    pub no_friends: bool,
    /// All writes that came.
    pub writes: Vec<GroupWrite>,
    sessions: HashMap<UserId, SessionId>,
    number: u32,
    pub said: Vec<(GatewayId, Down)>,
}

impl Hall {
    pub fn new() -> Self {
        Self::with(open(), &[])
    }

    pub fn with(settings: Settings, others: &[&str]) -> Self {
        let mut stage = Stage::serving(settings, others);
        stage.handle(Event::GatewayUp { gateway: OTHER });
        Self {
            stage,
            stored: BTreeMap::new(),
            lists: HashMap::new(),
            holds_writes: false,
            holds_reads: false,
            held: VecDeque::new(),
            loses_lists: false,
            loses_ends: false,
            page_max: usize::MAX,
            no_pages: false,
            no_friends: false,
            writes: Vec::new(),
            sessions: HashMap::new(),
            number: 0,
            said: Vec::new(),
        }
    }

    /// A group of ann's, and those who have come into it; all are there.
    pub fn room(entrance: Entrance, members: &[&str]) -> Self {
        let mut hall = Self::new();
        hall.create(entrance, members);
        hall
    }

    pub fn create(&mut self, entrance: Entrance, members: &[&str]) {
        let title = "Room".into();
        self.enters("ann");
        let create = Action::Create { title, entrance };
        assert_eq!(self.does("ann", create), Ok(()));
        for name in members {
            self.enters(name);
            if entrance != Entrance::Open {
                assert_eq!(self.does("ann", Action::Invite(user(name))), Ok(()));
            }
            assert_eq!(self.does(name, Action::Join), Ok(()));
        }
        self.settle();
        self.said.clear();
    }

    pub fn comes(&mut self, gateway: GatewayId, envelope: Up) {
        self.stage.comes(gateway, envelope);
        self.settle();
    }

    pub fn pass(&mut self, time: std::time::Duration) {
        let steps = (time.as_millis() / 100).max(1);
        for _ in 0..steps {
            self.stage.pass(time / steps as u32);
            self.settle();
        }
    }

    /// A user's session is there.
    pub fn enters(&mut self, name: &str) {
        self.number += 1;
        let session = SessionId(u64::from(self.number));
        self.sessions.insert(user(name), session);
        let announce = self.stage.session(session, &user(name), "phone");
        self.comes(GATEWAY, Up::Announce(Box::new(announce)));
    }

    pub fn session(&self, name: &str) -> SessionId {
        self.sessions[&user(name)]
    }

    /// A session asks its shard something.
    pub fn wishes(&mut self, name: &str, request: Wish) {
        let envelope = Up::Request {
            session: self.session(name),
            user: user(name),
            request,
        };
        self.comes(GATEWAY, envelope);
    }

    /// Someone does something to the room; gives the number of the request.
    pub fn asks(&mut self, name: &str, action: Action) -> u32 {
        self.number += 1;
        let change = ChangeGroup {
            request: self.number,
            group: room(),
            action,
        };
        self.wishes(name, Wish::ChangeGroup(change));
        self.number
    }

    /// Someone does something to a group, and what the answer is.
    pub fn does_to(&mut self, group: &GroupId, name: &str, action: Action) -> Result<(), Code> {
        self.number += 1;
        let request = self.number;
        let change = ChangeGroup {
            request,
            group: group.clone(),
            action,
        };
        self.wishes(name, Wish::ChangeGroup(change));
        self.result(request).expect("no answer")
    }

    /// To the room.
    pub fn does(&mut self, name: &str, action: Action) -> Result<(), Code> {
        let request = self.asks(name, action);
        self.result(request).expect("no answer")
    }

    /// The answer to a request, if it has come.
    pub fn result(&mut self, request: u32) -> Option<Result<(), Code>> {
        let mut results = self.packets().filter_map(|packet| match packet {
            ServerPacket::GroupResult { request: of, code } if *of == request => Some(*code),
            _ => None,
        });
        let code = results.next()?;
        assert!(results.next().is_none(), "answered twice");
        Some(code.map_or(Ok(()), Err))
    }

    fn packets(&self) -> impl Iterator<Item = &ServerPacket> {
        self.said.iter().filter_map(|(_, down)| match down {
            Down::Push { packet, .. } => Some(&**packet),
            _ => None,
        })
    }

    pub fn members(&self, request: u32) -> Option<Members> {
        self.packets().find_map(|packet| match packet {
            ServerPacket::Members(members) if members.request == request => {
                Some((**members).clone())
            }
            _ => None,
        })
    }

    pub fn history(&self, request: u32) -> Option<History> {
        self.packets().find_map(|packet| match packet {
            ServerPacket::History(history) if history.request == request => {
                Some((**history).clone())
            }
            _ => None,
        })
    }

    /// A message to the room.
    pub fn posts(&mut self, name: &str, number: u8) {
        self.posts_as(name, number, Attempt::First, b"hello");
    }

    pub fn posts_as(&mut self, name: &str, number: u8, attempt: Attempt, body: &'static [u8]) {
        let submit = Submit {
            session: self.session(name),
            generation: Generation(1),
            attempt,
            from: user(name),
            id: self.id(number),
            to: Recipient::Group {
                group: room(),
                mentions: Vec::new(),
            },
            friends_hash: None,
            body: Bytes::from_static(body),
        };
        self.comes(GATEWAY, Up::Submit(submit));
    }

    /// Minted when the scene began, one after the other.
    pub fn id(&self, number: u8) -> MessageId {
        MessageId::mint(1_700_000_000_000 + u64::from(number), [number; 10])
    }

    /// What became of a message, each time it was told; forgets it.
    pub fn fates(&mut self, number: u8) -> Vec<Answer> {
        let of = self.id(number);
        let mut fates = Vec::new();
        self.said.retain(|(_, down)| match down {
            Down::Answer { id, answer, .. } if *id == of => {
                fates.push(answer.clone());
                false
            }
            _ => true,
        });
        fates
    }

    pub fn returned(&mut self, number: u8) -> bool {
        let of = self.id(number);
        let returned =
            |(_, down): &(GatewayId, Down)| matches!(down, Down::Return(back) if back.id == of);
        self.said.iter().any(returned)
    }

    /// A gateway's session of a user follows the room.
    pub fn follows(&mut self, gateway: GatewayId, name: &str) {
        let session = self.sessions.get(&user(name)).copied();
        let what = ToGroup::Follow(Follow {
            session: session.unwrap_or(SessionId(900)),
            user: user(name),
        });
        self.for_room(gateway, what);
    }

    pub fn for_room(&mut self, gateway: GatewayId, what: ToGroup) {
        let group = room();
        self.comes(gateway, Up::ToGroup { group, what });
    }

    /// What came from the room to a gateway; forgets it.
    pub fn heard(&mut self, gateway: GatewayId) -> Vec<FromGroup> {
        let mut heard = Vec::new();
        self.said.retain(|(to, down)| match down {
            Down::FromGroup(from) if *to == gateway => {
                heard.push(from.clone());
                false
            }
            _ => true,
        });
        heard
    }

    /// The numbers of the entries that came to a gateway; forgets all.
    pub fn entries(&mut self, gateway: GatewayId) -> Vec<u64> {
        let heard = self.heard(gateway).into_iter();
        let entry = |from| match from {
            FromGroup::Entry(deliver) => Some(deliver.entry.seq),
            _ => None,
        };
        heard.filter_map(entry).collect()
    }

    /// Everything said since; forgets it.
    pub fn said(&mut self) -> Vec<(GatewayId, Down)> {
        std::mem::take(&mut self.said)
    }

    pub fn log(&self) -> Vec<Logged> {
        let stored = self.stored.get(&room());
        let log = stored.into_iter().flat_map(|stored| &stored.log);
        log.map(|(entry, _)| entry.what.clone()).collect()
    }

    /// Carries out what was asked of the store and of the friend service.
    pub fn settle(&mut self) {
        loop {
            for (gateway, down) in std::mem::take(&mut self.stage.sent) {
                match down {
                    // As a gateway does.
                    Down::Relay(relay) if self.stage.owns(relay.slot) => {
                        self.stage.comes(gateway, Up::Relay(relay));
                    }
                    _ => self.said.push((gateway, down)),
                }
            }
            if !self.no_friends
                && let Some((ticket, _)) = self.stage.asked.pop()
            {
                let answer = GraphAnswer::List(Arc::new(FriendList::empty()));
                self.stage.handle(Event::Graph { ticket, answer });
                continue;
            }
            if self.stage.requests.is_empty() && self.stage.sent.is_empty() {
                return;
            }
            for request in std::mem::take(&mut self.stage.requests) {
                self.carry_out(request);
            }
        }
    }

    /// The store gives the room's slot to another, and back again.
    pub fn loses_slot(&mut self) {
        let slot = Slot::of_group(&room());
        let token = self.stage.newest(slot);
        self.stage
            .handle(Event::Refused(vec![Claim { slot, token }]));
        self.settle();
    }

    /// As what a user belongs to the room, by the user's list.
    pub fn listed(&self, name: &str) -> Option<Belongs> {
        let list = self.lists.get(&user(name))?;
        let of = list.iter().find(|kept| kept.of.group == room())?;
        Some(of.of.belongs.clone())
    }

    /// How many writes and readings are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

pub fn open() -> Settings {
    Settings {
        policy: Policy::Open,
        ..Settings::default()
    }
}

pub fn room() -> GroupId {
    GroupId::new("room").unwrap()
}

/// Of messages that are durable: their numbers in the log.
pub fn logged(answers: &[Answer]) -> Vec<u64> {
    let seq = |answer: &Answer| match answer {
        Answer::Sent(sent) => match &sent.outcome {
            proto::server::Outcome::Logged(place) => place.seq,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    answers.iter().map(seq).collect()
}
