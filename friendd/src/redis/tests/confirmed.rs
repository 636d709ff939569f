//! Changes of which somebody has heard that too few replicas have them.

use std::time::Instant;

use super::*;

/// For a replica to follow.
const FOLLOWS: Duration = Duration::from_secs(30);

/// Who began a change may have heard that no replica has it.
#[tokio::test]
async fn who_brings_a_change_to_its_end_has_every_step_confirmed() {
    let server = Server::start();
    let port = server.port().to_string();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &port]);
    let confirm = Confirm {
        replicas: 1,
        patience: Duration::from_millis(50),
    };
    let [plain, confirmed] =
        [None, Some(confirm)].map(|confirm| Stage::confirmed(&server.url(), confirm));
    let begun = Instant::now();
    while confirmed.acts("zoe", FriendAction::Block, "yan").await == GraphAnswer::Unavailable {
        assert!(begun.elapsed() < FOLLOWS, "the replica does not follow");
    }
    let signal = |which: &str| {
        let process = replica.process().to_string();
        let sent = std::process::Command::new("kill")
            .args([which, &process])
            .status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    for (first, second, steps) in [("ann", "ben", Steps::One), ("kim", "lee", Steps::Two)] {
        let change = plain.befriends(first, second).await;
        plain.goes(first, &change, steps).await;
        let load = confirmed.lists.load(&user(first)).await;
        assert!(matches!(load, Err(Trouble::Failure(_))), "{load:?}");
        // Not even the next step is done.
        let key = format!("im:friends:{{{second}}}");
        let applied = server.ask(&["HEXISTS", &key, "list"]) == "1";
        assert_eq!(applied, steps == Steps::Two);
        let pending = server.ask(&["HEXISTS", &format!("im:friends:{{{first}}}"), "pending"]);
        assert_eq!(pending, "1");
    }
    signal("-CONT");
    // A server may confirm to a connection what that one has written, no more:
    // what another has done is written again.
    let (_, intent) = plain.befriends("lee", "may").await;
    let written = || {
        let says = server.ask(&["INFO", "commandstats"]);
        let line = says.lines().find(|line| line.starts_with("cmdstat_hset:"));
        let calls = line.and_then(|line| line.split([':', ',', '=']).nth(2));
        calls.and_then(|calls| calls.parse::<u32>().ok())
    };
    for _ in 0..2 {
        let before = written().expect("lists were written");
        let applied = plain.lists.apply(&user("lee"), &intent).await;
        assert_eq!(applied.unwrap(), Saved::Done);
        assert_eq!(written(), Some(before + 1));
    }
}
