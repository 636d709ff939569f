//! Groups over several gateways and shards: what was told logged is in the log,
//! and each member is told it once and in order, whatever happens meanwhile.

use client::GroupId;
use cluster::leased::{Leased, user_of};
use cluster::patience::until;
use cluster::person::Person;
use cluster::room::Room;
use proto::slot::Slot;
use registry::view::View;

/// A group whose log is at this shard.
fn group_at(view: &View, shard: &str) -> GroupId {
    let names = (0..10_000).map(|number| format!("room-{number}"));
    let mut groups = names.map(|name| name.parse().unwrap());
    let here = |group: &GroupId| view.ring().owner(Slot::of_group(group)).as_str() == shard;
    groups.find(here).unwrap()
}

/// Of each shard somebody at each gateway, and a group.
async fn begins(cluster: &Leased, view: &View) -> Room {
    let mut people = Vec::new();
    let mut groups = Vec::new();
    for member in view.ring().members() {
        let shard = member.shard.as_str();
        groups.push(group_at(view, shard));
        for (connd, name) in cluster.connds.iter().zip(["ann", "ben"]) {
            let user = user_of(view, shard, name);
            people.push(Person::comes(&connd.address(), user.as_str(), "phone").await);
        }
    }
    Room::begins(people, groups).await
}

#[tokio::test]
async fn rooms_go_on_over_a_drain_a_stop_a_kill_a_lost_gateway_and_a_return() {
    let mut cluster = Leased::start(&["a", "b", "c", "d"]).await;
    let four = cluster.ring_of(&["a", "b", "c", "d"]).await;
    cluster.all_know(&four, &[]).await;
    let room = begins(&cluster, &four).await;
    room.flows().await;

    let a = "a".parse().unwrap();
    let mut registry = cluster.registry();
    registry.weigh(four.ring().epoch(), &a, 0).await.unwrap();
    let drained = cluster.ring_of(&["b", "c", "d"]).await;
    cluster.all_know(&drained, &[]).await;
    room.flows().await;
    cluster.msgd("b").stop().await;
    cluster.ring_of(&["c", "d"]).await;
    room.flows().await;
    cluster.msgd("c").kill();
    let killed = cluster.ring_of(&["d"]).await;
    cluster.all_know(&killed, &["msgd-b", "msgd-c"]).await;
    room.flows().await;
    cluster.connds[0].kill();
    cluster.connds[0].start_again().await;
    room.flows().await;

    registry.weigh(killed.ring().epoch(), &a, 1).await.unwrap();
    for name in ["b", "c"] {
        cluster.add(name);
    }
    until("the ring of before", async || {
        let back = cluster.ring_of(&["a", "b", "c", "d"]).await;
        (back.ring().members() == four.ring().members()).then_some(())
    })
    .await;
    room.flows().await;
    for at in 0..room.people.len() {
        let logins = room.people[at].logins();
        // At the gateway that was lost, and at the other one.
        assert_eq!(logins, 2 - at % 2, "{}", room.people[at].user);
    }
    let told = room.ends().await;
    println!("{told} messages were told logged");
}
