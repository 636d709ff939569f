//! Every store and the simulated one agree on whatever is asked, over restarts.

mod stage;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use msgd_core::store::{
    Claim, Letter, LogSettings, MailboxSettings, Outcome, Position, Remembered, Request, Seen,
    StoreSettings,
};
use proto::ids::{Identity, Incarnation, MessageId, Stamp, Token, UserId};
use proto::link::Message;
use proto::server::{Outcome as Fate, Receipt, ReceiptKind};
use proto::slot::Slot;
use redis_stage::Server;
use sim::store::Store;
use stage::Embedded;
use stage::chance::Chance;
use stage::groups::{self, Written};
use stage::redis::{InRedis, asking};
use store_suite::Carries;

const SETTINGS: StoreSettings = StoreSettings {
    mailbox: MailboxSettings {
        messages_max: 40,
        bytes_max: 4_000,
        age_max: Duration::from_micros(2_000),
    },
    log: LogSettings {
        log_max: 30,
        keep: Duration::from_micros(2_000),
    },
};
const USERS: [&str; 6] = ["a", "ab", "b", "dora", "emil", "carl"];
const REQUESTS: u64 = 8_000;

/// One after the other: a process that is started while a data directory is
/// open has its lock for a moment.
#[test]
fn all_stores_tell_the_same() {
    the_embedded_store_agrees();
    the_store_in_redis_agrees();
}

fn the_embedded_store_agrees() {
    for seed in [1, 2, 3] {
        let directory = tempfile::tempdir().unwrap();
        agree(seed, |former: Option<Embedded>, _| {
            if let Some(former) = former {
                former.stop();
            }
            Embedded::open(directory.path(), SETTINGS)
        });
    }
}

fn the_store_in_redis_agrees() {
    let server = Server::start();
    for seed in [1, 2, 3] {
        server.ask(&["FLUSHALL"]);
        agree(seed, |former: Option<InRedis>, shard| {
            if let Some(mut former) = former {
                former.incarnation_died(shard);
            }
            InRedis::new(&server.url(), SETTINGS, asking(&server))
        });
    }
}

/// `restart` gives a store on what the former left, whose shard it is told.
fn agree<S: Carries>(seed: u64, mut restart: impl FnMut(Option<S>, Incarnation) -> S) {
    println!("seed {seed}");
    let mut script = Script::new(seed);
    let mut tested = restart(None, script.shard);
    let mut simulated = Store::new(SETTINGS);
    for step in 0..REQUESTS {
        if script.chance.one_in(400) {
            tested = restart(Some(tested), script.shard);
            simulated.incarnation_died(script.shard);
            script.restarts();
            // The time is forgotten by the one, not by the other.
            let shard = script.shard;
            let stamp = Stamp(script.time);
            let steady = true;
            let alive = Request::Alive {
                shard,
                stamp,
                steady,
            };
            tested.carry_out(alive.clone());
            simulated.execute(alive);
        }
        let (ours, theirs) = script.request();
        let told = tested.carry_out(ours.clone());
        let expected = simulated.execute(theirs);
        script.learns(&told, &expected);
        let told: Vec<_> = told
            .into_iter()
            .map(|told| sorted(script.translate(told)))
            .collect();
        let expected: Vec<_> = expected.into_iter().map(sorted).collect();
        assert_eq!(told, expected, "step {step}: {ours:?}");
    }
}

/// Receipts have no order.
fn sorted(mut outcome: Outcome) -> Outcome {
    if let Outcome::Notes { receipts, .. } = &mut outcome {
        receipts.sort_by_key(|receipt| {
            let is_read = receipt.kind == ReceiptKind::Read;
            (receipt.peer.clone(), is_read)
        });
    }
    outcome
}

/// What is asked, and what was told of claims.
struct Script {
    chance: Chance,
    time: u64,
    shard: Incarnation,
    /// By slot: the token in the store under test and in the simulated one.
    /// Those of released slots stay: they are to be refused.
    tokens: BTreeMap<Slot, (Token, Token)>,
    /// Where the last append to each mailbox began.
    last: BTreeMap<UserId, u64>,
    groups: Written,
}

impl Script {
    fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            time: 1_000_000,
            shard: Incarnation(1),
            tokens: BTreeMap::new(),
            last: BTreeMap::new(),
            groups: Written::default(),
        }
    }

    fn restarts(&mut self) {
        self.shard.0 += 1;
        self.tokens.clear();
    }

    fn learns(&mut self, told: &[Outcome], expected: &[Outcome]) {
        for both in told.iter().zip(expected) {
            if let (Outcome::Claimed { claim: ours, .. }, Outcome::Claimed { claim: theirs, .. }) =
                both
            {
                let tokens = (ours.token, theirs.token);
                self.tokens.insert(ours.slot, tokens);
            }
            self.groups.learns(both.1);
            if let Outcome::Appended { user, first, .. } = both.1 {
                self.last.insert(user.clone(), first.0);
            }
        }
    }

    /// The same request for the store under test and for the simulated one.
    fn request(&mut self) -> (Request, Request) {
        self.time += self.chance.below(20);
        let user = UserId::new(USERS[self.chance.below(6) as usize]).unwrap();
        let of_group = self.chance.below(100) < 45;
        let group = groups::group(&mut self.chance);
        let slot = match of_group {
            true => Slot::of_group(&group),
            false => Slot::of(&user),
        };
        let Some(&(ours, theirs)) = self.tokens.get(&slot) else {
            let slots = vec![slot];
            let shard = self.shard;
            let claim = Request::Claim { slots, shard };
            return (claim.clone(), claim);
        };
        let claim = Claim { slot, token: ours };
        let request = match of_group {
            true => {
                let (chance, time) = (&mut self.chance, self.time);
                self.groups.request(chance, claim, group, time)
            }
            false => self.claimed(claim, user),
        };
        let mut translated = request.clone();
        set_token(&mut translated, theirs);
        (request, translated)
    }

    fn claimed(&mut self, claim: Claim, user: UserId) -> Request {
        match self.chance.below(100) {
            0..5 => Request::KeepGroups {
                claim,
                user,
                groups: groups::kept(&mut self.chance),
            },
            5..40 => Request::Append {
                claim,
                behind: self.position(&user),
                messages: self.messages(&user),
                user,
            },
            40..55 => Request::Read {
                claim,
                reader: self.time,
                from: self.position(&user),
                user,
                count_max: self.chance.below(30) as usize,
                bytes_max: self.chance.below(2_000) as usize,
            },
            55..80 => Request::Advance {
                claim,
                cursor: self.position(&user),
                user,
            },
            80..88 => Request::Open {
                claim,
                user,
                since: Stamp(self.time - self.chance.below(1_000)),
            },
            88..91 => Request::Note {
                claim,
                user,
                receipt: Receipt {
                    peer: UserId::new(USERS[self.chance.below(6) as usize]).unwrap(),
                    kind: match self.chance.one_in(2) {
                        true => ReceiptKind::Read,
                        false => ReceiptKind::Delivered,
                    },
                    up_to: Stamp(self.chance.below(100)),
                },
            },
            91..93 => Request::TakeNotes { claim, user },
            93..95 => Request::Seen {
                claim,
                user,
                seen: match self.chance.one_in(2) {
                    true => Seen::Here(self.shard),
                    false => Seen::At(Stamp(self.time)),
                },
            },
            95..97 => Request::Alive {
                shard: self.shard,
                stamp: Stamp(self.time),
                steady: true,
            },
            97..98 => Request::Claim {
                slots: vec![claim.slot],
                shard: self.shard,
            },
            _ => Request::Release {
                claim,
                recent: vec![Remembered {
                    to: user.clone(),
                    identity: Identity {
                        from: user,
                        id: MessageId::mint(self.time, [1; 10]),
                    },
                    stamp: Stamp(self.time),
                    fingerprint: 9,
                    fate: Fate::Stored,
                }],
            },
        }
    }

    /// Mostly in the mailbox.
    fn position(&mut self, user: &UserId) -> Position {
        let last = self.last.get(user).copied().unwrap_or(0);
        Position((last + 10).saturating_sub(self.chance.below(50)))
    }

    fn messages(&mut self, to: &UserId) -> Vec<Letter> {
        (0..self.chance.below(8))
            .map(|number| Letter {
                message: Message {
                    from: UserId::new("carl").unwrap(),
                    id: MessageId::mint(self.time, [number as u8; 10]),
                    to: to.clone(),
                    stamp: Stamp(self.time - self.chance.below(50)),
                    body: Bytes::from(vec![7; self.chance.below(300) as usize]),
                },
                fingerprint: self.time,
            })
            .collect()
    }

    /// An outcome of the store under test with the simulated one's token.
    fn translate(&self, mut outcome: Outcome) -> Outcome {
        match &mut outcome {
            Outcome::Claimed { claim, .. }
            | Outcome::Opened { claim, .. }
            | Outcome::Appended { claim, .. }
            | Outcome::AppendFailed { claim, .. }
            | Outcome::Read { claim, .. }
            | Outcome::Advanced { claim, .. }
            | Outcome::Notes { claim, .. }
            | Outcome::ReleaseFailed { claim, .. }
            | Outcome::GroupsKept { claim, .. }
            | Outcome::GroupOpened { claim, .. }
            | Outcome::GroupWritten { claim, .. }
            | Outcome::LogRead { claim, .. }
            | Outcome::Refused { claim } => claim.token = self.tokens[&claim.slot].1,
            Outcome::Held { .. } | Outcome::ClaimFailed { .. } => {}
        }
        outcome
    }
}

fn set_token(request: &mut Request, token: Token) {
    match request {
        Request::Claim { .. } | Request::Alive { .. } => {}
        Request::Release { claim, .. }
        | Request::Open { claim, .. }
        | Request::Append { claim, .. }
        | Request::Read { claim, .. }
        | Request::Advance { claim, .. }
        | Request::Note { claim, .. }
        | Request::TakeNotes { claim, .. }
        | Request::Seen { claim, .. }
        | Request::KeepGroups { claim, .. }
        | Request::OpenGroup { claim, .. }
        | Request::WriteGroup { claim, .. }
        | Request::EndGroup { claim, .. }
        | Request::ReadLog { claim, .. } => claim.token = token,
    }
}
