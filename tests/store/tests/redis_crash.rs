//! What of that which was told survives a `kill -9` of the server, by its
//! settings.

mod stage;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use msgd_core::store::{
    Claim, LogSettings, MailboxSettings, Outcome, Position, Request, StoreSettings,
};
use proto::ids::Incarnation;
use proto::slot::Slot;
use redis_stage::{Server, Watched};
use shared::Confirm;
use stage::letters::{append, letter, user};
use stage::redis::{Process, settings};
use stage::team::{Team, finds_team};

const SETTINGS: StoreSettings = StoreSettings {
    mailbox: MailboxSettings {
        messages_max: 10_000_000,
        bytes_max: 10_000_000_000,
        age_max: Duration::from_secs(1_000_000),
    },
    log: LogSettings {
        log_max: 10_000_000,
        keep: Duration::from_secs(1_000_000),
    },
};
const USERS: [&str; 3] = ["ann", "ben", "carl"];
/// Unacknowledged messages that a mailbox has.
const LENGTH: u64 = 60;
/// For a server to be there again.
const PATIENCE: Duration = Duration::from_secs(20);
/// `everysec` may write so late.
const EVERYSEC: Duration = Duration::from_secs(2);

fn claims(process: &Process, shard: Incarnation, name: &str) -> Claim {
    let slots = vec![Slot::of(&user(name))];
    let begun = Instant::now();
    loop {
        let slots = slots.clone();
        match &process.carry_out([Request::Claim { slots, shard }])[..] {
            [Outcome::Claimed { claim, .. }] => return *claim,
            // It connects again when a pause is over.
            [Outcome::ClaimFailed { .. }] => {
                assert!(begun.elapsed() < PATIENCE, "never claimed");
                std::thread::sleep(Duration::from_millis(20));
            }
            other => panic!("claimed expected, not {other:?}"),
        }
    }
}

/// What was told of a user's mailbox, and when.
#[derive(Debug, Default)]
struct Told {
    claim: Option<Claim>,
    /// As asked.
    end: u64,
    asked_cursor: u64,
    /// Ends, each with when it was told.
    ends: Vec<(Instant, u64)>,
    cursor: u64,
}

impl Told {
    /// The end that was told before a time.
    fn end_before(&self, time: Instant) -> u64 {
        let before = self.ends.iter().take_while(|(at, _)| *at <= time);
        before.last().map_or(1, |(_, end)| *end)
    }
}

/// What was told of users and of the group.
type Ledger = (HashMap<&'static str, Told>, Team);

/// A writer that appends and acknowledges without end.
struct Writer {
    process: Process,
    told: HashMap<&'static str, Told>,
    team: Team,
    untold: usize,
}

impl Writer {
    fn start(url: &str, confirm: Option<Confirm>) -> Self {
        let mut process = Process::start(&settings(url, confirm), SETTINGS);
        let team = Team::make(&mut process);
        let mut told = HashMap::new();
        for name in USERS {
            let claim = Some(claims(&process, Incarnation(1), name));
            let begun = Told {
                claim,
                end: 1,
                asked_cursor: 1,
                cursor: 1,
                ends: Vec::new(),
            };
            told.insert(name, begun);
        }
        Self {
            process,
            told,
            team,
            untold: 0,
        }
    }

    /// Asks for a batch, and takes outcomes until few are open.
    fn write(&mut self) {
        let mut requests = Vec::new();
        for name in USERS {
            let told = self.told.get_mut(name).unwrap();
            let claim = told.claim.unwrap();
            for count in 1..=4 {
                requests.push(append(claim, name, told.end..told.end + count));
                told.end += count;
            }
            told.asked_cursor = told.end.saturating_sub(LENGTH).max(1);
            requests.push(Request::Advance {
                claim,
                user: user(name),
                cursor: Position(told.asked_cursor),
            });
        }
        requests.extend(self.team.write());
        self.untold += requests.len();
        self.process.ask(requests);
        while self.untold > 40 {
            self.take();
        }
    }

    /// What is open when the server goes may fail.
    fn take(&mut self) {
        self.untold -= 1;
        match self.process.next() {
            Outcome::Appended {
                user, first, count, ..
            } => {
                let told = self.told.get_mut(user.as_str()).unwrap();
                told.ends.push((Instant::now(), first.0 + count as u64));
            }
            Outcome::Advanced { user, done, .. } => {
                let told = self.told.get_mut(user.as_str()).unwrap();
                if done {
                    // It was asked after the appends before it.
                    let end = told.ends.last().map_or(1, |(_, end)| *end);
                    told.cursor = told.cursor.max(end.saturating_sub(LENGTH).max(1));
                }
            }
            Outcome::GroupWritten { done, .. } => self.team.written(done),
            Outcome::AppendFailed { .. } | Outcome::Refused { .. } => {}
            other => panic!("not {other:?}"),
        }
    }

    fn finish(mut self) -> (Process, Ledger) {
        while self.untold > 0 {
            self.take();
        }
        (self.process, (self.told, self.team))
    }
}

/// All that was told by now is there, and is whole.
fn finds_all(process: &mut Process, (told, team): &Ledger) {
    let ends = finds(process, told);
    let last = team.told_before(Instant::now());
    assert!(last > 0);
    assert!(finds_team(process) >= last, "{last} was told");
    for name in USERS {
        let end = told[name].end_before(Instant::now());
        assert!(end > 1);
        assert!(ends[name] >= end, "{name}: {end} was told, {ends:?}");
    }
}

/// What is there is whole: no gap, each message at its place. The end of each.
fn finds(process: &Process, told: &HashMap<&'static str, Told>) -> HashMap<&'static str, u64> {
    let mut ends = HashMap::new();
    for name in USERS {
        let claim = claims(process, Incarnation(2), name);
        let (cursor, end) = process.bounds(claim, name);
        let told = &told[name];
        assert!(
            cursor <= told.asked_cursor,
            "{name}: {cursor} was never asked"
        );
        let outcomes = process.carry_out([Request::Read {
            claim,
            user: user(name),
            reader: 0,
            from: Position(1),
            count_max: 400,
            bytes_max: usize::MAX,
        }]);
        let [
            Outcome::Read {
                letters: Some(letters),
                ..
            },
        ] = &outcomes[..]
        else {
            panic!("read expected, not {outcomes:?}");
        };
        assert_eq!(letters.len() as u64, end - cursor, "{name}");
        for (number, (position, found)) in (cursor..end).zip(letters) {
            assert_eq!(
                (position.0, found),
                (number, &letter(name, number)),
                "{name}"
            );
        }
        ends.insert(name, end);
    }
    ends
}

fn with_log(fsync: &str) -> Server {
    Server::start_with(&["--appendonly", "yes", "--appendfsync", fsync])
}

#[test]
fn with_fsync_always_what_was_told_survives() {
    let mut server = with_log("always");
    for round in 1..=3 {
        server.ask(&["FLUSHALL"]);
        let mut writer = Writer::start(&server.url(), None);
        for _ in 0..round * 25 {
            writer.write();
        }
        server.kill();
        let (_, told) = writer.finish();
        server.restart();
        let mut process = Process::start(&settings(&server.url(), None), SETTINGS);
        finds_all(&mut process, &told);
    }
}

#[test]
fn with_fsync_everysec_what_was_told_two_seconds_ago_survives() {
    let mut server = with_log("everysec");
    let mut writer = Writer::start(&server.url(), None);
    let begun = Instant::now();
    while begun.elapsed() < EVERYSEC + Duration::from_secs(1) {
        writer.write();
    }
    let killed = Instant::now();
    server.kill();
    let (_, (told, team)) = writer.finish();
    server.restart();
    let mut process = Process::start(&settings(&server.url(), None), SETTINGS);
    let last = team.told_before(killed - EVERYSEC);
    assert!(last > 0 && finds_team(&mut process) >= last, "{last}");
    let ends = finds(&process, &told);
    for name in USERS {
        let end = told[name].end_before(killed - EVERYSEC);
        assert!(end > 1);
        assert!(ends[name] >= end, "{name}: {end} was told, {ends:?}");
    }
}

#[test]
fn without_a_log_all_goes_and_the_store_goes_on() {
    let mut server = Server::start();
    let mut writer = Writer::start(&server.url(), None);
    writer.write();
    server.kill();
    let (process, (told, _)) = writer.finish();
    server.restart();
    // The claims are gone with the rest: who held them is told so.
    let old = told["ann"].claim.unwrap();
    let begun = Instant::now();
    loop {
        let request = append(old, "ann", 1..2);
        match &process.carry_out([request])[..] {
            // Once it may be told unasked.
            [Outcome::Refused { claim }, ..] => {
                assert_eq!(*claim, old);
                break;
            }
            [Outcome::AppendFailed { .. }] => {
                assert!(begun.elapsed() < PATIENCE, "never connected again");
                std::thread::sleep(Duration::from_millis(20));
            }
            other => panic!("refused expected, not {other:?}"),
        }
    }
    let claim = claims(&process, Incarnation(1), "ann");
    assert!(claim.token > old.token, "the clock goes on");
    assert_eq!(process.bounds(claim, "ann"), (1, 1));
}

#[test]
fn the_same_store_goes_on_where_the_server_was() {
    let mut server = with_log("always");
    let mut writer = Writer::start(&server.url(), None);
    writer.write();
    let (process, (told, _)) = writer.finish();
    server.kill();
    server.restart();
    let mut claim = told["ann"].claim.unwrap();
    let end = told["ann"].end_before(Instant::now());
    let begun = Instant::now();
    loop {
        match process.carry_out([append(claim, "ann", end..end + 1)])[..] {
            [Outcome::Appended { first, .. }] => {
                assert_eq!(first.0, end);
                break;
            }
            [Outcome::AppendFailed { .. }] => {
                assert!(begun.elapsed() < PATIENCE, "never connected again");
                std::thread::sleep(Duration::from_millis(20));
            }
            // What was claimed in the former life of the server is claimed anew.
            [Outcome::Refused { .. }, ..] => claim = claims(&process, Incarnation(1), "ann"),
            ref other => panic!("appended expected, not {other:?}"),
        }
    }
    assert_eq!(finds(&process, &told)["ann"], end + 1);
}

/// Who asks for nothing is told as well: else its users would find out one by
/// one, long after all is well.
#[test]
fn claims_of_a_former_life_are_refused_unasked() {
    let mut server = with_log("always");
    let mut writer = Writer::start(&server.url(), None);
    writer.write();
    let (mut process, ledger) = writer.finish();
    let told = &ledger.0;
    let ann = told["ann"].claim.unwrap();
    server.kill();
    server.restart();
    let end = told["ann"].end_before(Instant::now());
    // One asks, and learns that the connection is lost.
    process.ask([append(ann, "ann", end..end + 1)]);
    let begun = Instant::now();
    let held = told.values().filter_map(|told| told.claim);
    let mut held: Vec<Claim> = held.chain([ledger.1.claim]).collect();
    assert!(held.len() > 1);
    while !held.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{held:?} are not refused");
        if let Outcome::Refused { claim } = process.next() {
            held.retain(|held| *held != claim);
        }
    }
    finds_all(&mut process, &ledger);
}

#[test]
fn what_replicas_confirmed_survives_the_primary() {
    let mut watched = Watched::start();
    let confirm = Some(Confirm {
        replicas: 1,
        patience: Duration::from_secs(1),
    });
    let mut writer = Writer::start(&watched.url(), confirm);
    for _ in 0..25 {
        writer.write();
    }
    watched.first.kill();
    let (process, told) = writer.finish();
    watched.second_takes_over();
    // No replica is left to confirm anything: the new primary is read as it is.
    drop(process);
    let mut process = Process::start(&settings(&watched.url(), None), SETTINGS);
    finds_all(&mut process, &told);
}

#[test]
fn what_no_replica_confirms_is_not_told_as_stored() {
    let mut watched = Watched::start();
    let confirm = Some(Confirm {
        replicas: 1,
        patience: Duration::from_millis(200),
    });
    let process = Process::start(&settings(&watched.first.url(), confirm), SETTINGS);
    let claim = claims(&process, Incarnation(1), "ann");
    let told = process.carry_out([append(claim, "ann", 1..2)]);
    assert!(matches!(told[..], [Outcome::Appended { .. }]), "{told:?}");
    watched.second.kill();
    let told = process.carry_out([append(claim, "ann", 2..3)]);
    let user = user("ann");
    assert_eq!(told, [Outcome::AppendFailed { claim, user }]);
}
