//! A gateway of two shards, with sessions that are in a group.
//!
//! Owns what the gateway says and writes, in its order. Must not know what a
//! scene makes of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connd_core::{Claims, Effect, Event, Gateway, LinkId, Settings};
use proto::client::{ClientPacket, Login};
use proto::clock::{Moment, Now};
use proto::group::{
    Action, Belongs, Entrance, GroupState, Head, LogEntry, Logged, Place, ReadTo, Role, UserGroup,
};
use proto::ids::{
    DeviceId, Epoch, GroupId, LogEpoch, LoginOrder, MessageId, SessionId, ShardId, Stamp, Token,
    UserId,
};
use proto::limits;
use proto::link::{Batch, Down, FromGroup, MembershipVersion, ToGroup, Up};
use proto::ring::{Member, Ring};
use proto::server::{GroupDeliver, ServerPacket};
use proto::slot::Slot;
use proto::status::Status;

pub const LOG: LogEpoch = LogEpoch(77);

/// Of the newest word about who is a member.
pub const VERSION: MembershipVersion = MembershipVersion {
    epoch: LOG,
    revision: 5,
};

pub struct Stage {
    pub gateway: Gateway,
    pub now: Now,
    ring: Arc<Ring>,
    /// What each session was written alone.
    pub told: Vec<(u64, ServerPacket)>,
    /// What many were written; whether it may wait for a moment.
    pub spread: Vec<(Vec<u64>, ServerPacket, bool)>,
    pub sent: Vec<(LinkId, Up)>,
}

impl Stage {
    pub fn new() -> Self {
        let ring = ring(1, &["a", "b"]);
        let settings = Settings {
            logins_per_second: 100_000,
            ..Settings::default()
        };
        let mut stage = Self {
            gateway: Gateway::new(settings, ring.clone()),
            now: Now {
                moment: Moment(5_000_000),
                wall: Stamp(1_795_000_000_000_000),
            },
            ring,
            told: Vec::new(),
            spread: Vec::new(),
            sent: Vec::new(),
        };
        for shard in ["a", "b"] {
            let shard = ShardId::new(shard).unwrap();
            stage.happens(Event::LinkUp { shard });
        }
        stage
    }

    /// Sessions are in the room, and have seen it up to the third entry.
    pub fn with(sessions: &[u64]) -> Self {
        let mut stage = Self::new();
        for session in sessions {
            stage.logs_in(*session, &name(*session), &[member()]);
            stage.followed(*session, 3);
        }
        stage.forget();
        stage
    }

    pub fn happens(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.gateway.handle(self.now, event, &mut effects);
        self.gateway.check_invariants();
        for effect in effects {
            match effect {
                Effect::Write { session, packet } | Effect::Offer { session, packet } => {
                    self.told.push((session.0, packet));
                }
                Effect::Spread { sessions, packet } => self.spreads(&sessions, packet, false),
                Effect::SpreadLater { sessions, packet } => self.spreads(&sessions, packet, true),
                Effect::Forward { link, envelope, .. } => self.sent.push((link, envelope)),
                _ => {}
            }
        }
    }

    fn spreads(&mut self, sessions: &[SessionId], packet: ServerPacket, later: bool) {
        let sessions = sessions.iter().map(|session| session.0).collect();
        self.spread.push((sessions, packet, later));
    }

    pub fn forget(&mut self) {
        self.told.clear();
        self.spread.clear();
        self.sent.clear();
    }

    pub fn logs_in(&mut self, number: u64, user: &str, groups: &[UserGroup]) {
        let session = SessionId(number);
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.happens(Event::Opened { session, address });
        let user = UserId::new(user).unwrap();
        let login = Login {
            version_min: limits::VERSION,
            version_max: limits::VERSION,
            features: 0,
            token: String::new(),
            user: Some(user.clone()),
            device: Some(DeviceId::new("phone").unwrap()),
            friends_hash: None,
            heartbeat_ms: 0,
            status: Some(Status::online()),
        };
        self.says(number, ClientPacket::Login(Box::new(login)));
        let claims = Ok(Claims {
            user,
            device: None,
            expires: None,
        });
        self.happens(Event::Authenticated { session, claims });
        self.accepted(number, groups);
    }

    /// The user's shard accepts a session, the first time or again.
    pub fn accepted(&mut self, number: u64, groups: &[UserGroup]) {
        let order = LoginOrder {
            token: Token(1),
            number,
        };
        let accepted = Down::Accepted {
            session: SessionId(number),
            token: Token(1),
            order,
            groups: groups.to_vec(),
        };
        self.user_shard_says(number, accepted);
    }

    pub fn says(&mut self, session: u64, packet: ClientPacket) {
        let session = SessionId(session);
        let packet = Ok(packet);
        self.happens(Event::Received { session, packet });
    }

    /// Of the user of a session, if that is named after its number.
    pub fn user_shard_says(&mut self, session: u64, envelope: Down) {
        let slot = Slot::of(&UserId::new(name(session)).unwrap());
        let link = self.link(slot);
        self.arrives(link, envelope);
    }

    pub fn room_says(&mut self, from: FromGroup) {
        let link = self.room_link();
        self.arrives(link, Down::FromGroup(from));
    }

    pub fn arrives(&mut self, link: LinkId, envelope: Down) {
        let batch = Batch {
            epoch: self.ring.epoch(),
            envelopes: vec![envelope],
        };
        self.happens(Event::Arrived { link, batch });
    }

    pub fn link(&mut self, slot: Slot) -> LinkId {
        let shard = self.ring.owner(slot).clone();
        self.gateway.link(&shard)
    }

    pub fn room_link(&mut self) -> LinkId {
        self.link(Slot::of_group(&room()))
    }

    pub fn room_shard(&self) -> ShardId {
        self.ring.owner(Slot::of_group(&room())).clone()
    }

    /// The ring is of these shards now.
    pub fn ring_of(&mut self, members: &[&str]) {
        self.ring = ring(self.ring.epoch().0 + 1, members);
        self.happens(Event::RingChanged(self.ring.clone()));
    }

    pub fn followed(&mut self, session: u64, seq: u64) {
        let session = SessionId(session);
        let state = Box::new(state(seq));
        self.room_says(FromGroup::Followed { session, state });
    }

    pub fn entry(&mut self, seq: u64) {
        self.room_says(FromGroup::Entry(deliver(seq)));
    }

    pub fn pass(&mut self, time: Duration) {
        let end = self.now.moment + time;
        while let Some(next) = self.gateway.next_deadline().filter(|next| *next <= end) {
            self.now.moment = next.max(self.now.moment);
            self.happens(Event::Tick);
        }
        self.now.moment = end;
    }

    /// What was said to the room's shard, or a former one; forgets it.
    pub fn said_to_room(&mut self) -> Vec<(LinkId, ToGroup)> {
        let mut said = Vec::new();
        self.sent.retain(|(link, envelope)| match envelope {
            Up::ToGroup { group, what } if *group == room() => {
                said.push((*link, what.clone()));
                false
            }
            _ => true,
        });
        said
    }

    /// Entries that many were written, and who; forgets all.
    pub fn entries(&mut self) -> Vec<(Vec<u64>, u64)> {
        let spread = std::mem::take(&mut self.spread).into_iter();
        let entry = |(sessions, packet, _)| match packet {
            ServerPacket::GroupDeliver(deliver) => Some((sessions, deliver.entry.seq)),
            _ => None,
        };
        spread.filter_map(entry).collect()
    }

    /// What a session was told alone; forgets it.
    pub fn told(&mut self, session: u64) -> Vec<ServerPacket> {
        let (of, others) = std::mem::take(&mut self.told)
            .into_iter()
            .partition(|(to, _)| *to == session);
        self.told = others;
        let of: Vec<(u64, ServerPacket)> = of;
        of.into_iter().map(|(_, packet)| packet).collect()
    }
}

fn ring(epoch: u64, members: &[&str]) -> Arc<Ring> {
    let member = |name: &&str| Member {
        shard: ShardId::new(*name).unwrap(),
        weight: 1,
    };
    Arc::new(Ring::build(Epoch(epoch), members.iter().map(member).collect()).unwrap())
}

/// Of the user of a session.
pub fn name(session: u64) -> String {
    format!("u{session}")
}

pub fn user(session: u64) -> UserId {
    UserId::new(name(session)).unwrap()
}

pub fn room() -> GroupId {
    GroupId::new("room").unwrap()
}

pub fn member() -> UserGroup {
    UserGroup {
        group: room(),
        belongs: Belongs::Member,
    }
}

pub fn head(seq: u64) -> Head {
    let place = Place { epoch: LOG, seq };
    let messages = seq;
    Head { place, messages }
}

pub fn state(seq: u64) -> GroupState {
    GroupState {
        group: room(),
        title: "Room".into(),
        entrance: Entrance::Open,
        role: Role::Member,
        members: 2,
        head: head(seq),
        read: ReadTo::default(),
        muted: None,
    }
}

pub fn deliver(seq: u64) -> GroupDeliver {
    let message = Logged::Message {
        id: MessageId::mint(seq, [7; 10]),
        body: Bytes::from_static(b"hello"),
        mentions: Vec::new(),
    };
    entry_of(seq, message)
}

pub fn change(seq: u64) -> GroupDeliver {
    entry_of(seq, Logged::Change(Action::Join))
}

fn entry_of(seq: u64, what: Logged) -> GroupDeliver {
    let entry = LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(seq),
        from: user(1),
        what,
    };
    GroupDeliver {
        group: room(),
        epoch: LOG,
        entry,
    }
}
