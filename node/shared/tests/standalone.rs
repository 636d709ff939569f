//! One server: replies, errors, a connection that is lost.

use std::time::Duration;

use redis_stage::Server;
use shared::{Command, Failure, Redis, Script, Settings, Trust, Value};

const PATIENCE: Duration = Duration::from_secs(5);

fn settings(url: &str) -> Settings {
    Settings {
        address: url.parse().unwrap(),
        trust: Trust::default(),
        patience: PATIENCE,
        confirm: None,
    }
}

fn run(scene: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(scene());
}

fn set(key: &str, value: &str) -> Command {
    Command::write("SET", key).arg(value)
}

fn get(key: &str) -> Command {
    Command::read("GET", key)
}

fn bytes(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

/// Asks until it is connected again.
async fn asks_again(redis: &mut Redis, command: Command) -> Value {
    for _ in 0..200 {
        match redis.carry_out(vec![command.clone()]).await.remove(0) {
            Ok(value) => return value,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("never connected again");
}

#[test]
fn each_command_has_its_own_reply() {
    run(async || {
        let server = Server::start();
        let mut redis = Redis::new(&settings(&server.url()), Vec::new());
        assert_eq!(redis.carry_out(Vec::new()).await, []);
        let wrong = Command::write("HSET", "a").arg("field").arg("value");
        let replies = redis
            .carry_out(vec![set("a", "1"), wrong, get("a"), get("b")])
            .await;
        assert_eq!(replies[0], Ok(Value::Okay));
        assert_eq!(replies[1].as_ref().unwrap_err().code(), Some("WRONGTYPE"));
        assert_eq!(replies[2], Ok(bytes("1")));
        assert_eq!(replies[3], Ok(Value::Nil));
    });
}

#[test]
fn a_lost_connection_fails_what_is_unanswered_and_comes_back() {
    run(async || {
        let mut server = Server::start();
        let script = Script::reading("return redis.call('GET', KEYS[1])");
        let mut redis = Redis::new(&settings(&server.url()), vec![script.clone()]);
        let ask = Command::script(&script, &["a"]);
        let replies = redis.carry_out(vec![set("a", "1"), ask.clone()]).await;
        assert_eq!(replies, [Ok(Value::Okay), Ok(bytes("1"))]);
        server.kill();
        for reply in redis.carry_out(vec![set("a", "2"), get("a")]).await {
            assert!(matches!(reply, Err(Failure::Lost(_))), "{reply:?}");
        }
        server.restart();
        // The new process was told the script.
        assert_eq!(asks_again(&mut redis, ask).await, Value::Nil);
    });
}

#[test]
fn a_silent_server_is_given_up() {
    run(async || {
        let server = Server::start();
        let mut settings = settings(&server.url());
        settings.patience = Duration::from_millis(100);
        let mut redis = Redis::new(&settings, Vec::new());
        assert_eq!(
            redis.carry_out(vec![set("a", "1")]).await,
            [Ok(Value::Okay)]
        );
        server.ask(&["CLIENT", "PAUSE", "1000", "ALL"]);
        let replies = redis.carry_out(vec![get("a")]).await;
        assert!(matches!(&replies[0], Err(Failure::Lost(_))), "{replies:?}");
        assert_eq!(asks_again(&mut redis, get("a")).await, bytes("1"));
    });
}

#[test]
fn forgotten_scripts_are_told_again() {
    run(async || {
        let server = Server::start();
        let script = Script::writing("return redis.call('INCR', KEYS[1])");
        let mut redis = Redis::new(&settings(&server.url()), vec![script.clone()]);
        let count = Command::script(&script, &["a"]);
        assert_eq!(
            redis.carry_out(vec![count.clone()]).await,
            [Ok(Value::Int(1))]
        );
        server.ask(&["SCRIPT", "FLUSH"]);
        let replies = redis.carry_out(vec![count.clone()]).await;
        assert_eq!(replies[0].as_ref().unwrap_err().code(), Some("NOSCRIPT"));
        assert_eq!(redis.carry_out(vec![count]).await, [Ok(Value::Int(2))]);
    });
}

#[test]
fn a_user_of_the_acl_logs_in() {
    run(async || {
        let server = Server::start();
        server.ask(&["ACL", "SETUSER", "im", "on", ">s@cret", "~im:*", "+@all"]);
        server.ask(&["ACL", "SETUSER", "default", "off"]);
        let at = |login: &str| format!("redis://{login}@127.0.0.1:{}", server.port());
        let mut redis = Redis::new(&settings(&at("im:s%40cret")), Vec::new());
        let replies = redis
            .carry_out(vec![set("im:a", "1"), set("other", "1")])
            .await;
        assert_eq!(replies[0], Ok(Value::Okay));
        assert_eq!(replies[1].as_ref().unwrap_err().code(), Some("NOPERM"));
        let mut wrong = Redis::new(&settings(&at("im:guess")), Vec::new());
        let replies = wrong.carry_out(vec![get("im:a")]).await;
        assert!(matches!(&replies[0], Err(Failure::Lost(_))), "{replies:?}");
    });
}
