//! `im` in a pipe, the commands that imd prints, and the echo example.

use cluster::binaries::{example, program};
use cluster::imd::Imd;
use cluster::person::{Person, befriend, settings, text};
use cluster::port::Port;
use cluster::terminal::Terminal;

fn im(words: &[&str]) -> Terminal {
    Terminal::start(&program("im"), words)
}

#[tokio::test]
async fn two_people_chat_in_pipes_and_imd_goes_and_comes_in_between() {
    let mut imd = Imd::start().await;
    let at = ["--connect", &imd.address()].map(str::to_owned);
    let at: Vec<&str> = at.iter().map(String::as_str).collect();
    let person = |name: &'static str| im(&[&[name], &at[..]].concat());
    let (mut alice, mut bob) = (person("alice"), person("bob"));
    alice.shows(&["connected user=alice"]).await;
    bob.shows(&["connected user=bob"]).await;
    alice.types("/add bob");
    alice.shows(&["done command=add peer=bob"]).await;
    bob.shows(&["relation user=alice relation=invited"]).await;
    bob.types("/accept alice");
    alice.shows(&["relation user=bob relation=friend"]).await;
    alice.shows(&["presence user=bob", "status=online"]).await;
    alice.types("bob: see you at six");
    bob.shows(&["message from=alice", "away=no", "text=see you at six"])
        .await;
    alice.shows(&["delivered number=1 to=bob"]).await;
    alice.shows(&["read number=1 to=bob"]).await;
    bob.types("/to alice");
    bob.types("six it is");
    alice.shows(&["message from=bob", "text=six it is"]).await;
    alice.types("/status busy in a call");
    bob.shows(&["presence user=alice", "status=busy text=in a call"])
        .await;

    assert!(bob.ends().await.success());
    alice.shows(&["presence user=bob", "status=offline"]).await;
    alice.types("bob: bring cake");
    alice.shows(&["stored number=2 to=bob"]).await;
    imd.kill();
    alice.shows(&["reconnecting after_ms="]).await;
    let before = alice.screen().len();
    imd.start_again().await;
    alice.shows_after(before, &["connected user=alice"]).await;
    let mut bob = person("bob");
    bob.shows(&["message from=alice", "away=yes text=bring cake"])
        .await;
    alice.shows(&["read number=2 to=bob"]).await;
    bob.shows(&["relation user=alice relation=friend"]).await;
    bob.types("/friends");
    bob.shows(&[
        "friend user=alice relation=friend",
        "status=busy text=in a call",
    ])
    .await;
    assert!(alice.ends().await.success());
    assert!(bob.ends().await.success());
}

#[tokio::test]
async fn a_pipe_that_says_all_and_ends_has_it_done() {
    let imd = Imd::start().await;
    let at = imd.address();
    let bob = Person::comes(&at, "bob", "desk").await;
    let mut alice = im(&["alice", "--connect", &at]);
    alice.types("/add bob");
    alice.types("/nonsense");
    let status = alice.ends().await;
    assert_eq!(status.code(), Some(1), "a mistake is told by the status");
    alice.shows(&["done command=add peer=bob"]).await;
    alice.shows(&["failed code=0", "/nonsense"]).await;
    bob.client.accept(&"alice".parse().unwrap()).await.unwrap();
    let mut alice = im(&["alice", "--connect", &at]);
    alice.types("/friends");
    alice.types("bob: one");
    alice.types("bob: two");
    assert!(alice.ends().await.success());
    bob.reads("two").await;
    assert_eq!(bob.texts(), ["one", "two"]);
    alice.shows(&["friend user=bob relation=friend"]).await;
    alice.shows(&["delivered number=2 to=bob"]).await;
}

#[tokio::test]
async fn two_of_one_user_are_two_devices_unless_one_is_named() {
    let imd = Imd::start().await;
    let at = imd.address();
    let bob = Person::comes(&at, "bob", "desk").await;
    let other = Person::comes(&at, "alice", "other").await;
    befriend(&bob, &other).await;
    let one = im(&["alice", "--connect", &at]);
    let mut two = im(&["alice", "--connect", &at, "--device", "desk"]);
    for alice in [&one, &two] {
        alice.shows(&["connected user=alice"]).await;
    }
    bob.tells(&other.user, "hello to all of you").await;
    for alice in [&one, &two] {
        alice
            .shows(&["message from=bob", "text=hello to all of you"])
            .await;
    }
    let three = im(&["alice", "--connect", &at, "--device", "desk"]);
    three.shows(&["connected user=alice device=desk"]).await;
    two.shows(&["closed code=406"]).await;
    assert_eq!(two.ends().await.code(), Some(1));
}

#[tokio::test]
async fn the_two_commands_that_imd_prints_work() {
    let (listen, admin) = (Port::take(), Port::take());
    let (address, admin) = (listen.address().to_string(), admin.address().to_string());
    // With nothing said but the ports.
    let words = ["--listen", &address, "--admin", &admin];
    let imd = Terminal::start(&program("imd"), &words);
    imd.shows(&["clients", &address]).await;
    imd.shows(&["admin", &admin, "/metrics"]).await;
    imd.shows(&["data", "data"]).await;
    let mut people = Vec::new();
    for name in ["alice", "bob"] {
        let line = imd
            .shows(&["cargo run --release -p client --bin im -- ", name])
            .await;
        let (_, words) = line.split_once(" -- ").unwrap();
        people.push(im(&words.split(' ').collect::<Vec<_>>()));
    }
    let [alice, bob] = &mut people[..] else {
        panic!("two");
    };
    bob.shows(&["connected user=bob"]).await;
    alice.types("/add bob");
    bob.shows(&["relation user=alice relation=invited"]).await;
    bob.types("/accept alice");
    alice.shows(&["relation user=bob relation=friend"]).await;
    alice.types("bob: it works");
    bob.shows(&["message from=alice", "text=it works"]).await;
    assert!(imd.home().join("data").is_dir());
}

#[tokio::test]
async fn the_echo_example_takes_everybody_and_sends_back_what_it_got() {
    let imd = Imd::start().await;
    let echo = Terminal::start(&example("echo"), &[&imd.address(), "echo"]);
    echo.shows(&["connected as echo"]).await;
    let ann = Person::comes_with(settings(&imd.address(), "ann", "phone")).await;
    let echo_id = "echo".parse().unwrap();
    ann.client.request(&echo_id).await.unwrap();
    ann.lists(&echo_id, client::Relation::Friend, false).await;
    for said in ["hello", "is anybody there"] {
        ann.tells(&echo_id, said).await;
        let message = ann.reads(said).await;
        assert_eq!(
            (message.from.as_str(), text(&message).as_str()),
            ("echo", said)
        );
    }
}
