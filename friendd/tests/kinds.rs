//! What the friend service answers, whatever keeps the lists: the embedded
//! store, a Redis, a Cluster. Where several services may serve one graph, two
//! are asked by turns.

mod stage;

use std::sync::Arc;

use friendd::{FriendHandle, FriendSettings, Friendd, RedisFriendd};
use proto::codes::Code;
use proto::friends::{FriendAction, FriendList, ListVersion, Relation};
use proto::graph::GraphAnswer;
use redis_stage::{Cluster, Server};
use store::{Engine, Running, Settings};
use tempfile::TempDir;
use tokio::task::JoinSet;

use stage::{change, get, get_unless, redis, relation};

#[tokio::test]
async fn lists_in_the_embedded_store() {
    conforms(|| {
        let data = tempfile::tempdir().unwrap();
        let mut engine = Engine::open(data.path(), Settings::default()).unwrap();
        let settings = FriendSettings::default();
        let (friendd, friends) = Friendd::open(&settings, &mut engine).unwrap();
        tokio::spawn(friendd.run());
        Services {
            handles: vec![friends],
            _embedded: Some((engine.start().unwrap(), data)),
        }
    })
    .await;
}

#[tokio::test]
async fn lists_in_one_redis() {
    let server = Server::start();
    conforms(|| {
        server.ask(&["FLUSHALL"]);
        over_redis(&server.url())
    })
    .await;
}

#[tokio::test]
async fn lists_in_a_cluster() {
    let mut cluster = Cluster::start();
    let url = cluster.url();
    conforms(|| {
        for server in cluster.servers() {
            server.ask(&["FLUSHALL"]);
        }
        over_redis(&url)
    })
    .await;
}

/// Services over one store, which is empty.
struct Services {
    handles: Vec<FriendHandle>,
    _embedded: Option<(Running, TempDir)>,
}

fn over_redis(url: &str) -> Services {
    let started = |_| {
        let (friendd, friends) = RedisFriendd::new(&FriendSettings::default(), &redis(url));
        tokio::spawn(friendd.run());
        friends
    };
    Services {
        handles: (0..2).map(started).collect(),
        _embedded: None,
    }
}

/// Asks the services by turns.
struct Turns {
    handles: Vec<FriendHandle>,
    at: usize,
}

impl Turns {
    async fn list(&mut self, name: &str) -> Arc<FriendList> {
        match self.next().request(get(name)).await {
            GraphAnswer::List(list) => list,
            other => panic!("{other:?} to a question for the list of {name}"),
        }
    }

    async fn acts(&mut self, actor: &str, action: FriendAction, peer: &str) -> GraphAnswer {
        let versions = (self.version(actor).await, self.version(peer).await);
        self.acts_from(actor, action, peer, versions).await
    }

    async fn acts_from(
        &mut self,
        actor: &str,
        action: FriendAction,
        peer: &str,
        versions: (u64, u64),
    ) -> GraphAnswer {
        let change = change(actor, action, peer, versions);
        self.next().request(change).await
    }

    async fn version(&mut self, name: &str) -> u64 {
        self.list(name).await.version().0
    }

    /// What each says of the other.
    async fn pair(&mut self, one: &str, other: &str) -> String {
        let mut sides = Vec::new();
        for (of, about) in [(one, other), (other, one)] {
            let list = self.list(of).await;
            let entry = list.find(&stage::user(about));
            let side = entry.map(|entry| match entry.blocked {
                true => format!("{:?} blocked", entry.relation),
                false => format!("{:?}", entry.relation),
            });
            sides.push(side.unwrap_or_else(|| "nothing".to_owned()));
        }
        sides.join(", ")
    }

    fn next(&mut self) -> &FriendHandle {
        self.at += 1;
        &self.handles[self.at % self.handles.len()]
    }
}

/// Plays every scene, each on a store that is empty.
async fn conforms(mut fresh: impl FnMut() -> Services) {
    for turn in 0..2 {
        let turns = |services: &Services| Turns {
            handles: services.handles.clone(),
            at: turn,
        };
        let services = fresh();
        who_is_unknown_has_the_empty_list(&mut turns(&services)).await;
        let services = fresh();
        two_become_friends_and_part(&mut turns(&services)).await;
        let services = fresh();
        a_block_is_the_actor_s_alone(&mut turns(&services)).await;
        let services = fresh();
        what_is_not_allowed_is_refused(&mut turns(&services)).await;
        let services = fresh();
        an_old_version_changes_nothing(&mut turns(&services)).await;
        let services = fresh();
        what_is_done_again_is_done(&mut turns(&services)).await;
        let services = fresh();
        of_changes_from_one_version_one_wins(turns(&services).handles).await;
    }
}

async fn who_is_unknown_has_the_empty_list(friends: &mut Turns) {
    let list = friends.list("ann").await;
    assert_eq!(*list, FriendList::empty());
    let answer = friends.next().request(get_unless("ann", list.hash())).await;
    let version = ListVersion(0);
    assert_eq!(answer, GraphAnswer::NotModified { version });
}

async fn two_become_friends_and_part(friends: &mut Turns) {
    use FriendAction::{Accept, Decline, Remove, Request};
    // Either is the first in the order of users.
    for (one, other) in [("ann", "ben"), ("zoe", "kim")] {
        for (actor, action, peer, both) in [
            (one, Request, other, "Requested, Invited"),
            (other, Decline, one, "nothing, nothing"),
            (one, Request, other, "Requested, Invited"),
            (other, Accept, one, "Friend, Friend"),
            (one, Remove, other, "nothing, nothing"),
            (other, Request, one, "Invited, Requested"),
            (one, Request, other, "Friend, Friend"),
        ] {
            let before = (friends.version(actor).await, friends.version(peer).await);
            let answer = friends.acts(actor, action, peer).await;
            let GraphAnswer::Changed { actor, peer } = answer else {
                panic!("{answer:?} to {actor} {action:?} {peer}");
            };
            let after = (actor.version().0, peer.version().0);
            assert_eq!(after, (before.0 + 1, before.1 + 1));
            assert_eq!(friends.pair(one, other).await, both);
        }
        let list = friends.list(one).await;
        let asked = get_unless(one, list.hash());
        let version = list.version();
        let answer = friends.next().request(asked).await;
        assert_eq!(answer, GraphAnswer::NotModified { version });
    }
}

async fn a_block_is_the_actor_s_alone(friends: &mut Turns) {
    use FriendAction::{Accept, Block, Request, Unblock};
    friends.acts("ann", Request, "ben").await;
    friends.acts("ben", Accept, "ann").await;
    let held = friends.list("ben").await;
    friends.acts("ben", Block, "ann").await;
    let pair = friends.pair("ann", "ben").await;
    assert_eq!(pair, "Friend, Friend blocked");
    // An old hash does not hide it.
    let asked = get_unless("ben", held.hash());
    let answer = friends.next().request(asked).await;
    assert!(matches!(&answer, GraphAnswer::List(_)), "{answer:?}");
    // What is so already is said of what is stored, not of what was.
    friends.acts("ben", Unblock, "ann").await;
    assert_eq!(friends.pair("ann", "ben").await, "Friend, Friend");
    friends.acts("ben", Block, "ann").await;
    let pair = friends.pair("ann", "ben").await;
    assert_eq!(pair, "Friend, Friend blocked");
    let versions = (friends.version("ann").await, friends.version("ben").await);
    assert_eq!(versions, (2, 5));
}

async fn what_is_not_allowed_is_refused(friends: &mut Turns) {
    use FriendAction::{Accept, Block, Request};
    let refused = |code| GraphAnswer::Refused { code };
    let answer = friends.acts("ann", Accept, "ben").await;
    assert_eq!(answer, refused(Code::NoRequest));
    let answer = friends.acts("ann", Request, "ann").await;
    assert_eq!(answer, refused(Code::OwnSelf));
    friends.acts("ben", Block, "ann").await;
    let answer = friends.acts("ann", Request, "ben").await;
    assert_eq!(answer, refused(Code::Blocked));
    let pair = friends.pair("ann", "ben").await;
    assert_eq!(pair, "nothing, None blocked");
}

async fn an_old_version_changes_nothing(friends: &mut Turns) {
    use FriendAction::{Accept, Block, Request};
    friends.acts("kim", Block, "ann").await;
    friends.acts("ann", Request, "ben").await;
    let lists = (friends.list("ben").await, friends.list("ann").await);
    assert_eq!((lists.0.version().0, lists.1.version().0), (1, 1));
    for versions in [(0, 1), (1, 0), (0, 0), (1, 2)] {
        let answer = friends.acts_from("ben", Accept, "ann", versions).await;
        let (actor, peer) = lists.clone();
        assert_eq!(answer, GraphAnswer::Conflict { actor, peer });
    }
    let pair = friends.pair("ann", "ben").await;
    assert_eq!(pair, "Requested, Invited");
}

async fn what_is_done_again_is_done(friends: &mut Turns) {
    use FriendAction::{Accept, Block, Remove, Request, Unblock};
    for (actor, action, peer) in [
        ("ann", Request, "ben"),
        ("ben", Accept, "ann"),
        ("ben", Block, "ann"),
        ("ben", Unblock, "ann"),
        ("ann", Remove, "ben"),
    ] {
        let versions = (friends.version(actor).await, friends.version(peer).await);
        let first = friends.acts_from(actor, action, peer, versions).await;
        // The versions are those from before the first; a block that stands may
        // be written again.
        let again = friends.acts_from(actor, action, peer, versions).await;
        let both = [first, again].map(|answer| match answer {
            GraphAnswer::Changed { actor, peer } => (actor.hash(), peer.hash()),
            other => panic!("{other:?} to {action:?}"),
        });
        assert_eq!(both[0], both[1], "{actor} {action:?} {peer}");
    }
}

async fn of_changes_from_one_version_one_wins(handles: Vec<FriendHandle>) {
    let mut askers = JoinSet::new();
    for number in 0..16 {
        let friends = handles[number % handles.len()].clone();
        askers.spawn(async move {
            let name = format!("ann-{number}");
            let mut versions = (0, 0);
            let mut conflicts = 0;
            loop {
                let request = change(&name, FriendAction::Request, "ben", versions);
                match friends.request(request).await {
                    GraphAnswer::Changed { peer, .. } => return (peer.version().0, conflicts),
                    GraphAnswer::Conflict { actor, peer } => {
                        versions = (actor.version().0, peer.version().0);
                        conflicts += 1;
                    }
                    other => panic!("{other:?} to a request"),
                }
            }
        });
    }
    let (mut versions, conflicts): (Vec<_>, Vec<_>) = askers.join_all().await.into_iter().unzip();
    versions.sort_unstable();
    assert_eq!(versions, (1..=16).collect::<Vec<_>>());
    // Who was first knew the version; all others had to learn it.
    assert_eq!(conflicts.iter().filter(|n| **n == 0).count(), 1);
    let GraphAnswer::List(ben) = handles[0].request(get("ben")).await else {
        panic!("a list expected");
    };
    assert_eq!(ben.entries().len(), 16);
    let invited = |number| relation(&ben, &format!("ann-{number}"));
    assert!((0..16).all(|number| invited(number) == Some(Relation::Invited)));
}
