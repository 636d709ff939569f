//! Separate processes over gRPC: two gateways, two shards, a friend service.

use std::time::Duration;

use client::{Availability, ChangeError, Code, Fate, Relation, Status};
use cluster::balancer::Balancer;
use cluster::ledger::Ledger;
use cluster::line::Line;
use cluster::patience::{until, within};
use cluster::person::{Person, befriend};
use cluster::processes::Processes;
use proto::client::{ChangeFriend, ClientPacket};
use proto::friends::FriendAction;
use proto::server::ServerPacket;

/// Ann of the first shard at the first gateway, ben of the second at the
/// second, friends.
async fn ann_and_ben(cluster: &Processes) -> (Person, Person) {
    let ann = cluster.user_of(0, "ann");
    let ben = cluster.user_of(1, "ben");
    let ann = Person::comes(&cluster.connds[0].address(), ann.as_str(), "phone").await;
    let ben = Person::comes(&cluster.connds[1].address(), ben.as_str(), "desk").await;
    befriend(&ann, &ben).await;
    (ann, ben)
}

#[tokio::test]
async fn people_of_two_shards_at_two_gateways_chat_and_see_each_other() {
    // A machine that stalls is not to make 'stored' of 'delivered'.
    let patient = ("msgd", "[shard]\ndelivery_patience = \"10 s\"");
    let mut cluster = Processes::start_by(&[patient]).await;
    let (ann, ben) = ann_and_ben(&cluster).await;
    // And both of one shard, at two gateways.
    let cat = cluster.user_of(0, "cat");
    let cat = Person::comes(&cluster.connds[1].address(), cat.as_str(), "desk").await;
    befriend(&cat, &ann).await;
    for (from, to) in [(&ann, &ben), (&ben, &ann), (&cat, &ann), (&ann, &cat)] {
        let text = format!("{} to {}", from.user, to.user);
        let fate = from.says(&to.user, text.clone()).await;
        assert!(matches!(fate, Fate::Delivered { .. }), "{fate:?}");
        to.reads(&text).await;
        from.sees(&to.user, Availability::Online).await;
    }
    let busy = Status {
        availability: Availability::Busy,
        text: "in a call".into(),
    };
    ann.client.set_status(busy.clone()).unwrap();
    for friend in [&ben, &cat] {
        let seen = friend.sees(&ann.user, Availability::Busy).await;
        assert_eq!(seen.status, busy);
    }
    let ben_id = ben.user.clone();
    ben.leaves().await;
    ann.sees(&ben_id, Availability::Offline).await;

    // One message can be followed by its id through both shards.
    let handle = ann.begins_to_say(&ben_id, "follow me").await;
    let id = format!("id={}", handle.id());
    let fate = within("a fate", handle).await;
    assert!(matches!(fate, Fate::Stored { .. }), "{fate:?}");
    for (shard, words) in [
        (0, &["submitted", "forwarded"][..]),
        (1, &["forwarded here", "to the store", "answered"][..]),
    ] {
        let log = cluster.msgds[shard].log();
        let of_it: Vec<&str> = log.lines().filter(|line| line.contains(&id)).collect();
        for word in words {
            assert!(
                of_it.iter().any(|line| line.contains(word)),
                "{word}: {of_it:#?}"
            );
        }
    }
}

#[tokio::test]
async fn after_the_acknowledgement_of_a_block_nothing_more_arrives() {
    let cluster = Processes::start().await;
    let (ann, ben) = ann_and_ben(&cluster).await;
    let (ann_id, ben_id) = (ann.user.clone(), ben.user.clone());
    let cat = cluster.user_of(0, "cat");
    let cat = Person::comes(&cluster.connds[0].address(), cat.as_str(), "phone").await;
    befriend(&cat, &ben).await;
    ben.leaves().await;
    // A bare line shows the order in which packets come.
    let mut ben = Line::logged_in(&cluster.connds[1].address(), &ben_id, 0).await;
    let ann_client = ann.client.clone();
    let to = ben_id.clone();
    let sending = tokio::spawn(async move {
        let mut fates = Vec::new();
        // Until a refusal: the block holds.
        while !matches!(fates.last(), Some(Fate::Rejected { .. })) {
            let handles = [(); 8].map(|()| ann_client.try_send(&to, "still here"));
            for handle in handles {
                fates.push(handle.expect("a small window").await);
            }
        }
        fates
    });
    let is_anns = |packet: &ServerPacket| matches!(packet, ServerPacket::Deliver(deliver) if deliver.from == ann_id);
    // It is in full flow.
    let mut acknowledged = 0;
    for _ in 0..5 {
        let heard = ben.hears_until(is_anns).await;
        acknowledged += deliveries(&heard);
        ben.says(&[ClientPacket::Ack { seq: acknowledged }]).await;
    }
    let block = ClientPacket::ChangeFriend(ChangeFriend {
        request: 7,
        action: FriendAction::Block,
        peer: ann_id.clone(),
    });
    ben.says(&[block]).await;
    let done = |packet: &ServerPacket| match packet {
        ServerPacket::FriendResult { request: 7, code } => {
            assert_eq!(*code, None);
            true
        }
        _ => false,
    };
    let heard = ben.hears_until(done).await;
    acknowledged += deliveries(&heard);
    ben.says(&[ClientPacket::Ack { seq: acknowledged }]).await;

    let fates = within("a refusal", sending).await.unwrap();
    let refused = |fate: &&Fate| matches!(fate, Fate::Rejected { .. });
    let first = fates.iter().find(refused);
    let code = Code::Blocked;
    assert!(
        matches!(first, Some(Fate::Rejected { code: c, .. }) if *c == code),
        "{fates:?}"
    );
    ann.is_refused(&ben_id, "hello?", code).await;
    // Cat's message leaves after all of ann's were answered: nothing of hers
    // can come behind it.
    let _fence = cat.begins_to_say(&ben_id, "the fence").await;
    let is_deliver = |packet: &ServerPacket| matches!(packet, ServerPacket::Deliver(_));
    let heard = ben.hears_until(is_deliver).await;
    assert!(!heard.iter().any(is_anns), "{heard:?}");
}

fn deliveries(packets: &[ServerPacket]) -> u64 {
    let delivers = packets
        .iter()
        .filter(|p| matches!(p, ServerPacket::Deliver(_)));
    delivers.count() as u64
}

#[tokio::test]
async fn who_was_at_a_killed_gateway_comes_back_at_the_other() {
    let mut cluster = Processes::start().await;
    let addresses = cluster.connds.iter().map(|connd| connd.address());
    let balancer = Balancer::before(addresses.collect()).await;
    let names = [cluster.user_of(0, "ann"), cluster.user_of(1, "ben")];
    let [ann, ben] = names.map(|name| name.to_string());
    let ann = Person::comes(&balancer.address(), &ann, "phone").await;
    let ben = Person::comes(&balancer.address(), &ben, "desk").await;
    befriend(&ann, &ben).await;
    let mut handles = Vec::new();
    for number in 0..50 {
        handles.push(ann.begins_to_say(&ben.user, number.to_string()).await);
    }
    cluster.connds[0].kill();
    for number in 50..100 {
        handles.push(ann.begins_to_say(&ben.user, number.to_string()).await);
    }
    ann.connected(2).await;
    ben.connected(2).await;
    let mut ledger = Ledger::default();
    for handle in handles {
        ledger.awaits(&ann, handle).await;
    }
    ledger.last_words(&ann, &ben).await;
    let balance = ledger.close();
    assert_eq!((balance.unknown, balance.rejected), (0, 0));
    ann.sees(&ben.user, Availability::Online).await;
}

#[tokio::test]
async fn a_killed_shard_comes_back_and_all_that_waits_for_it_is_answered() {
    let mut cluster = Processes::start().await;
    let (ann, ben) = ann_and_ben(&cluster).await;
    let mut handles = Vec::new();
    // Ben's shard, and then ann's own.
    for shard in [1, 0] {
        handles.push(ann.begins_to_say(&ben.user, "before").await);
        cluster.msgds[shard].freeze().await;
        for number in 0..30 {
            handles.push(ann.begins_to_say(&ben.user, number.to_string()).await);
        }
        cluster.msgds[shard].kill();
        for connd in &cluster.connds {
            let admin = connd.admin();
            until("the lost link to be noticed", async || {
                let links = cluster::admin::figure(admin, "im_connd_links").await;
                (links == Some(1)).then_some(())
            })
            .await;
        }
        handles.push(ann.begins_to_say(&ben.user, "while it is gone").await);
        cluster.msgds[shard].start_again().await;
        for connd in &mut cluster.connds {
            connd.ready().await;
        }
    }
    let mut ledger = Ledger::default();
    for handle in handles {
        ledger.awaits(&ann, handle).await;
    }
    ledger.last_words(&ann, &ben).await;
    let balance = ledger.close();
    assert_eq!((balance.unknown, balance.rejected), (0, 0));
    // The gateways kept their clients.
    assert_eq!((ann.logins(), ben.logins()), (1, 1));
    ann.lists(&ben.user, Relation::Friend, false).await;
}

#[tokio::test]
async fn without_the_friend_service_cached_users_log_in_and_write() {
    let mut cluster = Processes::start().await;
    let (ann, ben) = ann_and_ben(&cluster).await;
    cluster.friendd.kill();
    let ann_id = ann.user.clone();
    ann.leaves().await;
    let address = cluster.connds[1].address();
    let ann = Person::comes(&address, ann_id.as_str(), "phone").await;
    for (from, to) in [(&ann, &ben), (&ben, &ann)] {
        from.tells(&to.user, "no friendd").await;
        to.reads("no friendd").await;
    }
    ben.sees(&ann.user, Availability::Online).await;
    ann.sees(&ben.user, Availability::Online).await;
    let refused = ann.client.block(&ben.user).await;
    assert_eq!(refused, Err(ChangeError::Refused(Code::FriendsUnavailable)));

    cluster.friendd.start_again().await;
    until("a change to be done again", async || {
        ann.client.block(&ben.user).await.ok()
    })
    .await;
    ann.lists(&ben.user, Relation::Friend, true).await;
    ben.is_refused(&ann.user, "and now", Code::Blocked).await;
}

#[tokio::test]
async fn each_process_without_clients_stops_within_a_second() {
    let mut cluster = Processes::start().await;
    let (ann, ben) = ann_and_ben(&cluster).await;
    drop((ann, ben));
    let connds = cluster.connds.iter_mut();
    for daemon in connds
        .chain(&mut cluster.msgds)
        .chain([&mut cluster.friendd])
    {
        let took = daemon.stop().await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}
