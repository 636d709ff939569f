//! Log-ins of one device: the later one stays, however often gateways announce
//! the earlier one before they hear where it stands.

use std::sync::Arc;

use msgd_core::store::{Claim, Mailbox, Outcome, Position, Request as Asked};
use msgd_core::{Effect, Event, Settings, Shard};
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::ids::{
    DeviceId, Epoch, GatewayId, Incarnation, LoginOrder, SessionId, ShardId, Stamp, Token, UserId,
};
use proto::link::{Announce, Batch, Down, Up};
use proto::ring::{Member, Ring};
use proto::status::Status;

const EPOCH: Epoch = Epoch(1);
const NOW: Now = Now {
    moment: Moment(1_000_000),
    wall: Stamp(1_700_000_000_000_000),
};
const SESSION: SessionId = SessionId(3);
const EARLIER: GatewayId = GatewayId(7_001);
const LATER: GatewayId = GatewayId(7_002);

/// What a gateway hears of its session.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Accepted(LoginOrder),
    Refused(Code),
    Closed(Code),
}

/// A shard of all slots, and a store that knows nobody.
struct Stage {
    shard: Shard,
    heard: Vec<(GatewayId, Word)>,
}

impl Stage {
    fn new() -> Self {
        let name = ShardId::new("m1").unwrap();
        let member = Member {
            shard: name.clone(),
            weight: 1,
        };
        let ring = Arc::new(Ring::build(EPOCH, vec![member]).unwrap());
        let shard = Shard::new(Settings::default(), name, Incarnation(4_004), ring, None);
        let heard = Vec::new();
        let mut stage = Self { shard, heard };
        let mut effects = Vec::new();
        stage.shard.start(NOW, &mut effects);
        stage.carry_out(effects);
        for gateway in [EARLIER, LATER] {
            stage.handle(Event::GatewayUp { gateway });
        }
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
                        end: Position(5),
                        latest: Vec::new(),
                        notes: false,
                        last_seen: None,
                    });
                    self.handle(Event::Store(Outcome::Opened {
                        claim,
                        user,
                        mailbox,
                    }));
                }
                Effect::Send { gateway, envelope } => {
                    let word = match envelope {
                        Down::Accepted { order, .. } => Word::Accepted(order),
                        Down::Refused { code, .. } => Word::Refused(code),
                        Down::Close { code, .. } => Word::Closed(code),
                        _ => continue,
                    };
                    self.heard.push((gateway, word));
                }
                _ => {}
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

    /// A gateway announces its session of the device; gives what is said.
    fn announced(
        &mut self,
        gateway: GatewayId,
        order: Option<LoginOrder>,
    ) -> Vec<(GatewayId, Word)> {
        let announce = Announce {
            session: SESSION,
            user: user(),
            device: DeviceId::new("phone").unwrap(),
            window_messages: 8,
            window_bytes: 4_096,
            friends_hash: None,
            status: Status::online(),
            status_since: NOW.wall,
            order,
            since: NOW.wall,
            again: order.is_some(),
        };
        self.comes(gateway, Up::Announce(Box::new(announce)));
        std::mem::take(&mut self.heard)
    }

    /// The session is accepted; gives where it stands.
    fn logs_in(&mut self, gateway: GatewayId, order: Option<LoginOrder>) -> LoginOrder {
        match self.announced(gateway, order)[..] {
            [.., (to, Word::Accepted(order))] if to == gateway => order,
            ref heard => panic!("{heard:?}"),
        }
    }

    fn is_gone(&mut self, gateway: GatewayId) {
        let gone = Up::Gone {
            session: SESSION,
            user: user(),
            lost: true,
        };
        self.comes(gateway, gone);
    }
}

fn user() -> UserId {
    UserId::new("ann").unwrap()
}

const REFUSED: [(GatewayId, Word); 1] = [(EARLIER, Word::Refused(Code::Replaced))];

#[test]
fn who_was_replaced_stays_so_until_its_gateway_has_heard_it() {
    let mut stage = Stage::new();
    let former = stage.logs_in(EARLIER, None);
    let heard = stage.announced(LATER, None);
    let [
        (EARLIER, Word::Closed(Code::Replaced)),
        (LATER, Word::Accepted(order)),
    ] = heard[..]
    else {
        panic!("{heard:?}");
    };
    assert!(order > former);
    // Announced again, for a link that came up, before it heard of either.
    assert_eq!(stage.announced(EARLIER, None), REFUSED);
    assert_eq!(stage.announced(EARLIER, None), REFUSED, "as often as it is");
    assert_eq!(stage.announced(EARLIER, Some(former)), REFUSED);
    assert!(stage.logs_in(LATER, None) > former);
    // A gateway's later log-in has another number, this one never comes again;
    // here it shows that what is over is forgotten.
    stage.is_gone(EARLIER);
    stage.logs_in(EARLIER, None);
}

#[test]
fn who_was_replaced_comes_again_when_the_later_one_has_gone() {
    let mut stage = Stage::new();
    let former = stage.logs_in(EARLIER, None);
    stage.logs_in(LATER, None);
    stage.is_gone(LATER);
    assert_eq!(stage.logs_in(EARLIER, None), former, "where it stood");
}
