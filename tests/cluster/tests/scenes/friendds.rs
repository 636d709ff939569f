//! Two friend services over one Redis: one of them dies or freezes while people
//! befriend, block and write, and nobody notices; and what a shard's death
//! costs them.

use std::time::{Duration, Instant};

use client::{Client, Code, Event, Events, Relation, UserId};
use cluster::admin;
use cluster::leased::{LEASE, Leased, user_of};
use cluster::patience::{until, within};
use cluster::person::{Person, befriend, settings};
use proto::slot::Slot;
use registry::view::View;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pairs that change the graph.
const PAIRS: usize = 6;

/// How often each pair goes round while something happens to a service. All
/// rounds together are within what a client may ask at once.
const ROUNDS: usize = 4;

/// Two who befriend, block and part, again and again.
struct Pair {
    one: Person,
    other: Person,
    /// The longest that a change has taken.
    longest: Duration,
}

impl Pair {
    /// Of two shards, and by two gateways.
    async fn comes(cluster: &Leased, view: &View, number: usize) -> Self {
        let begin = format!("pair{number}");
        let one = user_of(view, "a", &begin);
        let other = user_of(view, "b", &begin);
        let (one, other) = match number % 2 {
            0 => (one, other),
            _ => (other, one),
        };
        let [left, right] = [0, 1].map(|at| cluster.connds[at].address());
        Self {
            one: Person::comes(&left, one.as_str(), "phone").await,
            other: Person::comes(&right, other.as_str(), "phone").await,
            longest: Duration::ZERO,
        }
    }

    /// All changes that there are; each must be done, and hold at once.
    async fn goes_round(&mut self) {
        let (one, other) = (&self.one, &self.other);
        let begun = Instant::now();
        befriend(one, other).await;
        one.tells(&other.user, "friends").await;
        other.client.block(&one.user).await.expect("blocked");
        one.is_refused(&other.user, "blocked", Code::Blocked).await;
        other.client.unblock(&one.user).await.expect("unblocked");
        one.tells(&other.user, "not any more").await;
        one.client.remove(&other.user).await.expect("removed");
        self.longest = self.longest.max(begun.elapsed());
        is_rid_of(one, &other.user).await;
        is_rid_of(other, &one.user).await;
    }
}

/// Waits until the newest list says nothing of a user.
async fn is_rid_of(person: &Person, about: &UserId) {
    person
        .hears("the end of a friendship", |events| {
            let newest = events.iter().rev().find_map(|event| match event {
                Event::Friends(list) => Some(list),
                _ => None,
            })?;
            let entry = newest.find(about);
            let is_over = entry.is_none_or(|entry| entry.relation == Relation::None);
            is_over.then_some(())
        })
        .await;
}

/// Everybody goes round, and in the middle of it something happens.
async fn all_go_round(pairs: Vec<Pair>, something: impl Future<Output = ()>) -> Vec<Pair> {
    let mut rounds = JoinSet::new();
    let (gone, mut round) = watch::channel(0);
    for mut pair in pairs {
        let gone = gone.clone();
        rounds.spawn(async move {
            pair.longest = Duration::ZERO;
            for _ in 0..ROUNDS {
                pair.goes_round().await;
                gone.send_modify(|rounds| *rounds += 1);
            }
            pair
        });
    }
    let waited = within("the first rounds", round.wait_for(|gone| *gone >= PAIRS)).await;
    drop(waited.expect("rounds are gone"));
    something.await;
    let pairs = within("all rounds", rounds.join_all()).await;
    let longest = pairs.iter().map(|pair| pair.longest).max();
    println!("the longest round took {longest:?}");
    pairs
}

#[tokio::test]
async fn one_of_two_friend_services_dies_and_freezes_and_nobody_notices() {
    let mut cluster = Leased::start(&["a", "b"]).await;
    let view = cluster.ring_of(&["a", "b"]).await;
    cluster.all_know(&view, &[]).await;
    let mut pairs = Vec::new();
    for number in 0..PAIRS {
        pairs.push(Pair::comes(&cluster, &view, number).await);
    }
    pairs = all_go_round(pairs, async {}).await;
    for at in [0, 1] {
        let asked = "im_friendd_list_requests_total";
        let before = admin::figure(cluster.friendds[at].admin(), asked).await;
        assert!(before.is_some_and(|before| before > 0), "both are asked");
        let friendd = &mut cluster.friendds[at];
        pairs = all_go_round(pairs, async { friendd.kill() }).await;
        cluster.friendds[at].start_again().await;
        // It is asked again, by itself: for the lists of who comes.
        let again = cluster.friendds[at].admin();
        for number in 0.. {
            if admin::figure(again, asked)
                .await
                .is_some_and(|asked| asked > 0)
            {
                break;
            }
            let name = format!("newcomer-{at}-{number}");
            let address = cluster.connds[number % 2].address();
            Person::comes(&address, &name, "phone").await.leaves().await;
        }
    }
    let friendd = &mut cluster.friendds[0];
    pairs = all_go_round(pairs, friendd.freeze()).await;
    cluster.friendds[0].thaw();
    let pairs = all_go_round(pairs, async {}).await;
    for person in pairs.iter().flat_map(|pair| [&pair.one, &pair.other]) {
        assert_eq!(person.logins(), 1);
    }
}

/// Who come back, and how many of them share a request to a friend service.
const USERS: usize = 2_000;
const SHARE: u64 = 100;

#[tokio::test]
async fn users_of_a_killed_shard_ask_for_their_lists_together() {
    let mut cluster = Leased::start(&["a", "b", "c"]).await;
    let view = cluster.ring_of(&["a", "b", "c"]).await;
    cluster.all_know(&view, &[]).await;
    let names = (0..).map(|number| format!("user-{number}"));
    let users = names.filter(|name| {
        let user: UserId = name.parse().expect("a name");
        view.ring().owner(Slot::of(&user)).as_str() == "b"
    });
    let mut clients: Vec<(Client, Events)> = Vec::new();
    for (number, user) in users.take(USERS).enumerate() {
        let address = cluster.connds[number % 2].address();
        let settings = settings(&address, &user, "phone");
        clients.push(Client::connect(settings).expect("an address"));
    }
    for (_, events) in &mut clients {
        let login = async { while !matches!(events.next().await, Some(Event::Connected(_))) {} };
        within("a log-in", login).await;
    }
    tokio::time::sleep(LEASE).await;
    let before = asked(&cluster).await;
    cluster.msgd("b").kill();
    let two = cluster.ring_of(&["a", "c"]).await;
    cluster.all_know(&two, &["msgd-b"]).await;
    // All are there again when each can be written to, and has answered.
    let end = until("all sessions at their new shards", async || {
        let mut sessions = 0;
        for name in ["a", "c"] {
            let msgd = cluster.msgd(name).admin();
            sessions += admin::figure(msgd, "im_msgd_user_sessions").await?;
        }
        (sessions >= USERS as u64).then_some(())
    });
    end.await;
    let after = asked(&cluster).await;
    let (questions, requests) = (after.0 - before.0, after.1 - before.1);
    println!("{USERS} users came back: {questions} questions in {requests} requests");
    assert!(requests * SHARE <= USERS as u64, "{requests}");
}

/// Questions for lists, and requests, of both services.
async fn asked(cluster: &Leased) -> (u64, u64) {
    let mut both = (0, 0);
    for friendd in &cluster.friendds {
        let page = admin::page(friendd.admin(), "/metrics").await;
        let page = page.expect("a page").body;
        let figure = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().parse::<u64>().ok())
        };
        both.0 += figure("im_friendd_requests_total{kind=\"get\"}").unwrap_or(0);
        both.1 += figure("im_friendd_list_requests_total").unwrap_or(0);
    }
    both
}
