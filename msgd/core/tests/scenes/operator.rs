//! What an operator asks of users who need not be there.

use std::sync::Arc;

use msgd_core::store::Position;
use msgd_core::{Event, OPERATOR, Settings};
use proto::client::{ChangeFriend, EndDevice};
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::{DeviceId, GatewayId, SessionId, Stamp, UserId};
use proto::link::{Down, Relayed, Request, Up};
use proto::server::ServerPacket;
use proto::slot::Slot;

use crate::stage::{GATEWAY, Stage, user};

/// Three messages wait for everybody, and the friend service does what it is
/// asked, unless it is away.
struct Scene {
    stage: Stage,
    graph: bool,
}

impl Scene {
    /// The shard has a part of the slots, or all.
    fn serving(others: &[&str]) -> Self {
        let mut stage = Stage::serving(Settings::default(), others);
        stage.mailbox.cursor = Position(5);
        stage.mailbox.end = Position(8);
        stage.mailbox.last_seen = Some(Stamp(17));
        Self { stage, graph: true }
    }

    fn comes(&mut self, gateway: GatewayId, envelope: Up) {
        self.stage.comes(gateway, envelope);
        while let Some((ticket, request)) = self.stage.asked.pop() {
            let nobody = Arc::new(FriendList::empty());
            let answer = match request {
                _ if !self.graph => GraphAnswer::Unavailable,
                GraphRequest::Get { .. } => GraphAnswer::List(nobody),
                GraphRequest::Change(_) => GraphAnswer::Changed {
                    actor: nobody.clone(),
                    peer: nobody,
                },
            };
            self.stage.handle(Event::Graph { ticket, answer });
        }
    }

    /// What the operator hears.
    fn operate(&mut self, user: &UserId, request: Request) -> Vec<Down> {
        self.stage.sent.clear();
        let envelope = Up::Request {
            session: SessionId(9),
            user: user.clone(),
            request,
        };
        self.comes(OPERATOR, envelope);
        self.heard(OPERATOR)
    }

    fn heard(&mut self, by: GatewayId) -> Vec<Down> {
        let sent = std::mem::take(&mut self.stage.sent).into_iter();
        let heard = sent.filter(|(gateway, _)| *gateway == by);
        heard.map(|(_, envelope)| envelope).collect()
    }

    fn logs_in(&mut self, user: &UserId, device: &str) {
        let announce = self.stage.session(SessionId(3), user, device);
        self.comes(GATEWAY, Up::Announce(Box::new(announce)));
    }
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
    let mut scene = Scene::serving(&[]);
    let ann = user("ann");
    assert_eq!(scene.stage.shard.held(&ann), None);
    let request = Up::Request {
        session: SessionId(4),
        user: ann.clone(),
        request: Request::GetDevices,
    };
    scene.comes(GATEWAY, request);
    assert_eq!(
        scene.stage.shard.held(&ann),
        None,
        "a client must have come first"
    );
    let heard = scene.operate(&ann, Request::GetDevices);
    assert_eq!(packets(heard), [ServerPacket::Devices(Vec::new())]);
    let held = scene.stage.shard.held(&ann).unwrap();
    assert_eq!((held.cursor, held.end), (Position(5), Position(8)));
    assert_eq!((held.pending, held.last_seen), (0, Some(Stamp(17))));
}

#[test]
fn a_device_is_ended_and_the_operator_is_told_when_it_has_gone() {
    let mut scene = Scene::serving(&[]);
    let ann = user("ann");
    scene.logs_in(&ann, "phone");
    let found = scene.stage.shard.whereabouts(&ann).unwrap();
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
    let heard = scene.operate(&ann, end("desk"));
    assert_eq!(packets(heard), [result(Some(Code::NoDevice))]);
    let heard = scene.operate(&ann, end("phone"));
    assert_eq!(heard, []);
    let gone = Up::Gone {
        session: SessionId(3),
        user: ann.clone(),
        lost: false,
    };
    scene.comes(GATEWAY, gone);
    assert_eq!(packets(scene.heard(OPERATOR)), [result(None)]);
}

#[test]
fn a_friendship_of_this_shard_and_of_others_is_changed_by_the_peers_owner() {
    let mut scene = Scene::serving(&["m2"]);
    let names = (0..100).map(|number| user(&format!("user-{number}")));
    let (mut own, mut foreign): (Vec<UserId>, Vec<UserId>) =
        names.partition(|name| scene.stage.shard.whereabouts(name).is_some());
    let (ann, ben, cat) = (own.remove(0), own.remove(0), foreign.remove(0));
    let change = |peer: &UserId| {
        Request::ChangeFriend(ChangeFriend {
            request: 0,
            peer: peer.clone(),
            action: FriendAction::Request,
        })
    };
    let heard = scene.operate(&ann, change(&ben));
    let done = ServerPacket::FriendResult {
        request: 0,
        code: None,
    };
    assert_eq!(packets(heard), [done]);
    // Another shard has the peer: there is a way to it, by a gateway.
    scene.comes(
        OPERATOR,
        Up::Request {
            session: SessionId(9),
            user: ann,
            request: change(&cat),
        },
    );
    let acts = scene.heard(GATEWAY);
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
    let mut scene = Scene::serving(&[]);
    scene.graph = false;
    let heard = scene.operate(&user("ann"), Request::GetFriends);
    let refused = Down::Refused {
        session: SessionId(9),
        code: Code::FriendsUnavailable,
    };
    assert_eq!(heard, [refused]);
}
