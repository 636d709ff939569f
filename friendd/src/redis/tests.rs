//! Changes of two lists that somebody has left half done, comes late with, or
//! of which a server has forgotten a part.

mod confirmed;

use std::sync::Arc;
use std::time::Duration;

use friendd_core::event::Replacement;
use proto::friends::{FriendAction, FriendEntry, FriendList, ListVersion, Relation};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;
use redis_stage::{Cluster, Server};
use shared::{Confirm, Redis, Trust};

use super::edition::Edition;
use super::intent::{Intent, Written};
use super::lists::{Lists, Saved, Trouble};
use super::script::Scripts;
use super::service::RedisFriendd;
use super::wire::Wire;
use crate::bounds::FriendSettings;
use crate::handle::FriendHandle;

/// How far whoever made a change came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steps {
    One,
    Two,
}

/// A service over Redis, and one that leaves things half done.
struct Stage {
    whole: FriendHandle,
    lists: Lists,
}

impl Stage {
    fn new(url: &str) -> Self {
        Self::confirmed(url, None)
    }

    fn confirmed(url: &str, confirm: Option<Confirm>) -> Self {
        let settings = shared::Settings {
            address: url.parse().unwrap(),
            trust: Trust::default(),
            patience: Duration::from_secs(2),
            confirm,
        };
        let (friendd, whole) = RedisFriendd::new(&FriendSettings::default(), &settings);
        tokio::spawn(friendd.run());
        let scripts = Scripts::new();
        let (wire, carrier) = Wire::new(Redis::new(&settings, scripts.all()), 8);
        tokio::spawn(carrier.run());
        let lists = Lists::new(wire, scripts);
        Self { whole, lists }
    }

    async fn list(&self, name: &str) -> Arc<FriendList> {
        let (user, if_hash) = (user(name), None);
        match self
            .whole
            .request(GraphRequest::Get { user, if_hash })
            .await
        {
            GraphAnswer::List(list) => list,
            other => panic!("{other:?} to a question for the list of {name}"),
        }
    }

    async fn says(&self, name: &str, about: &str) -> Option<Relation> {
        relation(&*self.list(name).await, about)
    }

    async fn acts(&self, actor: &str, action: FriendAction, peer: &str) -> GraphAnswer {
        let change = Change {
            actor_version: self.list(actor).await.version(),
            peer_version: self.list(peer).await.version(),
            actor: user(actor),
            peer: user(peer),
            action,
        };
        self.whole.request(GraphRequest::Change(change)).await
    }

    /// A change by which two become friends.
    async fn befriends(&self, first: &str, second: &str) -> (Edition, Intent) {
        let [of_first, of_second] = [self.list(first).await, self.list(second).await];
        let with = |list: &FriendList, about: &str| {
            let entry = FriendEntry {
                user: user(about),
                relation: Relation::Friend,
                blocked: false,
            };
            Written::new(&Arc::new(list.with(entry).unwrap()))
        };
        let intent = Intent {
            id: fastrand::u128(..).to_be_bytes(),
            second: user(second),
            replaces: Edition::of(&of_second),
            new_first: with(&of_first, second),
            new_second: with(&of_second, first),
        };
        (Edition::of(&of_first), intent)
    }

    /// Goes as far with it as that.
    async fn goes(&self, first: &str, (replaces, intent): &(Edition, Intent), steps: Steps) {
        let first = user(first);
        let prepared = self.lists.prepare(&first, *replaces, intent).await;
        assert_eq!(prepared.unwrap(), Saved::Done);
        if steps == Steps::Two {
            let applied = self.lists.apply(&first, intent).await;
            assert_eq!(applied.unwrap(), Saved::Done);
        }
    }
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn relation(list: &FriendList, about: &str) -> Option<Relation> {
    list.find(&user(about)).map(|entry| entry.relation)
}

const FRIEND: Option<Relation> = Some(Relation::Friend);

#[tokio::test]
async fn who_reads_the_first_user_brings_a_change_to_its_end() {
    let server = Server::start();
    let cluster = Cluster::start();
    for url in [server.url(), cluster.url()] {
        let stage = Stage::new(&url);
        for (number, steps) in [Steps::One, Steps::Two].into_iter().enumerate() {
            let [ann, ben] = ["ann", "ben"].map(|name| format!("{name}-{number}"));
            let change = stage.befriends(&ann, &ben).await;
            stage.goes(&ann, &change, steps).await;
            let before = stage.says(&ben, &ann).await;
            assert_eq!(before.is_some(), steps == Steps::Two);
            assert_eq!(stage.says(&ann, &ben).await, FRIEND);
            assert_eq!(stage.says(&ben, &ann).await, FRIEND);
        }
    }
}

#[tokio::test]
async fn a_hash_that_is_still_stored_does_not_hide_what_is_pending() {
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let held = stage.list("ann").await.hash();
    let change = stage.befriends("ann", "ben").await;
    stage.goes("ann", &change, Steps::Two).await;
    let asked = GraphRequest::Get {
        user: user("ann"),
        if_hash: Some(held),
    };
    let GraphAnswer::List(list) = stage.whole.request(asked).await else {
        panic!("a list expected");
    };
    assert_eq!(relation(&list, "ben"), FRIEND);
}

#[tokio::test]
async fn who_changes_either_user_brings_a_change_to_its_end_first() {
    use FriendAction::Block;
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let cases = [
        ("ann", Steps::One),
        ("ann", Steps::Two),
        ("ben", Steps::Two),
    ];
    for (number, (actor, steps)) in cases.into_iter().enumerate() {
        let [ann, ben, actor] = ["ann", "ben", actor].map(|name| format!("{name}-{number}"));
        let change = stage.befriends(&ann, &ben).await;
        stage.goes(&ann, &change, steps).await;
        let blocked = stage.acts(&actor, Block, "zoe").await;
        assert!(
            matches!(blocked, GraphAnswer::Changed { .. }),
            "{blocked:?}"
        );
        for (one, other) in [(&ann, &ben), (&ben, &ann)] {
            assert_eq!(stage.says(one, other).await, FRIEND);
            let blocks = stage.says(one, "zoe").await;
            assert_eq!(blocks.is_some(), *one == actor);
        }
    }
}

/// Between the look at a user and the write somebody else begins a change.
#[tokio::test]
async fn nothing_is_written_where_another_change_is_pending() {
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let ann = user("ann");
    let (replaces, pending) = stage.befriends("ann", "ben").await;
    let (_, other) = stage.befriends("ann", "kim").await;
    stage.goes("ann", &(replaces, pending), Steps::One).await;
    let prepared = stage.lists.prepare(&ann, replaces, &other).await;
    assert_eq!(prepared.unwrap(), Saved::Conflict);
    let alone = Replacement {
        user: ann,
        replaces: ListVersion(0),
        list: Arc::new(FriendList::new(ListVersion(1), Vec::new()).unwrap()),
    };
    let alone = [alone];
    let saved = stage.lists.save(&alone, |_| replaces).await;
    assert_eq!(saved.unwrap(), Saved::Conflict);
    assert_eq!(stage.says("ann", "ben").await, FRIEND);
    // Nor in place of another list than it was to replace.
    let saved = stage.lists.save(&alone, |_| replaces).await;
    assert_eq!(saved.unwrap(), Saved::Conflict);
}

#[tokio::test]
async fn a_change_whose_second_list_is_another_by_now_fails_on_both_sides() {
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let change = stage.befriends("ann", "ben").await;
    stage.goes("ann", &change, Steps::One).await;
    stage.acts("ben", FriendAction::Block, "zoe").await;
    assert_eq!(stage.says("ann", "ben").await, None);
    assert_eq!(stage.says("ben", "ann").await, None);
    let pending = server.ask(&["HEXISTS", "im:friends:{ann}", "pending"]);
    assert_eq!(pending, "0");
}

#[tokio::test]
async fn changes_that_wait_for_each_other_end_from_the_last_user_on() {
    let server = Server::start();
    let cluster = Cluster::start();
    for url in [server.url(), cluster.url()] {
        let stage = Stage::new(&url);
        for (first, second) in [("ann", "ben"), ("ben", "kim"), ("kim", "lee")] {
            let change = stage.befriends(first, second).await;
            stage.goes(first, &change, Steps::One).await;
        }
        // Kim's list is another when it is done, so ben's with kim fails, and
        // leaves ben's list as ann's change wants it.
        assert_eq!(stage.says("ann", "ben").await, FRIEND);
        assert_eq!(stage.says("ben", "ann").await, FRIEND);
        assert_eq!(stage.says("ben", "kim").await, None);
        assert_eq!(stage.says("kim", "ben").await, None);
        assert_eq!(stage.says("kim", "lee").await, FRIEND);
        assert_eq!(stage.says("lee", "kim").await, FRIEND);
    }
}

/// Somebody was frozen for as long as you like, and goes on.
#[tokio::test]
async fn late_steps_do_nothing() {
    use FriendAction::Remove;
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let ann = user("ann");
    let (replaces, intent) = stage.befriends("ann", "ben").await;
    stage
        .goes("ann", &(replaces, intent.clone()), Steps::Two)
        .await;
    assert_eq!(stage.says("ann", "ben").await, FRIEND);
    stage.acts("ann", Remove, "ben").await;
    let lists = (stage.list("ann").await, stage.list("ben").await);

    let prepared = stage.lists.prepare(&ann, replaces, &intent).await;
    assert_eq!(prepared.unwrap(), Saved::Conflict);
    let applied = stage.lists.apply(&ann, &intent).await;
    assert_eq!(applied.unwrap(), Saved::Conflict);
    for applied in [Saved::Done, Saved::Conflict] {
        stage.lists.finish(&ann, &intent, applied).await.unwrap();
    }
    assert_eq!((stage.list("ann").await, stage.list("ben").await), lists);

    // Another change of the pair is not taken for the late one.
    let change = stage.befriends("ann", "ben").await;
    stage.goes("ann", &change, Steps::One).await;
    for applied in [Saved::Done, Saved::Conflict] {
        stage.lists.finish(&ann, &intent, applied).await.unwrap();
    }
    assert_eq!(stage.says("ann", "ben").await, FRIEND);
    assert_eq!(stage.says("ben", "ann").await, FRIEND);
    assert_eq!(stage.list("ben").await.version().0, lists.1.version().0 + 1);
}

/// The mark is there as long as somebody may ask for it, and no longer.
#[tokio::test]
async fn marks_go_with_their_changes() {
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let change = stage.befriends("ann", "ben").await;
    stage.goes("ann", &change, Steps::Two).await;
    let mark = || server.ask(&["HEXISTS", "im:friends:{ben}", "by:ann"]);
    assert_eq!(mark(), "1");
    let again = stage.lists.apply(&user("ann"), &change.1).await;
    assert_eq!(again.unwrap(), Saved::Done);
    stage.list("ann").await;
    // It travels behind what was answered.
    stage.list("ben").await;
    assert_eq!(mark(), "0");
}

/// One of two servers has forgotten its half.
#[tokio::test]
async fn what_a_server_forgets_holds_nobody_up() {
    use FriendAction::{Remove, Request};
    let server = Server::start();
    let stage = Stage::new(&server.url());
    // The first has forgotten what is pending: the second knows of it alone,
    // and either of them may part.
    for (number, parts) in ["ann", "ben"].into_iter().enumerate() {
        let [ann, ben, parts] = ["ann", "ben", parts].map(|name| format!("{name}-{number}"));
        let change = stage.befriends(&ann, &ben).await;
        stage.goes(&ann, &change, Steps::Two).await;
        server.ask(&["HDEL", &format!("im:friends:{{{ann}}}"), "pending"]);
        assert_eq!(stage.says(&ann, &ben).await, None);
        assert_eq!(stage.says(&ben, &ann).await, FRIEND);
        if parts == ben {
            stage.acts(&ben, Remove, &ann).await;
            assert_eq!(stage.says(&ben, &ann).await, None);
        }
        stage.acts(&ann, Request, &ben).await;
        assert_eq!(stage.says(&ann, &ben).await, Some(Relation::Requested));
        assert_eq!(stage.says(&ben, &ann).await, Some(Relation::Invited));
    }
    // The second has forgotten that it was written: it is written again, or
    // not at all if there was something before.
    for (number, knew) in [false, true].into_iter().enumerate() {
        let [kim, lee] = ["kim", "lee"].map(|name| format!("{name}-{number}"));
        if knew {
            stage.acts(&lee, FriendAction::Block, "zoe").await;
        }
        let change = stage.befriends(&kim, &lee).await;
        stage.goes(&kim, &change, Steps::Two).await;
        server.ask(&["DEL", &format!("im:friends:{{{lee}}}")]);
        let both = (!knew).then_some(Relation::Friend);
        assert_eq!(stage.says(&kim, &lee).await, both);
        assert_eq!(stage.says(&lee, &kim).await, both);
        let asked = stage.acts(&kim, Request, &lee).await;
        assert!(matches!(asked, GraphAnswer::Changed { .. }), "{asked:?}");
    }
}

/// A version is given a second time, for another list.
#[tokio::test]
async fn a_list_that_only_has_the_version_of_what_is_replaced_is_not_replaced() {
    use FriendAction::Block;
    let server = Server::start();
    let stage = Stage::new(&server.url());
    stage.acts("ben", Block, "yan").await;
    let change = stage.befriends("ann", "ben").await;
    stage.goes("ann", &change, Steps::One).await;
    server.ask(&["DEL", "im:friends:{ben}"]);
    stage.acts("ben", Block, "zoe").await;
    assert_eq!(stage.says("ann", "ben").await, None);
    assert_eq!(stage.says("ben", "zoe").await, Some(Relation::None));
}

#[tokio::test]
async fn a_change_that_cannot_be_read_concerns_its_user_alone() {
    let server = Server::start();
    let stage = Stage::new(&server.url());
    let newer = "\x02 of a newer program";
    server.ask(&["HSET", "im:friends:{ann}", "pending", newer]);
    let load = stage.lists.load(&user("ann")).await;
    assert!(matches!(load, Err(Trouble::Unreadable(_))), "{load:?}");
    let unavailable = GraphAnswer::Unavailable;
    let get = GraphRequest::Get {
        user: user("ann"),
        if_hash: None,
    };
    assert_eq!(stage.whole.request(get).await, unavailable);
    assert_eq!(stage.says("ben", "ann").await, None);
    // Nothing waits for somebody before it, whatever is written there.
    let change = stage.befriends("zoe", "ben").await;
    stage.goes("zoe", &change, Steps::One).await;
    let load = stage.lists.load(&user("zoe")).await;
    assert!(matches!(load, Err(Trouble::Unreadable(_))), "{load:?}");
}
