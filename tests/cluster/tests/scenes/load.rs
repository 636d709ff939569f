//! kill -9 in the middle of a load: nothing that was acknowledged is lost,
//! nothing is shown twice.

use std::time::Duration;

use cluster::balancer::Balancer;
use cluster::imd::Imd;
use cluster::load::Load;
use cluster::person::user;
use cluster::processes::Processes;

/// A mailbox holds all that come to it in the time of these tests.
const PACE: Duration = Duration::from_millis(2);

#[tokio::test]
async fn imd_is_killed_twice() {
    let mut imd = Imd::start().await;
    let name = |number: usize, name: &str| user(&format!("{name}-{number}"));
    let load = Load::begins([&imd.address(), &imd.address()], PACE, name).await;
    for _ in 0..2 {
        load.flows().await;
        imd.kill();
        imd.start_again().await;
        load.flows().await;
        load.reports_pause("imd killed");
    }
    load.ends().await;
}

#[tokio::test]
async fn each_of_the_separate_processes_is_killed() {
    let mut cluster = Processes::start().await;
    let [one, two] = [0, 1].map(|number| cluster.connds[number].address());
    let east = Balancer::before(vec![one.clone(), two.clone()]).await;
    let west = Balancer::before(vec![two, one]).await;
    // Each sender of one shard, each recipient of the other.
    let name = |number: usize, name: &str| {
        let shard = (number + usize::from(name == "ben")) % 2;
        cluster.user_of(shard, &format!("{name}-{number}"))
    };
    let load = Load::begins([&east.address(), &west.address()], PACE, name).await;
    let [msgds, connds] = [&mut cluster.msgds, &mut cluster.connds];
    for daemon in msgds.iter_mut().chain(connds).chain([&mut cluster.friendd]) {
        load.flows().await;
        daemon.kill();
        daemon.start_again().await;
        load.flows().await;
        load.reports_pause(&format!("{} killed", daemon.name()));
    }
    load.ends().await;
}
