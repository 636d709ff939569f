//! The primary that Sentinels name, before and after a fail-over.

use std::time::Duration;

use redis_stage::Watched;
use shared::{Command, Redis, Settings, Trust, Value};

#[test]
fn the_new_primary_is_found() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut watched = Watched::start();
        let settings = Settings {
            address: watched.url().parse().unwrap(),
            trust: Trust::default(),
            patience: Duration::from_secs(5),
            confirm: None,
        };
        let mut redis = Redis::new(&settings, Vec::new());
        let set = |value: &str| vec![Command::write("SET", "a").arg(value)];
        assert_eq!(redis.carry_out(set("1")).await, [Ok(Value::Okay)]);
        watched.first.kill();
        assert!(redis.carry_out(set("2")).await[0].is_err());
        watched.second_takes_over();
        for _ in 0..500 {
            if redis.carry_out(set("3")).await == [Ok(Value::Okay)] {
                assert_eq!(watched.second.ask(&["GET", "a"]), "3");
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the new primary was never found");
    });
}
