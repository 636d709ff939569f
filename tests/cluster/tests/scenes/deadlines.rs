//! What is closed for being silent. Each scene waits for a deadline of the
//! server, so all of them wait at once.

use std::time::{Duration, Instant};

use client::{Availability, Code, Event, Reason};
use cluster::balancer::Balancer;
use cluster::imd::Imd;
use cluster::line::Line;
use cluster::person::{Person, befriend, settings, user};
use proto::client::ClientPacket;
use proto::server::ServerPacket;

#[tokio::test]
async fn the_silent_and_the_half_open_are_found() {
    let imd = Imd::start().await;
    let balancer = Balancer::before(vec![imd.address()]).await;
    tokio::join!(
        nobody_logs_in(&imd),
        a_slow_login_is_no_login(&imd),
        the_silent_is_closed(&imd),
        a_half_open_client_comes_back(&imd, &balancer),
        a_vanished_client_is_offline(&imd),
    );
}

/// Ten seconds by default.
const LOGIN_PATIENCE: Duration = Duration::from_secs(10);

async fn nobody_logs_in(imd: &Imd) {
    let began = Instant::now();
    let mut line = Line::to(&imd.address()).await;
    let heard = line.hears_all().await;
    assert!(is_closing(&heard, Code::LoginTimeout), "{heard:?}");
    assert!(began.elapsed() >= LOGIN_PATIENCE);
}

/// A frame that never becomes whole does not keep a connection.
async fn a_slow_login_is_no_login(imd: &Imd) {
    let mut line = Line::to(&imd.address()).await;
    line.says_bytes(&[0, 0, 0, 50, 10]).await;
    let heard = line.hears_all().await;
    assert!(is_closing(&heard, Code::LoginTimeout), "{heard:?}");
}

/// A heartbeat of a second, and twice as long without one.
async fn the_silent_is_closed(imd: &Imd) {
    let mut line = Line::logged_in(&imd.address(), &user("silent"), 1_000).await;
    // A ping counts: the two seconds begin anew.
    line.hears_until(|packet| matches!(packet, ServerPacket::Presence { .. }))
        .await;
    line.says(&[ClientPacket::Ping]).await;
    let pinged = Instant::now();
    let heard = line.hears_all().await;
    assert!(heard.contains(&ServerPacket::Pong), "{heard:?}");
    assert!(is_closing(&heard[1..], Code::Silent), "{heard:?}");
    assert!(pinged.elapsed() >= Duration::from_millis(1_900));
}

fn is_closing(heard: &[ServerPacket], wanted: Code) -> bool {
    matches!(heard, [ServerPacket::Closing(closing)] if closing.code == wanted)
}

async fn a_half_open_client_comes_back(imd: &Imd, balancer: &Balancer) {
    let ann = quick(&balancer.address(), "ann").await;
    let ben = quick(&imd.address(), "ben").await;
    befriend(&ann, &ben).await;
    ben.sees(&ann.user, Availability::Online).await;
    balancer.loses_all();
    ann.hears("that the server is silent", |events| {
        let silent = |event: &Event| {
            matches!(
                event,
                Event::Reconnecting {
                    reason: Reason::Silent,
                    ..
                }
            )
        };
        events.iter().any(silent).then_some(())
    })
    .await;
    ann.connected(2).await;
    ben.tells(&ann.user, "are you there").await;
    ann.reads("are you there").await;
}

/// The server finds a client that is half-open and never comes back.
async fn a_vanished_client_is_offline(imd: &Imd) {
    let balancer = Balancer::before(vec![imd.address()]).await;
    let cat = quick(&balancer.address(), "cat").await;
    let dan = quick(&imd.address(), "dan").await;
    befriend(&cat, &dan).await;
    let cat_id = cat.user.clone();
    dan.sees(&cat_id, Availability::Online).await;
    balancer.loses_all();
    cat.vanishes().await;
    dan.sees(&cat_id, Availability::Offline).await;
}

/// With the shortest heartbeat.
async fn quick(address: &str, name: &str) -> Person {
    let mut settings = settings(address, name, "phone");
    settings.account.heartbeat = Duration::from_secs(1);
    Person::comes_with(settings).await
}
