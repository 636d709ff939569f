//! What an operator asks of users who need not be there.

use std::sync::Arc;

use msgd_core::store::{Claim, Mailbox, Outcome, Position, Request as Asked};
use msgd_core::{Effect, Event, OPERATOR, Settings, Shard};
use proto::client::{ChangeFriend, EndDevice};
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::{
    DeviceId, Epoch, GatewayId, Incarnation, SessionId, ShardId, Stamp, Token, UserId,
};
use proto::link::{Announce, Batch, Down, Relayed, Request, Up};
use proto::ring::{Member, Ring};
use proto::server::ServerPacket;
use proto::slot::Slot;
use proto::status::Status;

const GATEWAY: GatewayId = GatewayId(7_001);
const EPOCH: Epoch = Epoch(1);
const NOW: Now = Now {
    moment: Moment(1_000_000),
    wall: Stamp(1_700_000_000_000_000),
};

/// A shard, a store with three messages for everybody, and a friend service
/// that does what it is asked, unless it is away.
struct Stage {
    shard: Shard,
    graph: bool,
    sent: Vec<(GatewayId, Down)>,
}

impl Stage {
    /// The shard has a part of the slots, or all.
    fn serving(others: &[&str]) -> Self {
        let name = ShardId::new("m1").unwrap();
        let member = |name: &str| Member {
            shard: ShardId::new(name).unwrap(),
            weight: 1,
        };
        let members = others.iter().copied().chain(["m1"]).map(member);
        let ring = Arc::new(Ring::build(EPOCH, members.collect()).unwrap());
        let shard = Shard::new(Settings::default(), name, Incarnation(4_004), ring, None);
        let mut stage = Self {
            shard,
            graph: true,
            sent: Vec::new(),
        };
        let mut effects = Vec::new();
        stage.shard.start(NOW, &mut effects);
        stage.carry_out(effects);
        stage.handle(Event::GatewayUp { gateway: GATEWAY });
        stage
    }

    fn handle(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.shard.handle(NOW, event, &mut effects);
        self.shard.check_invariants();
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(Asked::Claim { slots, .. }) => {
                    for slot in slots {
                        let token = Token(1);
                        let claim = Claim { slot, token };
                        let recent = Vec::new();
                        self.handle(Event::Store(Outcome::Claimed { claim, recent }));
                    }
                }
                Effect::Store(Asked::Open { claim, user, .. }) => {
                    let mailbox = Some(Mailbox {
                        cursor: Position(5),
                        end: Position(8),
                        latest: Vec::new(),
                        notes: false,
                        last_seen: Some(Stamp(17)),
                    });
                    self.handle(Event::Store(Outcome::Opened {
                        claim,
                        user,
                        mailbox,
                    }));
                }
                Effect::AskGraph { ticket, request } => {
                    let nobody = Arc::new(FriendList::empty());
                    let answer = match request {
                        _ if !self.graph => GraphAnswer::Unavailable,
                        GraphRequest::Get { .. } => GraphAnswer::List(nobody),
                        GraphRequest::Change(_) => GraphAnswer::Changed {
                            actor: nobody.clone(),
                            peer: nobody,
                        },
                    };
                    self.handle(Event::Graph { ticket, answer });
                }
                Effect::Send { gateway, envelope } => self.sent.push((gateway, envelope)),
                Effect::Store(_) | Effect::Fenced | Effect::Pledged { .. } => {}
            }
        }
    }

    fn comes(&mut self, gateway: GatewayId, envelope: Up) {
        let batch = Batch {
            epoch: EPOCH,
            envelopes: vec![envelope],
        };
        self.handle(Event::Arrived { gateway, batch });
    }

    /// What the operator hears.
    fn operate(&mut self, user: &UserId, request: Request) -> Vec<Down> {
        self.sent.clear();
        let envelope = Up::Request {
            session: SessionId(9),
            user: user.clone(),
            request,
        };
        self.comes(OPERATOR, envelope);
        self.heard(OPERATOR)
    }

    fn heard(&mut self, by: GatewayId) -> Vec<Down> {
        let sent = std::mem::take(&mut self.sent).into_iter();
        let heard = sent.filter(|(gateway, _)| *gateway == by);
        heard.map(|(_, envelope)| envelope).collect()
    }

    fn logs_in(&mut self, user: &UserId, device: &str) {
        let announce = Announce {
            session: SessionId(3),
            user: user.clone(),
            device: DeviceId::new(device).unwrap(),
            window_messages: 8,
            window_bytes: 4_096,
            friends_hash: None,
            status: Status::online(),
            status_since: NOW.wall,
            order: None,
            since: NOW.wall,
            again: false,
        };
        self.comes(GATEWAY, Up::Announce(Box::new(announce)));
    }
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn packets(heard: Vec<Down>) -> Vec<ServerPacket> {
    let packet = |envelope| match envelope {
        Down::Push { sessions, packet } => {
            assert_eq!(sessions[..], [SessionId(9)]);
            *packet
        }
        other => panic!("{other:?}"),
    };
    heard.into_iter().map(packet).collect()
}

#[test]
fn who_is_not_in_memory_comes_there_for_an_operator_alone() {
    let mut stage = Stage::serving(&[]);
    let ann = user("ann");
    assert_eq!(stage.shard.held(&ann), None);
    let request = Up::Request {
        session: SessionId(4),
        user: ann.clone(),
        request: Request::GetDevices,
    };
    stage.comes(GATEWAY, request);
    assert_eq!(
        stage.shard.held(&ann),
        None,
        "a client must have come first"
    );
    let heard = stage.operate(&ann, Request::GetDevices);
    assert_eq!(packets(heard), [ServerPacket::Devices(Vec::new())]);
    let held = stage.shard.held(&ann).unwrap();
    assert_eq!((held.cursor, held.end), (Position(5), Position(8)));
    assert_eq!((held.pending, held.last_seen), (0, Some(Stamp(17))));
}

#[test]
fn a_device_is_ended_and_the_operator_is_told_when_it_has_gone() {
    let mut stage = Stage::serving(&[]);
    let ann = user("ann");
    stage.logs_in(&ann, "phone");
    let found = stage.shard.whereabouts(&ann).unwrap();
    let session = &found.known.unwrap().sessions[0];
    assert_eq!(session.device.to_string(), "phone");
    assert_eq!(session.at.gateway, GATEWAY);
    let end = |device| {
        Request::EndDevice(EndDevice {
            request: 0,
            device: DeviceId::new(device).unwrap(),
        })
    };
    let result = |code| ServerPacket::DeviceResult { request: 0, code };
    let heard = stage.operate(&ann, end("desk"));
    assert_eq!(packets(heard), [result(Some(Code::NoDevice))]);
    let heard = stage.operate(&ann, end("phone"));
    assert_eq!(heard, []);
    let gone = Up::Gone {
        session: SessionId(3),
        user: ann.clone(),
        lost: false,
    };
    stage.comes(GATEWAY, gone);
    assert_eq!(packets(stage.heard(OPERATOR)), [result(None)]);
}

#[test]
fn a_friendship_of_this_shard_and_of_others_is_changed_by_the_peers_owner() {
    let mut stage = Stage::serving(&["m2"]);
    let names = (0..100).map(|number| user(&format!("user-{number}")));
    let (mut own, mut foreign): (Vec<UserId>, Vec<UserId>) =
        names.partition(|name| stage.shard.whereabouts(name).is_some());
    let (ann, ben, cat) = (own.remove(0), own.remove(0), foreign.remove(0));
    let change = |peer: &UserId| {
        Request::ChangeFriend(ChangeFriend {
            request: 0,
            peer: peer.clone(),
            action: FriendAction::Request,
        })
    };
    let heard = stage.operate(&ann, change(&ben));
    let done = ServerPacket::FriendResult {
        request: 0,
        code: None,
    };
    assert_eq!(packets(heard), [done]);
    // Another shard has the peer: there is a way to it, by a gateway.
    stage.comes(
        OPERATOR,
        Up::Request {
            session: SessionId(9),
            user: ann,
            request: change(&cat),
        },
    );
    let acts = stage.heard(GATEWAY);
    let is_act = |envelope: &Down| match envelope {
        Down::Relay(relay) => {
            relay.slot == Slot::of(&cat) && matches!(relay.relayed, Relayed::FriendAct(_))
        }
        _ => false,
    };
    assert!(acts.iter().any(is_act), "{acts:?}");
}

#[test]
fn what_is_not_carried_out_is_told() {
    let mut stage = Stage::serving(&[]);
    stage.graph = false;
    let heard = stage.operate(&user("ann"), Request::GetFriends);
    let refused = Down::Refused {
        session: SessionId(9),
        code: Code::FriendsUnavailable,
    };
    assert_eq!(heard, [refused]);
}
