//! An operator's hand: what `imctl` shows of a cluster, and what it changes.

use client::{Availability, Code, Relation};
use cluster::admin::{page, risen};
use cluster::balancer::Balancer;
use cluster::imctl::{imctl, obeyed};
use cluster::imd::Imd;
use cluster::leased::{Leased, user_of};
use cluster::patience::until;
use cluster::person::{Person, user};
use cluster::processes::Processes;
use serde_json::Value;

/// What `imctl --json` says.
pub async fn json(admin: &str, order: &[&str]) -> Value {
    let words = [&["--admin", admin, "--json"], order].concat();
    let said = obeyed(&words).await;
    serde_json::from_str(&said).unwrap()
}

/// The admin addresses of all processes.
pub fn admins(cluster: &Processes) -> String {
    let daemons = cluster.connds.iter().chain(&cluster.msgds);
    let daemons = daemons.chain([&cluster.friendd]);
    let addresses: Vec<String> = daemons.map(|d| d.admin().to_string()).collect();
    addresses.join(",")
}

/// How many rows a table of the status has.
fn rows(status: &Value, table: &str) -> usize {
    status[table].as_array().unwrap().len()
}

#[tokio::test]
async fn status_shows_every_part_of_imd() {
    let imd = Imd::start().await;
    let admin = imd.admin().to_string();
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let status = json(&admin, &["status"]).await;
    let counts = [
        "daemons", "gateways", "shards", "stores", "graphs", "silent",
    ];
    assert_eq!(counts.map(|table| rows(&status, table)), [1, 2, 2, 1, 1, 0]);
    assert_eq!(status["slots_served"], 16_384);
    assert_eq!(status["daemons"][0]["program"], "imd");
    assert_eq!(status["daemons"][0]["listen"], imd.address());
    assert_eq!(status["daemons"][0]["not_ready"], Value::Null);
    assert_eq!(status["stores"][0]["open"], true);
    for (table, field, count) in [
        ("gateways", "sessions", 1),
        ("gateways", "links_up", 4),
        ("shards", "sessions", 1),
        ("shards", "gateways", 4),
    ] {
        let parts = status[table].as_array().unwrap();
        let sum: u64 = parts.iter().map(|part| part[field].as_u64().unwrap()).sum();
        assert_eq!(sum, count, "{table}.{field}: {status}");
    }
    let shown = obeyed(&["--admin", &admin, "status"]).await;
    for line in [
        "imd 0.1.0",
        "shard-1",
        "16384 of 16384 slots are served",
        "on this disk, after an fsync",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    drop(ann);
}

#[tokio::test]
async fn rates_are_those_of_the_second_between_two_looks() {
    let imd = Imd::start_patient().await;
    let admin = imd.admin().to_string();
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    cluster::person::befriend(&ann, &ben).await;
    let looking = json(&admin, &["status"]);
    let chatting = async {
        loop {
            ann.tells(&ben.user, "again").await;
        }
    };
    let status = tokio::select! {
        status = looking => status,
        () = chatting => unreachable!(),
    };
    let rate = status["gateways"][0]["submitted"]["per_second"].as_f64();
    assert!(rate.unwrap() > 1.0, "{status}");
}

#[tokio::test]
async fn a_user_is_found_and_their_devices_are_logged_out() {
    let cluster = Processes::start().await;
    let admin = admins(&cluster);
    let name = cluster.user_of(0, "ann");
    let phone = Person::comes(&cluster.connds[0].address(), name.as_str(), "phone").await;
    let desk = Person::comes(&cluster.connds[1].address(), name.as_str(), "desk").await;
    let found = json(&admin, &["user", "where", name.as_str()]).await;
    assert_eq!(found["shard"], "east");
    assert_eq!(found["status"], "online");
    let devices = found["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 2, "{found}");
    for (device, connd) in [("phone", 0), ("desk", 1)] {
        let found = devices.iter().find(|found| found["device"] == device);
        let found = found.unwrap();
        assert_eq!(found["connd"], cluster.connds[connd].address());
        assert_eq!(found["address"], "127.0.0.1");
        assert_eq!(found["known"], true);
        assert_eq!(found["unanswered"], 0);
        assert!(found["since_us"].as_u64().unwrap() > 0);
    }
    let words = ["user", "kick", name.as_str(), "--device", "phone"];
    let kicked = json(&admin, &words).await;
    assert_eq!(kicked["devices"], serde_json::json!(["phone"]));
    assert_eq!(phone.closed().await, Some(Code::Ended.number()));
    let found = json(&admin, &["user", "where", name.as_str()]).await;
    assert_eq!(found["devices"].as_array().unwrap().len(), 1, "{found}");
    let text = obeyed(&["--admin", &admin, "user", "kick", name.as_str()]).await;
    assert_eq!(text, "logged out: desk\n");
    assert_eq!(desk.closed().await, Some(Code::Ended.number()));
    let said = imctl(&["--admin", &admin, "user", "kick", name.as_str()]).await;
    assert!(!said.done && said.error.contains("124"), "{said:?}");
}

#[tokio::test]
async fn a_mailbox_is_shown_of_who_is_away_and_over_a_restart() {
    let mut imd = Imd::start().await;
    let admin = imd.admin().to_string();
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = user("ben");
    obeyed(&["--admin", &admin, "friend", "add", "ann", "ben"]).await;
    for text in ["one", "two", "three"] {
        ann.leaves_word(&ben, text).await;
    }
    let stored = async |imd: &Imd| {
        let admin = imd.admin().to_string();
        json(&admin, &["user", "mailbox", "ben"]).await["stored"].clone()
    };
    assert_eq!(stored(&imd).await, 3);
    // Nobody has asked for ben since it started: imctl brings him into memory.
    imd.stop().await;
    imd.start_again().await;
    assert_eq!(stored(&imd).await, 3);
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.reads("three").await;
    until("an empty mailbox", async || {
        (stored(&imd).await == 0).then_some(())
    })
    .await;
    let shown = obeyed(&["--admin", &admin, "user", "mailbox", "ben"]).await;
    let row = shown.lines().nth(1).unwrap().split_whitespace();
    assert_eq!(row.take(3).last(), Some("0"), "{shown}");
}

#[tokio::test]
async fn friendships_are_made_and_ended_and_who_is_there_learns_it() {
    let cluster = Processes::start().await;
    let admin = admins(&cluster);
    let (east, west) = (cluster.user_of(0, "ann"), cluster.user_of(1, "ben"));
    let ann = Person::comes(&cluster.connds[0].address(), east.as_str(), "phone").await;
    let ben = Person::comes(&cluster.connds[1].address(), west.as_str(), "desk").await;
    let (a, b) = (east.as_str(), west.as_str());
    let made = obeyed(&["--admin", &admin, "friend", "add", a, b]).await;
    assert_eq!(made, format!("{a} and {b} are friends\n"));
    ann.lists(&west, Relation::Friend, false).await;
    ben.lists(&east, Relation::Friend, false).await;
    ann.sees(&west, Availability::Online).await;
    // Again is no mistake, in either name.
    obeyed(&["--admin", &admin, "friend", "add", b, a]).await;
    let list = json(&admin, &["friend", "list", a]).await;
    assert_eq!(list["entries"][0]["user"], b);
    assert_eq!(list["entries"][0]["relation"], "friend");
    obeyed(&["--admin", &admin, "friend", "remove", a, b]).await;
    ben.is_refused(&east, "still there?", Code::NotFriends)
        .await;
    let list = json(&admin, &["friend", "list", b]).await;
    assert_eq!(list["entries"], serde_json::json!([]));
    let said = imctl(&["--admin", &admin, "friend", "add", a, a]).await;
    assert!(!said.done && said.error.contains("123"), "{said:?}");
}

#[tokio::test]
async fn a_block_stands_above_an_operator() {
    let imd = Imd::start().await;
    let admin = imd.admin().to_string();
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    ann.client.block(&user("ben")).await.unwrap();
    let said = imctl(&["--admin", &admin, "friend", "add", "ben", "ann"]).await;
    assert!(!said.done && said.error.contains("102"), "{said:?}");
}

#[tokio::test]
async fn who_does_not_answer_is_named() {
    let mut cluster = Processes::start().await;
    let admin = admins(&cluster);
    let name = cluster.user_of(1, "ben");
    cluster.msgds[1].kill();
    let down = cluster.msgds[1].admin().to_string();
    let status = json(&admin, &["status"]).await;
    assert_eq!(rows(&status, "daemons"), 4);
    assert_eq!(
        status["slots_served"].as_u64().map(|n| n < 16_384),
        Some(true)
    );
    let silent = status["silent"][0].as_str().unwrap();
    assert!(silent.starts_with(&down), "{silent}");
    let said = imctl(&["--admin", &admin, "user", "where", name.as_str()]).await;
    assert!(!said.done && said.error.contains(&down), "{said:?}");
    let said = imctl(&["--admin", &down, "status"]).await;
    assert!(
        !said.done && said.error.contains("nobody answers"),
        "{said:?}"
    );
}

#[tokio::test]
async fn the_registry_names_the_daemons_and_the_ring_is_planned() {
    let cluster = Leased::start(&["a", "b", "c"]).await;
    cluster.ring_of(&["a", "b", "c"]).await;
    let url = cluster.redis.url();
    let asked = async |order: &[&str]| -> Value {
        let words = [&["--registry", url.as_str(), "--json"], order].concat();
        serde_json::from_str(&obeyed(&words).await).unwrap()
    };
    let status = asked(&["status"]).await;
    assert_eq!(rows(&status, "daemons"), 7, "{status}");
    assert_eq!(rows(&status, "graphs"), 2, "{status}");
    assert_eq!(status["slots_served"], 16_384);
    for store in status["stores"].as_array().unwrap() {
        let means = store["stored_means"].as_str().unwrap();
        assert!(means.contains("gone with it (appendonly no)"), "{store}");
        assert!(means.contains("0 must have it, 0 connected"), "{store}");
    }
    let lease = status["shards"][0]["lease_ms"].as_u64().unwrap();
    assert!((1..=3_000).contains(&lease), "{status}");
    let plan = asked(&["ring", "plan", "--add", "d"]).await;
    let moves = plan["moves"].as_array().unwrap();
    assert!(moves.iter().all(|found| found["to"] == "d"), "{plan}");
    let percent = plan["percent"].as_f64().unwrap();
    assert!((15.0..35.0).contains(&percent), "{plan}");
    let plan = asked(&["ring", "plan", "--weight", "a=2", "--remove", "c"]).await;
    assert_eq!(rows(&plan, "after"), 2);
    let shown = asked(&["ring", "show"]).await;
    let slots = shown["shards"].as_array().unwrap().iter();
    let slots: u64 = slots.map(|shard| shard["slots"].as_u64().unwrap()).sum();
    assert_eq!(slots, 16_384);
    let words = ["--registry", &url, "shard", "add", "d"];
    let said = imctl(&words).await;
    assert!(!said.done && said.error.contains("no process"), "{said:?}");
}

#[tokio::test]
async fn mail_that_waits_is_counted_by_shard() {
    let cluster = Leased::start(&["a", "b"]).await;
    let view = cluster.ring_of(&["a", "b"]).await;
    let ann = Person::comes(&cluster.connds[0].address(), "ann", "phone").await;
    let (near, far) = (user_of(&view, "a", "ben"), user_of(&view, "b", "cara"));
    for (to, count) in [(&near, 3), (&far, 2)] {
        for number in 0..count {
            ann.leaves_word(to, format!("{number}")).await;
        }
    }
    let url = cluster.redis.url();
    let counted = async || -> Value {
        let said = obeyed(&["--registry", &url, "--json", "status"]).await;
        let status: Value = serde_json::from_str(&said).unwrap();
        status["mail"].clone()
    };
    let mail = |shard: &str, mailboxes: u64, messages: u64| {
        serde_json::json!({
            "shard": shard, "mailboxes": mailboxes, "messages": messages, "uncounted": 0,
        })
    };
    assert_eq!(
        counted().await,
        Value::from(vec![mail("a", 1, 3), mail("b", 1, 2)])
    );
    let cara = Person::comes(&cluster.connds[1].address(), far.as_str(), "desk").await;
    cara.reads("1").await;
    until("cara's mailbox to be empty", async || {
        (counted().await[1]["messages"] == 0).then_some(())
    })
    .await;
    let shown = obeyed(&["--registry", &url, "status"]).await;
    assert!(shown.contains("mail of"), "{shown}");
}

#[tokio::test]
async fn a_connd_is_emptied_at_a_rate_and_runs_on() {
    let soon = ("connd", "[leaving]\nafter = \"0 ms\"");
    let mut cluster = Processes::start_by(&[soon]).await;
    let admin = admins(&cluster);
    let addresses = cluster.connds.iter().map(|connd| connd.address());
    let balancer = Balancer::before(addresses.collect()).await;
    let mut people = Vec::new();
    for number in 0..8 {
        let name = format!("ann-{number}");
        people.push(Person::comes(&balancer.address(), &name, "phone").await);
    }
    let listens = cluster.connds[0].address();
    risen(cluster.connds[0].admin(), "im_connd_sessions", 8).await;
    let words = ["connd", "drain", &listens, "--rate", "4"];
    let drained = json(&admin, &words).await;
    assert_eq!(drained["moved"], 8, "{drained}");
    // Eight at four a second, at moments that each draws.
    let took = drained["seconds"].as_f64().unwrap();
    assert!((0.5..5.0).contains(&took), "{drained}");
    for person in &people {
        person.connected(2).await;
    }
    let first = cluster.connds[0].admin();
    let page = page(first, "/readyz").await.unwrap();
    assert_eq!((page.status, page.body.contains("empties it")), (503, true));
    let status = json(&admin, &["status"]).await;
    let gateways = status["gateways"].as_array().unwrap();
    let of_first: Vec<&Value> = gateways
        .iter()
        .filter(|gateway| gateway["admin"] == first.to_string())
        .collect();
    assert!(of_first.iter().all(|gateway| gateway["leaving"] == true));
    assert!(of_first.iter().all(|gateway| gateway["sessions"] == 0));
    let words = ["--admin", &admin, "connd", "drain", &listens];
    let again = imctl(&words).await;
    assert!(!again.done && again.error.contains("already"), "{again:?}");
    let words = ["--admin", &admin, "connd", "drain", "127.0.0.1:1"];
    let nobody = imctl(&words).await;
    assert!(!nobody.done && nobody.error.contains("none"), "{nobody:?}");
    // It ends at once when it is asked to.
    cluster.connds[0].stop().await;
}

#[tokio::test]
async fn who_knows_no_other_connd_stays_and_is_counted() {
    let soon = ("connd", "[leaving]\nafter = \"0 ms\"");
    let cluster = Processes::start_by(&[soon]).await;
    let admin = admins(&cluster);
    let listens = cluster.connds[0].address();
    let ann = Person::comes(&listens, "ann", "phone").await;
    risen(cluster.connds[0].admin(), "im_connd_sessions", 1).await;
    let words = ["--admin", &admin, "connd", "drain", &listens];
    let drained = imctl(&words).await;
    assert!(!drained.done, "{drained:?}");
    assert!(
        drained.error.contains("1 clients have not moved"),
        "{drained:?}"
    );
    assert_eq!(ann.logins(), 1);
}

#[tokio::test]
async fn a_store_is_copied_while_people_write_and_put_back() {
    let mut imd = Imd::start().await;
    let admin = imd.admin().to_string();
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = user("ben");
    obeyed(&["--admin", &admin, "friend", "add", "ann", "ben"]).await;
    for number in 0..20 {
        ann.leaves_word(&ben, format!("before {number}")).await;
    }
    let copy = imd.home().join("copy").display().to_string();
    let copied = json(&admin, &["store", "backup", &copy]).await;
    assert!(copied["entries"].as_u64().unwrap() > 20, "{copied}");
    ann.leaves_word(&ben, "after").await;
    let there = imd.home().display().to_string();
    let again = imctl(&["--admin", &admin, "store", "backup", &there]).await;
    assert!(
        !again.done && again.error.contains("is there already"),
        "{again:?}"
    );
    imd.stop().await;

    // In the copy's place ben has what was there then, and is ann's friend.
    let data = imd.home().join("data");
    std::fs::rename(&data, imd.home().join("former")).unwrap();
    obeyed(&["store", "restore", &copy, &data.display().to_string()]).await;
    imd.start_again().await;
    let mailbox = json(&admin, &["user", "mailbox", "ben"]).await;
    assert_eq!(mailbox["stored"], 20);
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.reads("before 19").await;
    ben.lists(&ann.user, Relation::Friend, false).await;
    let said = imctl(&["store", "restore", &copy, &data.display().to_string()]).await;
    assert!(
        !said.done && said.error.contains("is there already"),
        "{said:?}"
    );
}
