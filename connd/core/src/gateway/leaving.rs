//! The gateway is about to stop: clients are asked to move to another one.
//!
//! It serves as before. Who does not move is closed by
//! [`Event::Stopping`](crate::Event::Stopping).

use proto::ids::SessionId;
use proto::server::{Goaway, ServerPacket};

use super::{Gateway, write};
use crate::effect::Effect;
use crate::session::State;
use crate::settings::Leaving;

impl Gateway {
    /// Who has its log-in answer is told now, everybody else right after it.
    pub(super) fn leaving(&mut self, leaving: Leaving, out: &mut Vec<Effect>) {
        if self.leaving.replace(leaving).is_some() {
            return;
        }
        let greeted = |(session, entry): (&SessionId, &crate::session::Session)| {
            matches!(&entry.state, State::Live(live) if live.greeted).then_some(*session)
        };
        let told: Vec<SessionId> = self.sessions.iter().filter_map(greeted).collect();
        for session in told {
            self.tell_to_go(session, out);
        }
    }

    /// Asks a client to move, if the gateway is leaving.
    pub(super) fn tell_to_go(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        let Some(leaving) = self.leaving else {
            return;
        };
        self.counters.asked_to_move += 1;
        // Both are a few minutes at most.
        let goaway = Goaway {
            after_ms: leaving.after.as_millis() as u32,
            spread_ms: leaving.spread.as_millis() as u32,
        };
        write(session, ServerPacket::Goaway(goaway), out);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;
    use std::time::Duration;

    use proto::client::{ClientPacket, Login};
    use proto::clock::{Moment, Now};
    use proto::codes::Code;
    use proto::ids::{DeviceId, Epoch, LoginOrder, ShardId, Stamp, Token, UserId};
    use proto::limits::VERSION;
    use proto::link::{Batch, Down};
    use proto::ring::{Member, Ring};
    use proto::status::Status;

    use super::*;
    use crate::event::{Claims, Event};
    use crate::settings::Settings;

    const NOW: Now = Now {
        moment: Moment(5_000_000),
        wall: Stamp(1_795_000_000_000_000),
    };

    const LEAVING: Leaving = Leaving {
        after: Duration::from_millis(20),
        spread: Duration::from_secs(3),
    };

    const ASKED: ServerPacket = ServerPacket::Goaway(Goaway {
        after_ms: 20,
        spread_ms: 3_000,
    });

    /// A gateway of one shard, whose link is up.
    struct Stage {
        gateway: Gateway,
        shard: ShardId,
    }

    impl Stage {
        fn new() -> Self {
            let shard = ShardId::new("a").unwrap();
            let member = Member {
                shard: shard.clone(),
                weight: 1,
            };
            let ring = Ring::build(Epoch(1), vec![member]).unwrap();
            let gateway = Gateway::new(Settings::default(), Arc::new(ring));
            let mut stage = Self { gateway, shard };
            let shard = stage.shard.clone();
            stage.happens(Event::LinkUp { shard });
            stage
        }

        /// What was written to whom, and who is closed.
        fn happens(&mut self, event: Event) -> (Vec<(u64, ServerPacket)>, Vec<u64>) {
            let mut effects = Vec::new();
            self.gateway.handle(NOW, event, &mut effects);
            self.gateway.check_invariants();
            let mut written = Vec::new();
            let mut closed = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Write { session, packet }
                    | Effect::Offer { session, packet }
                    | Effect::Gather { session, packet } => {
                        written.push((session.0, packet));
                    }
                    Effect::Close { session } => closed.push(session.0),
                    Effect::Spread { .. }
                    | Effect::SpreadLater { .. }
                    | Effect::Hold { .. }
                    | Effect::Authenticate { .. }
                    | Effect::Forward { .. } => {}
                }
            }
            (written, closed)
        }

        /// Connected, its token checked, announced to its shard.
        fn comes(&mut self, number: u64) {
            let session = SessionId(number);
            let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            self.happens(Event::Opened { session, address });
            let user = UserId::new(format!("u{number}")).unwrap();
            let login = Login {
                version_min: VERSION,
                version_max: VERSION,
                features: 0,
                token: String::new(),
                user: Some(user.clone()),
                device: Some(DeviceId::new("phone").unwrap()),
                friends_hash: None,
                heartbeat_ms: 0,
                status: Some(Status::online()),
            };
            let packet = Ok(ClientPacket::Login(Box::new(login)));
            self.happens(Event::Received { session, packet });
            let claims = Ok(Claims {
                user,
                device: None,
                expires: None,
            });
            self.happens(Event::Authenticated { session, claims });
        }

        /// Its shard knows it; gives what it is told then.
        fn is_greeted(&mut self, number: u64) -> Vec<ServerPacket> {
            let link = self.gateway.link(&self.shard);
            let accepted = Down::Accepted {
                session: SessionId(number),
                token: Token(1),
                order: LoginOrder {
                    token: Token(1),
                    number,
                },
                groups: Vec::new(),
            };
            let batch = Batch {
                epoch: Epoch(1),
                envelopes: vec![accepted],
            };
            let (written, _) = self.happens(Event::Arrived { link, batch });
            assert!(written.iter().all(|(session, _)| *session == number));
            written.into_iter().map(|(_, packet)| packet).collect()
        }
    }

    #[test]
    fn each_client_is_asked_once_when_it_is_greeted_and_served_until_the_stop() {
        let mut stage = Stage::new();
        for number in 1..=4 {
            stage.comes(number);
        }
        for number in [1, 2] {
            assert_eq!(stage.is_greeted(number).len(), 1);
        }
        let leaving = Event::Leaving(LEAVING);
        let (written, closed) = stage.happens(leaving);
        assert_eq!(written, [(1, ASKED), (2, ASKED)]);
        assert_eq!(closed, []);
        let again = Event::Leaving(LEAVING);
        assert_eq!(stage.happens(again), (vec![], vec![]), "each only once");
        // Who is greeted later is asked right after the answer to its log-in.
        let told = stage.is_greeted(3);
        assert!(matches!(told[0], ServerPacket::LoginOk(_)), "{told:?}");
        assert_eq!(told[1..], [ASKED]);
        assert_eq!(stage.is_greeted(3), []);
        // It is served as before, and may go whenever it likes.
        let session = SessionId(1);
        let packet = Ok(ClientPacket::Ping);
        let (written, _) = stage.happens(Event::Received { session, packet });
        assert_eq!(written, [(1, ServerPacket::Pong)]);
        stage.happens(Event::Closed { session });
        assert_eq!(stage.gateway.counters().asked_to_move, 3);
        // Who is left is closed, greeted or not.
        let (written, mut closed) = stage.happens(Event::Stopping);
        closed.sort_unstable();
        assert_eq!(closed, [2, 3, 4]);
        assert!(written.iter().all(|(_, packet)| matches!(
            packet, ServerPacket::Closing(closing) if closing.code == Code::Stopping
        )));
        assert_eq!(stage.gateway.sessions(), 0);
    }
}
