//! Two daemons serve one graph in a Redis, by turns killed, frozen and started
//! again, while many change it: every list has one history, and whoever looks
//! sees both sides of a pair or neither.

mod stage;

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::friends::{FriendAction, FriendList, ListHash, ListVersion, Relation};
use proto::graph::{GraphAnswer, GraphRequest};
use redis_stage::{Server, free_port};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use stage::{Asker, Process, change, get, user};

/// Few, so that their changes meet.
const USERS: [&str; 16] = [
    "ann", "ben", "cleo", "dan", "eve", "fay", "gil", "hal", "ida", "joe", "kim", "lee", "mia",
    "ned", "ola", "pat",
];
const CHANGERS: usize = 32;
const LOOKERS: usize = 8;

/// Who has no answer after that asks something else.
const PATIENCE: Duration = Duration::from_millis(400);
/// For as long a daemon is frozen: those who wait for it have given up.
const FROZEN: Duration = Duration::from_millis(600);
/// Acknowledged changes between two faults.
const PROGRESS: usize = 500;
/// For that progress.
const LONG: Duration = Duration::from_secs(60);

const ACTIONS: [FriendAction; 8] = [
    FriendAction::Request,
    FriendAction::Request,
    FriendAction::Request,
    FriendAction::Accept,
    FriendAction::Decline,
    FriendAction::Remove,
    FriendAction::Block,
    FriendAction::Unblock,
];

/// Faults, or as many more as it takes for kills to come between the steps of
/// so many changes.
const ROUNDS: usize = 12;
const HALF_DONE: usize = 3;
const ROUNDS_MAX: usize = 90;

/// What becomes of daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed(usize),
    BothKilled,
    Frozen(usize),
}

#[tokio::test]
async fn whoever_dies_both_sides_of_a_pair_agree() {
    let server = Server::start();
    let url = server.url();
    let ports = [free_port(), free_port()];
    let mut daemons = ports.map(|port| started(&url, port));
    let history = History::default();
    let orders = Arc::new(Orders::default());
    let (told, mut acknowledged) = watch::channel(0);
    let mut people = JoinSet::new();
    for _ in 0..CHANGERS {
        people.spawn(changes(
            askers(ports),
            history.clone(),
            told.clone(),
            orders.clone(),
        ));
    }
    let mut lookers = JoinSet::new();
    for _ in 0..LOOKERS {
        lookers.spawn(looks(askers(ports), history.clone(), orders.clone()));
    }
    let mut judge = Looker::new(askers(ports), history);
    let mut half_done = 0;
    for round in 0..ROUNDS_MAX {
        if round >= ROUNDS && half_done >= HALF_DONE {
            break;
        }
        let target = *acknowledged.borrow() + PROGRESS;
        let progress = acknowledged.wait_for(|count| *count >= target);
        timeout(LONG, progress).await.expect("progress").unwrap();
        let fault = [
            Fault::BothKilled,
            Fault::Killed(round % 2),
            Fault::Frozen(round % 2),
        ][round % 3];
        match fault {
            Fault::Killed(at) => {
                ends(&mut daemons[at..=at]);
                daemons[at] = started(&url, ports[at]);
            }
            Fault::BothKilled => {
                ends(&mut daemons);
                orders.hold.store(true, Ordering::Relaxed);
                half_done += pending(&server);
                daemons = ports.map(|port| started(&url, port));
                all_agree(&mut judge).await;
                orders.hold.store(false, Ordering::Relaxed);
            }
            Fault::Frozen(at) => {
                signal(&daemons[at], "-STOP");
                sleep(FROZEN).await;
                signal(&daemons[at], "-CONT");
            }
        }
    }
    orders.stop.store(true, Ordering::Relaxed);
    people.join_all().await;
    let looks: usize = lookers.join_all().await.into_iter().sum();
    println!("{half_done} changes were half done when both were killed; {looks} looks");
    assert!(half_done >= HALF_DONE, "kills came between changes");
    assert!(looks > 100, "{looks} looks at pairs that stood still");
    all_agree(&mut judge).await;
    assert_eq!(pending(&server), 0);
}

/// Nobody changes anything by now.
async fn all_agree(judge: &mut Looker) {
    for (one, other) in pairs() {
        let look = async {
            // Who has begun before may still come to its end.
            while judge.look(one, other).await != Some(true) {}
        };
        timeout(LONG, look).await.expect("a look at a pair");
    }
}

/// What those who change the graph are told.
#[derive(Default)]
struct Orders {
    hold: AtomicBool,
    stop: AtomicBool,
}

fn started(url: &str, port: u16) -> Process {
    let listen = format!("127.0.0.1:{port}");
    // It has no use for a directory.
    let nowhere = std::path::Path::new("/dev/null");
    Process::started(nowhere, &["--store", url, "--listen", &listen])
}

/// All at once, so that none goes on with what another has begun.
fn ends(daemons: &mut [Process]) {
    for daemon in &mut *daemons {
        daemon.child.kill().unwrap();
    }
    for daemon in daemons {
        daemon.child.wait().unwrap();
    }
}

fn signal(daemon: &Process, which: &str) {
    let process = daemon.child.id().to_string();
    let sent = Command::new("kill").args([which, &process]).status();
    assert!(sent.unwrap().success());
}

/// Changes that nobody has brought to their end.
fn pending(server: &Server) -> usize {
    let asked = |name: &&&str| {
        let key = format!("im:friends:{{{name}}}");
        server.ask(&["HEXISTS", &key, "pending"]) == "1"
    };
    USERS.iter().filter(asked).count()
}

fn askers(ports: [u16; 2]) -> [Asker; 2] {
    ports.map(|port| Asker::connects(([127, 0, 0, 1], port).into()))
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let others = |at: usize| USERS[at + 1..].iter().map(move |other| (USERS[at], *other));
    (0..USERS.len()).flat_map(others)
}

/// What was seen of each list, by anybody.
#[derive(Clone, Default)]
struct History(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    hashes: HashMap<(&'static str, ListVersion), ListHash>,
    newest: HashMap<&'static str, ListVersion>,
}

impl History {
    fn newest(&self, name: &str) -> ListVersion {
        let seen = self.0.lock().unwrap();
        seen.newest.get(name).copied().unwrap_or_default()
    }

    /// A list was told to somebody who had asked when `before` was the newest.
    fn saw(&self, name: &'static str, list: &FriendList, before: ListVersion) {
        assert!(list.version() >= before, "{name} went back to {list:?}");
        let mut seen = self.0.lock().unwrap();
        let known = seen.hashes.entry((name, list.version()));
        let hash = known.or_insert(list.hash());
        assert_eq!(*hash, list.hash(), "two lists of {name} are {list:?}");
        let newest = seen.newest.entry(name).or_default();
        *newest = list.version().max(*newest);
    }
}

/// Asks one of the daemons; `None` if it has no answer.
async fn ask(askers: &mut [Asker; 2], request: GraphRequest) -> Option<GraphAnswer> {
    let asker = &mut askers[fastrand::usize(..2)];
    match timeout(PATIENCE, asker.ask(request)).await {
        Ok(Ok(GraphAnswer::Unavailable)) | Err(_) => None,
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(_)) => {
            // It is not there: others go on.
            sleep(Duration::from_millis(2)).await;
            None
        }
    }
}

/// Changes the graph until it is over.
async fn changes(
    mut askers: [Asker; 2],
    history: History,
    told: watch::Sender<usize>,
    orders: Arc<Orders>,
) {
    while !orders.stop.load(Ordering::Relaxed) {
        if orders.hold.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(5)).await;
            continue;
        }
        let actor = USERS[fastrand::usize(..USERS.len())];
        let peer = USERS[fastrand::usize(..USERS.len())];
        if actor == peer {
            continue;
        }
        let action = ACTIONS[fastrand::usize(..ACTIONS.len())];
        let before = (history.newest(actor), history.newest(peer));
        let asked = change(actor, action, peer, (before.0.0, before.1.0));
        match ask(&mut askers, asked).await {
            Some(GraphAnswer::Changed {
                actor: of_actor,
                peer: of_peer,
            }) => {
                history.saw(actor, &of_actor, before.0);
                history.saw(peer, &of_peer, before.1);
                holds(actor, action, peer, &of_actor);
                told.send_modify(|count| *count += 1);
            }
            Some(GraphAnswer::Conflict {
                actor: of_actor,
                peer: of_peer,
            }) => {
                history.saw(actor, &of_actor, before.0);
                history.saw(peer, &of_peer, before.1);
            }
            Some(GraphAnswer::Refused { .. }) | None => {}
            Some(other) => panic!("{other:?} to a change"),
        }
    }
}

/// What was acknowledged is what the list says.
fn holds(actor: &str, action: FriendAction, peer: &str, list: &FriendList) {
    let entry = list.find(&user(peer));
    let relation = entry.map_or(Relation::None, |entry| entry.relation);
    let blocked = entry.is_some_and(|entry| entry.blocked);
    let is_so = match action {
        FriendAction::Request => matches!(relation, Relation::Requested | Relation::Friend),
        FriendAction::Accept => relation == Relation::Friend,
        FriendAction::Decline => relation == Relation::None,
        FriendAction::Remove => matches!(relation, Relation::None | Relation::Invited),
        FriendAction::Block => blocked,
        FriendAction::Unblock => !blocked,
    };
    assert!(is_so, "{actor} {action:?} {peer}: {list:?}");
}

/// Looks at pairs until it is over; how many stood still.
async fn looks(askers: [Asker; 2], history: History, orders: Arc<Orders>) -> usize {
    let mut looker = Looker::new(askers, history);
    let pairs: Vec<_> = pairs().collect();
    let mut count = 0;
    while !orders.stop.load(Ordering::Relaxed) {
        let (one, other) = pairs[fastrand::usize(..pairs.len())];
        let (one, other) = match fastrand::bool() {
            true => (one, other),
            false => (other, one),
        };
        count += usize::from(looker.look(one, other).await == Some(true));
    }
    count
}

struct Looker {
    askers: [Asker; 2],
    history: History,
}

impl Looker {
    fn new(askers: [Asker; 2], history: History) -> Self {
        Self { askers, history }
    }

    /// Whether the first list was the same before and after the other was
    /// looked at: then both are from one moment, and must agree.
    async fn look(&mut self, one: &'static str, other: &'static str) -> Option<bool> {
        let before = self.list(one).await?;
        let list = self.list(other).await?;
        let after = self.list(one).await?;
        if before.version() != after.version() {
            return Some(false);
        }
        let says = |list: &FriendList, about| {
            let entry = list.find(&user(about));
            entry.map_or(Relation::None, |entry| entry.relation)
        };
        let both = (says(&before, other), says(&list, one));
        use Relation::{Friend, Invited, None, Requested};
        let agree = [
            (None, None),
            (Friend, Friend),
            (Requested, Invited),
            (Invited, Requested),
        ];
        assert!(agree.contains(&both), "{one} and {other}: {both:?}");
        Some(true)
    }

    async fn list(&mut self, name: &'static str) -> Option<Arc<FriendList>> {
        let before = self.history.newest(name);
        match ask(&mut self.askers, get(name)).await? {
            GraphAnswer::List(list) => {
                self.history.saw(name, &list, before);
                Some(list)
            }
            other => panic!("{other:?} to a question for a list"),
        }
    }
}
