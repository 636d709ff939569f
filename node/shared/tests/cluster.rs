//! A Cluster: routing, and keys that move.

use std::time::Duration;

use redis_stage::Cluster;
use shared::{Command, Failure, Redis, Settings, Trust, Value};

fn redis(url: &str) -> Redis {
    let settings = Settings {
        address: url.parse().unwrap(),
        trust: Trust::default(),
        patience: Duration::from_secs(5),
        confirm: None,
    };
    Redis::new(&settings, Vec::new())
}

fn run(scene: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(scene());
}

fn push(key: &str, number: usize) -> Command {
    Command::write("RPUSH", key).arg(number)
}

fn all(key: &str) -> Command {
    Command::read("LRANGE", key).arg(0).arg(-1)
}

fn list(numbers: std::ops::Range<usize>) -> Value {
    let bulk = |number: usize| Value::BulkString(number.to_string().into_bytes());
    Value::Array(numbers.map(bulk).collect())
}

#[test]
fn commands_go_where_their_keys_are_in_order() {
    run(async || {
        let cluster = Cluster::start();
        let mut redis = redis(&cluster.url());
        let keys: Vec<String> = (0..60).map(|number| format!("im:{{{number}}}:a")).collect();
        let push = |number| keys.iter().map(move |key| push(key, number));
        let commands = (0..5).flat_map(push).chain(keys.iter().map(|key| all(key)));
        let replies = redis.carry_out(commands.collect()).await;
        for (at, reply) in replies.iter().take(300).enumerate() {
            assert_eq!(*reply, Ok(Value::Int((at / 60 + 1) as i64)), "{at}");
        }
        for reply in &replies[300..] {
            assert_eq!(*reply, Ok(list(0..5)));
        }
    });
}

#[test]
fn keys_are_found_while_they_move_and_afterwards() {
    run(async || {
        let cluster = Cluster::start();
        let mut redis = redis(&cluster.url());
        redis
            .carry_out(vec![push("{a}1", 0), push("{a}2", 0)])
            .await;
        let moving = cluster.begin_move("{a}1");
        // One of the two is there already, and new keys are made there.
        moving.move_key("{a}1");
        let replies = redis
            .carry_out(vec![
                push("{a}1", 1),
                push("{a}2", 1),
                push("{a}3", 0),
                push("{a}1", 2),
            ])
            .await;
        let counts = [2, 2, 1, 3].map(|count| Ok(Value::Int(count)));
        assert_eq!(replies, counts);
        moving.move_key("{a}2");
        moving.finish();
        // The slot has another server: that is told once, and nothing is done.
        let replies = redis.carry_out(vec![push("{a}2", 2)]).await;
        assert_eq!(replies[0].as_ref().unwrap_err().code(), Some("MOVED"));
        let replies = redis
            .carry_out(vec![push("{a}2", 2), all("{a}1"), all("{a}2"), all("{a}3")])
            .await;
        let found = [Value::Int(3), list(0..3), list(0..3), list(0..1)];
        assert_eq!(replies, found.map(Ok));
        cluster.is_whole();
    });
}

/// What vouches for others is not to be older than they are.
#[test]
fn what_is_read_behind_a_key_on_its_way_is_read_again() {
    run(async || {
        let mut cluster = Cluster::start();
        let mut redis = redis(&cluster.url());
        redis
            .carry_out(vec![push("{a}1", 0), push("{a}2", 0)])
            .await;
        let moving = cluster.begin_move("{a}1");
        moving.move_key("{a}1");
        let length = Command::read("LLEN", "{a}2");
        let replies = redis
            .carry_out(vec![length, push("{a}1", 1), push("{a}2", 1), all("{a}2")])
            .await;
        let found = [Value::Int(1), Value::Int(2), Value::Int(2), list(0..2)];
        assert_eq!(replies, found.map(Ok));
        let mut calls = Vec::new();
        for server in cluster.servers() {
            let says = server.ask(&["INFO", "commandstats"]);
            let lines = says.lines().filter_map(|line| line.split_once(",usec"));
            calls.extend(lines.map(|(line, _)| line.to_owned()));
        }
        assert!(
            calls.contains(&"cmdstat_llen:calls=1".to_owned()),
            "{calls:?}"
        );
        assert!(
            calls.contains(&"cmdstat_lrange:calls=2".to_owned()),
            "{calls:?}"
        );
    });
}

#[test]
fn a_command_whose_keys_are_here_and_there_holds_up_nobody() {
    run(async || {
        let mut cluster = Cluster::start();
        let mut redis = redis(&cluster.url());
        redis
            .carry_out(vec![push("{a}1", 0), push("{a}2", 0)])
            .await;
        let moving = cluster.begin_move("{a}1");
        moving.move_key("{a}1");
        let both = Command::read("EXISTS", "{a}1").arg("{a}2");
        let replies = redis.carry_out(vec![push("{b}", 0), both]).await;
        assert_eq!(replies[0], Ok(Value::Int(1)));
        let failure = replies[1].as_ref().unwrap_err();
        // That is no reason to doubt the server.
        assert_eq!(
            (failure.code(), failure.is_lost()),
            (Some("TRYAGAIN"), false)
        );
        let mut asked = Vec::new();
        for server in cluster.servers() {
            let says = server.ask(&["INFO", "errorstats"]);
            let lines = says.lines().map(str::trim).map(str::to_owned);
            asked.extend(lines.filter(|line| line.contains("TRYAGAIN")));
        }
        assert_eq!(asked, ["errorstat_TRYAGAIN:count=1"]);
    });
}

#[test]
fn a_dead_server_fails_its_own_commands_only() {
    run(async || {
        let mut cluster = Cluster::start_partial();
        let mut redis = redis(&cluster.url());
        let keys: Vec<String> = (0..30).map(|number| format!("{{{number}}}")).collect();
        let commands = || keys.iter().map(|key| push(key, 0)).collect();
        let whole = redis.carry_out(commands()).await;
        assert!(whole.iter().all(Result::is_ok), "{whole:?}");
        cluster.servers()[1].kill();
        let partly = redis.carry_out(commands()).await;
        let lost = |reply: &&Result<Value, Failure>| matches!(reply, Err(Failure::Lost(_)));
        let lost = partly.iter().filter(lost).count();
        let done = partly.iter().filter(|reply| **reply == Ok(Value::Int(2)));
        assert_eq!(lost + done.count(), keys.len(), "{partly:?}");
        assert!((1..keys.len()).contains(&lost), "{partly:?}");
        cluster.servers()[1].restart();
        for _ in 0..500 {
            let replies = redis.carry_out(commands()).await;
            if replies.iter().all(Result::is_ok) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never whole again");
    });
}
