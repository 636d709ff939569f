//! A gateway dies under thousands of sessions: they come back to the other one,
//! without a stampede.

use std::time::{Duration, Instant};

use cluster::admin::figure;
use cluster::patience::until;
use cluster::person::{Person, settings};
use cluster::processes::Processes;

const SESSIONS: usize = 2_000;

/// What a gateway takes in a second, so that all together are above it.
const LOGINS_PER_SECOND: usize = 500;

/// Lists that shards have asked the friend service for. Figures are published
/// once they do not move any more.
async fn asked(cluster: &Processes) -> u64 {
    let mut before = None;
    until("the figures to stand still", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut sum = 0;
        for msgd in &cluster.msgds {
            let requests = figure(msgd.admin(), "im_msgd_friendd_requests_total").await;
            sum += requests.expect("a figure");
        }
        (before.replace(sum) == Some(sum)).then_some(sum)
    })
    .await
}

#[tokio::test]
async fn thousands_come_back_within_the_budget_of_the_gateway_that_is_left() {
    let budget = format!("[gateway]\nlogins_per_second = {LOGINS_PER_SECOND}");
    let mut cluster = Processes::start_by(&[("connd", &budget)]).await;
    let [one, other] = [0, 1].map(|at| cluster.connds[at].address());
    let both = format!("{one},{other}");
    // All come to the first, for the other one is not there.
    cluster.connds[1].kill();
    let people = (0..SESSIONS).map(|number| {
        let name = format!("u{}", 1_001 + number);
        Person::begins(settings(&both, &name, "phone"))
    });
    let people: Vec<Person> = people.collect();
    for person in &people {
        person.connected(1).await;
    }
    cluster.connds[1].start_again().await;
    let before = asked(&cluster).await;
    assert!(
        before >= SESSIONS as u64,
        "{before}: each list was asked for"
    );

    cluster.connds[0].kill();
    let killed = Instant::now();
    let mut back = Vec::new();
    for person in &people {
        let connected = person.connected(2).await;
        back.push(connected.server_time.as_ms());
    }
    let took = killed.elapsed();
    back.sort_unstable();
    let within_a_second = back.iter().enumerate().map(|(first, begin)| {
        let end = back.partition_point(|at| *at < begin + 1_000);
        end - first
    });
    let most = within_a_second.max().expect("all are back");
    println!("{SESSIONS} back after {took:?}, at most {most} within a second");
    assert!(took <= Duration::from_secs(15), "{took:?}");
    // A gateway that was idle has a second's worth to spare.
    assert!(most <= 2 * LOGINS_PER_SECOND, "{most}");
    assert_eq!(asked(&cluster).await, before, "their lists are known");
}
