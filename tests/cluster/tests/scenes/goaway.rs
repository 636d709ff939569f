//! A gateway is about to stop: who knows another one moves, and who does not is
//! served until it is told.

use std::io::ErrorKind;
use std::time::Duration;

use client::{Availability, Code, Event, Reason};
use cluster::admin::{page, risen};
use cluster::balancer::Balancer;
use cluster::patience::until;
use cluster::person::{Person, befriend};
use cluster::processes::Processes;
use tokio::net::TcpStream;

/// Ann, who knows the first gateway alone, and ben, who comes by a balancer and
/// so to the first that takes him; friends.
async fn ann_and_ben(cluster: &Processes, balancer: &Balancer) -> (Person, Person) {
    let [ann, ben] = [cluster.user_of(0, "ann"), cluster.user_of(1, "ben")];
    let ann = Person::comes(&cluster.connds[0].address(), ann.as_str(), "phone").await;
    let ben = Person::comes(&balancer.address(), ben.as_str(), "desk").await;
    befriend(&ann, &ben).await;
    (ann, ben)
}

/// Waits until a client has lost its connection, and gives why.
async fn reason(who: &Person) -> Reason {
    who.hears("a reason", |events| {
        events.iter().find_map(|event| match event {
            Event::Reconnecting { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    })
    .await
}

async fn is_told_of_the_stop(who: &Person) {
    let reason = reason(who).await;
    assert!(
        matches!(
            reason,
            Reason::Closed {
                code: Code::Stopping,
                ..
            }
        ),
        "{reason}"
    );
}

#[tokio::test]
async fn who_knows_another_gateway_moves_and_who_does_not_is_served_until_the_stop() {
    let soon = ("connd", "[leaving]\nafter = \"0 ms\"\nspread = \"2 s\"");
    let mut cluster = Processes::start_by(&[soon]).await;
    let addresses = cluster.connds.iter().map(|connd| connd.address());
    let balancer = Balancer::before(addresses.collect()).await;
    let (ann, ben) = ann_and_ben(&cluster, &balancer).await;
    let connd = &mut cluster.connds[0];
    connd.asks_to_stop();
    until("it to say so", async || {
        let page = page(connd.admin(), "/readyz").await.ok()?;
        (page.status == 503 && page.body.contains("about to stop")).then_some(())
    })
    .await;
    // Each of its threads closes its own socket a moment later.
    until("new clients to be refused", async || {
        let refused = TcpStream::connect(connd.address()).await.err()?;
        (refused.kind() == ErrorKind::ConnectionRefused).then_some(())
    })
    .await;
    risen(connd.admin(), "im_connd_asked_to_move_total", 2).await;

    assert_eq!(reason(&ben).await, Reason::Goaway);
    ben.connected(2).await;
    ann.tells(&ben.user, "still here").await;
    ben.tells(&ann.user, "elsewhere").await;
    ann.reads("elsewhere").await;

    connd.ends().await;
    is_told_of_the_stop(&ann).await;
    let log = connd.log();
    assert!(
        log.contains("have not moved") && log.contains("left=1"),
        "{log}"
    );
    // Nobody saw ben go.
    let seen = ann.shown(&ben.user);
    let offline = |status| status == Availability::Offline;
    let gone = seen.iter().filter(|peer| offline(peer.status.availability));
    assert_eq!(gone.count(), 0, "{seen:?}");
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_clients() {
    let late = ("connd", "[leaving]\nafter = \"1 min\"");
    let mut cluster = Processes::start_by(&[late]).await;
    let ann = cluster.user_of(0, "ann");
    let ann = Person::comes(&cluster.connds[0].address(), ann.as_str(), "phone").await;
    let connd = &mut cluster.connds[0];
    connd.asks_to_stop();
    risen(connd.admin(), "im_connd_asked_to_move_total", 1).await;
    let took = connd.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    is_told_of_the_stop(&ann).await;
}
