//! What was kept on one machine moves into a Redis, and shards that come and go
//! serve it from there.

use client::{Availability, Relation};
use cluster::imctl::{imctl, obeyed};
use cluster::imd::Imd;
use cluster::leased::Leased;
use cluster::person::{Person, befriend, user};
use cluster::port::Port;
use redis_stage::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::imctl::json;
use crate::mistakes::refusal;

/// The words of a copy.
fn copy<'a>(data: &'a str, url: &'a str, more: &'a str) -> Vec<&'a str> {
    let words = ["--json", "store", "copy", data, "--to", url, more];
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// Copies, and gives what it says.
async fn copied(data: &str, url: &str, more: &str) -> Value {
    serde_json::from_str(&obeyed(&copy(data, url, more)).await).unwrap()
}

/// Does not copy, and complains of this.
async fn complains(data: &str, url: &str, more: &str, of: &str) {
    let said = imctl(&copy(data, url, more)).await;
    assert!(!said.done && said.error.contains(of), "{of}: {said:?}");
}

/// A daemon that finds half a copy ends, and names it and what to do.
async fn serves_no_half(daemon: &str, flags: &[&str], url: &str) {
    let home = tempfile::tempdir().unwrap();
    let ports = [Port::take(), Port::take()];
    let [listen, admin] = ports.each_ref().map(|port| port.address().to_string());
    let own = ["--listen", &listen, "--admin", &admin, "--store", url];
    let flags: Vec<String> = own.iter().chain(flags).map(ToString::to_string).collect();
    let said = refusal(daemon, &flags, home.path()).await;
    for part in ["--store: ", "im:copy is there", "imctl store copy --again"] {
        assert!(said.contains(part), "{said}");
    }
}

/// The directory of `imd`.
fn data(imd: &Imd) -> String {
    imd.home().join("data").display().to_string()
}

#[tokio::test]
async fn mail_and_friends_move_into_a_redis_once() {
    let mut imd = Imd::start().await;
    let admin = imd.admin().to_string();
    let redis = Server::start();
    let (data, url) = (data(&imd), redis.url());
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    let carol = Person::comes(&imd.address(), "carol", "desk").await;
    befriend(&ann, &ben).await;
    carol.client.block(&ann.user).await.unwrap();
    ann.client.request(&user("dave")).await.unwrap();
    ben.leaves().await;
    for number in 0..5 {
        ann.leaves_word(&user("ben"), format!("taken {number}"))
            .await;
    }
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.reads("taken 4").await;
    ben.leaves().await;
    let left: Vec<String> = (0..40).map(|number| format!("left {number}")).collect();
    for text in &left {
        ann.leaves_word(&user("ben"), text.clone()).await;
    }
    let list = json(&admin, &["friend", "list", "ann"]).await;
    ann.leaves().await;
    carol.leaves().await;
    complains(&data, &url, "", "in use").await;
    imd.stop().await;

    let counted = copied(&data, &url, "--check").await;
    assert_eq!(
        (&counted["messages"], &counted["done"]),
        (&40.into(), &false.into())
    );
    assert_eq!(redis.ask(&["DBSIZE"]), "0");
    complains(&data, &url, "--again", "broken off").await;
    let done = copied(&data, &url, "").await;
    let told = ["mailboxes", "messages", "bytes", "friend_lists", "friends"];
    assert_eq!(
        told.map(|count| done[count].as_u64().unwrap()),
        [1, 40, 270, 4, 5]
    );
    complains(&data, &url, "", "is kept in this Redis already").await;

    let cluster = Leased::start_on(&["a", "b"], (redis, url.clone(), 0)).await;
    let ann = Person::comes(&cluster.connds[0].address(), "ann", "phone").await;
    let ben = Person::comes(&cluster.connds[1].address(), "ben", "desk").await;
    ben.reads("left 39").await;
    assert_eq!(ben.texts(), left, "all of it, in order, once");
    ann.sees(&ben.user, Availability::Online).await;
    let words = ["--registry", &url, "--json", "friend", "list", "ann"];
    let moved: Value = serde_json::from_str(&obeyed(&words).await).unwrap();
    assert_eq!(moved, list, "entries, version and hash");
    let dave = Person::comes(&cluster.connds[0].address(), "dave", "desk").await;
    dave.lists(&ann.user, Relation::Invited, false).await;
    let carol = Person::comes(&cluster.connds[0].address(), "carol", "desk").await;
    carol.lists(&ann.user, Relation::None, true).await;
    // It goes on from there.
    dave.client.accept(&ann.user).await.unwrap();
    ann.lists(&dave.user, Relation::Friend, false).await;
    ann.tells(&ben.user, "we have moved").await;
    ben.reads("we have moved").await;
    complains(&data, &url, "", "shards have used this Redis").await;
}

#[tokio::test]
async fn a_copy_that_was_broken_off_is_seen_and_begun_anew() {
    let mut imd = Imd::start().await;
    let redis = Server::start();
    let (data, url) = (data(&imd), redis.url());
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    obeyed(&[
        "--admin",
        &imd.admin().to_string(),
        "friend",
        "add",
        "ann",
        "ben",
    ])
    .await;
    for _ in 0..200 {
        ann.leaves_word(&user("ben"), vec![b'x'; 16_000]).await;
    }
    ann.leaves().await;
    imd.stop().await;
    // Half of it finds room.
    let used = redis.ask(&["INFO", "memory"]);
    let used = used
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    let room = used.unwrap().trim().parse::<u64>().unwrap() + 1_600_000;
    redis.ask(&["CONFIG", "SET", "maxmemory", &room.to_string()]);
    complains(&data, &url, "", "--again erases").await;
    assert_ne!(redis.ask(&["DBSIZE"]), "1", "something was written");
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    complains(&data, &url, "", "was not finished").await;
    for (daemon, flags) in [
        ("msgd", &["--name", "a", "--registry", &url][..]),
        ("friendd", &[]),
    ] {
        serves_no_half(daemon, flags, &url).await;
    }
    assert_eq!(
        redis.ask(&["EXISTS", "im:{ring}"]),
        "0",
        "nobody has joined"
    );
    let done = copied(&data, &url, "--again").await;
    assert_eq!(
        (&done["messages"], &done["done"]),
        (&200.into(), &true.into())
    );
    complains(&data, &url, "--again", "broken off").await;
}

/// A way to a Redis, for one client after another.
struct Way<'a> {
    listener: TcpListener,
    redis: &'a Server,
}

impl<'a> Way<'a> {
    async fn to(redis: &'a Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, redis }
    }

    fn url(&self) -> String {
        format!("redis://{}", self.listener.local_addr().unwrap())
    }

    /// Carries what comes. Once a command on the mark has, that is done; a
    /// client that is cut then does not hear what came of its command.
    async fn carry(&self, command: &str, done: impl Fn(), cut: bool) -> ! {
        let words = format!("{command}\r\n$7\r\nim:copy");
        let mut met = false;
        loop {
            let (mut near, _) = self.listener.accept().await.unwrap();
            let far = TcpStream::connect(("127.0.0.1", self.redis.port())).await;
            let mut far = far.unwrap();
            let (mut asked, mut said) = (vec![0; 65_536], vec![0; 65_536]);
            loop {
                tokio::select! {
                    Ok(count @ 1..) = near.read(&mut asked) => {
                        far.write_all(&asked[..count]).await.unwrap();
                        if !met && String::from_utf8_lossy(&asked[..count]).contains(&words) {
                            met = true;
                            done();
                            if cut {
                                assert_ne!(far.read(&mut said).await.unwrap(), 0);
                                break;
                            }
                        }
                    }
                    Ok(count @ 1..) = far.read(&mut said) => {
                        near.write_all(&said[..count]).await.unwrap();
                    }
                    else => break,
                }
            }
        }
    }
}

#[tokio::test]
async fn what_comes_between_is_told_from_what_is_only_not_heard() {
    let mut imd = Imd::start().await;
    let admin = imd.admin().to_string();
    obeyed(&["--admin", &admin, "friend", "add", "ann", "ben"]).await;
    imd.stop().await;
    let redis = Server::start();
    let way = Way::to(&redis).await;
    let (data, url) = (data(&imd), way.url());
    let claims = || {
        redis.ask(&["HSET", "im:{12}", "token", "1"]);
    };
    let words = copy(&data, &url, "");
    let said = tokio::select! {
        said = imctl(&words) => said,
        never = way.carry("SET", claims, false) => never,
    };
    for part in ["im:{12} is there", "empty this Redis (FLUSHALL)"] {
        assert!(!said.done && said.error.contains(part), "{said:?}");
    }
    assert!(!said.error.contains("--again"), "{said:?}");
    redis.ask(&["FLUSHALL"]);
    let done = tokio::select! {
        done = copied(&data, &url, "") => done,
        never = way.carry("DEL", || {}, true) => never,
    };
    assert_eq!(done["done"], true);
    assert_eq!(redis.ask(&["EXISTS", "im:copy"]), "0");
}
