//! The SDK's shell over real sockets.

mod groups;
mod server;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{
    Client, Code, Confirmation, Event, Fate, Identity, Reason, SeenStore, SendError, Stamp,
};
use proto::client::ClientPacket;
use proto::server::{Closing, Goaway, ServerPacket};
use server::{Server, letter, next, next_message, user};
use tokio::time::timeout;

const STORED: Fate = Fate::Stored { stamp: Stamp(7) };

/// A message there and back, and an orderly end.
async fn visit() {
    let server = Server::start().await;
    let (client, mut events, mut connection) = server.greets(server.settings()).await;
    let handle = client.send(&user("ben"), "hello").await.unwrap();
    let id = connection.hears_message().await;
    assert_eq!(id, handle.id());
    connection.stores(id).await;
    assert_eq!(handle.await, STORED);
    connection.delivers(1).await;
    assert_eq!(next_message(&mut events).await, 1);
    let closing = tokio::spawn(async move { client.close(Duration::from_secs(5)).await });
    assert_eq!(connection.hears().await, Some(ClientPacket::Logout));
    assert_eq!(connection.hears().await, None);
    closing.await.unwrap();
    let closed = next(&mut events).await;
    assert!(matches!(closed, Event::Closed { code: None, .. }));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn on_a_current_thread_runtime() {
    visit().await;
}

#[test]
fn on_a_multi_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(visit());
}

#[tokio::test]
async fn what_is_unanswered_is_sent_again_in_order_after_a_cut() {
    let server = Server::start().await;
    let (client, mut events, mut connection) = server.greets(server.settings()).await;
    let mut handles = Vec::new();
    for text in ["one", "two", "three"] {
        handles.push(client.send(&user("ben"), text).await.unwrap());
    }
    let first = connection.hears_message().await;
    connection.stores(first).await;
    assert_eq!(handles.remove(0).await, STORED);
    drop(connection);
    let lost = next(&mut events).await;
    let Event::Reconnecting { reason, .. } = lost else {
        panic!("a reconnect, not {lost:?}");
    };
    assert!(matches!(reason, Reason::Lost(_)), "{reason}");
    let mut connection = server.accepts().await;
    for handle in handles {
        assert_eq!(connection.hears_message().await, handle.id());
        connection.stores(handle.id()).await;
        assert_eq!(handle.await, STORED);
    }
    assert!(matches!(next(&mut events).await, Event::Connected(_)));
}

#[tokio::test]
async fn a_delivery_is_acknowledged_after_the_application_took_it() {
    let server = Server::start().await;
    let (client, mut events, mut connection) = server.greets(server.settings()).await;
    connection.delivers(1).await;
    assert_eq!(next_message(&mut events).await, 1);
    // Were it acknowledged on arrival, that would come before the message.
    let handle = client.send(&user("ben"), "hello").await.unwrap();
    assert_eq!(connection.hears_message().await, handle.id());
    connection.delivers(2).await;
    assert_eq!(next_message(&mut events).await, 2);
    assert_eq!(connection.hears().await, Some(ClientPacket::Ack { seq: 1 }));
}

#[tokio::test]
async fn in_manual_mode_a_confirmation_acknowledges() {
    let server = Server::start().await;
    let mut settings = server.settings();
    settings.confirmation = Confirmation::Manual;
    let (_client, mut events, mut connection) = server.greets(settings).await;
    let mut identities = Vec::new();
    for n in 1..=2 {
        connection.delivers(n).await;
        let Event::Message(message) = next(&mut events).await else {
            panic!("a message");
        };
        identities.push(message.identity());
    }
    identities.iter().rev().for_each(|i| events.confirm(i));
    let mut acknowledged = 0;
    while acknowledged < 2 {
        let Some(ClientPacket::Ack { seq }) = connection.hears().await else {
            panic!("an acknowledgement");
        };
        acknowledged = seq;
    }
}

#[tokio::test]
async fn a_full_window_makes_senders_wait_in_line() {
    let server = Server::start().await;
    let (client, _events, mut connection) = server.greets(server.settings()).await;
    let mut handles = Vec::new();
    for text in ["a", "b", "c", "d"] {
        handles.push(client.try_send(&user("ben"), text).unwrap());
    }
    let handed_back = client.try_send(&user("ben"), "e").unwrap_err();
    assert_eq!(handed_back, SendError::Full("e".into()));
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.send(&user("ben"), "e").await.unwrap().await }
    });
    for handle in handles {
        assert_eq!(connection.hears_message().await, handle.id());
        connection.stores(handle.id()).await;
    }
    let fifth = connection.hears_message().await;
    connection.stores(fifth).await;
    assert_eq!(waiting.await.unwrap(), STORED);
}

/// The last word of a server counts even when the client's own writes fail.
#[tokio::test]
async fn who_is_replaced_while_sending_stays_away() {
    let server = Server::start().await;
    let (client, mut events, connection) = server.greets(server.settings()).await;
    let mut handles = Vec::new();
    handles.push(client.send(&user("ben"), "unread").await.unwrap());
    // Unread bytes make the close a reset.
    connection.closes_without_reading(Code::Replaced).await;
    handles.push(client.send(&user("ben"), "into nowhere").await.unwrap());
    let closed = next(&mut events).await;
    let Event::Closed { code, .. } = closed else {
        panic!("the end, not {closed:?}");
    };
    assert_eq!(code, Some(Code::Replaced));
    for handle in handles {
        let code = Code::Replaced;
        assert_eq!(handle.await, Fate::Unknown { code });
    }
    let refused = client.send(&user("ben"), "late").await;
    assert_eq!(refused.unwrap_err(), SendError::Closed);
}

struct Memory(Arc<Mutex<HashSet<Identity>>>);

impl SeenStore for Memory {
    fn contains(&mut self, identity: &Identity) -> bool {
        self.0.lock().unwrap().contains(identity)
    }

    fn remember(&mut self, identity: &Identity) {
        self.0.lock().unwrap().insert(identity.clone());
    }
}

#[tokio::test]
async fn what_the_store_of_the_application_knows_is_not_shown_after_a_restart() {
    let server = Server::start().await;
    let known = Arc::new(Mutex::new(HashSet::new()));
    let with_memory = || {
        let mut settings = server.settings();
        settings.seen = Some(Box::new(Memory(Arc::clone(&known))));
        settings
    };
    let (client, mut events, mut connection) = server.greets(with_memory()).await;
    connection.delivers(1).await;
    connection.delivers(2).await;
    assert_eq!(next_message(&mut events).await, 1);
    assert_eq!(next_message(&mut events).await, 2);
    drop((client, events, connection));
    let (from, id) = (user("ben"), letter(1));
    assert_eq!(
        *known.lock().unwrap(),
        HashSet::from([Identity { from, id }])
    );

    let (_client, mut events, mut connection) = server.greets(with_memory()).await;
    connection.delivers(1).await;
    connection.delivers(2).await;
    assert_eq!(next_message(&mut events).await, 2);
    assert_eq!(connection.hears().await, Some(ClientPacket::Ack { seq: 1 }));
}

#[tokio::test]
async fn without_handles_the_connection_is_dropped() {
    let server = Server::start().await;
    let (client, events, mut connection) = server.greets(server.settings()).await;
    drop(events);
    let handle = client.send(&user("ben"), "hello").await.unwrap();
    drop(client);
    let code = Code::FateUnknown;
    assert_eq!(handle.await, Fate::Unknown { code });
    while connection.hears().await.is_some() {}
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_at_once() {
    let settings = client::Settings::open("nowhere", user("ann"), "phone".parse().unwrap());
    assert!(Client::connect(settings).is_err());
}

/// Asks a client to move at once.
const GOAWAY: ServerPacket = ServerPacket::Goaway(Goaway {
    after_ms: 0,
    spread_ms: 0,
});

#[tokio::test]
async fn who_is_sent_away_leaves_when_it_is_connected_elsewhere() {
    let servers = [Server::start().await, Server::start().await];
    let mut settings = servers[0].settings();
    settings.address = format!("{},{}", settings.address, servers[1].settings().address);
    let (client, mut events) = Client::connect(settings).unwrap();
    let (mut connection, other) = tokio::select! {
        connection = servers[0].accepts() => (connection, &servers[1]),
        connection = servers[1].accepts() => (connection, &servers[0]),
    };
    assert!(matches!(next(&mut events).await, Event::Connected(_)));
    assert_eq!(connection.hears().await, Some(ClientPacket::GetFriends));
    let handle = client.send(&user("ben"), "hello").await.unwrap();
    let id = connection.hears_message().await;
    connection.says(&[GOAWAY]).await;
    let mut second = other.accepts().await;
    let moved = next(&mut events).await;
    let Event::Reconnecting { after, reason } = moved else {
        panic!("a move, not {moved:?}");
    };
    assert_eq!((after, reason), (Duration::ZERO, Reason::Goaway));
    // Without a log-out: friends are to see nothing of it.
    assert_eq!(connection.hears().await, None);
    assert!(matches!(next(&mut events).await, Event::Connected(_)));
    assert_eq!(second.hears_message().await, id);
    second.stores(id).await;
    assert_eq!(handle.await, STORED);
}

#[tokio::test]
async fn who_is_sent_away_and_finds_nobody_else_is_served_to_the_end() {
    let server = Server::start().await;
    let (client, mut events, mut connection) = server.greets(server.settings()).await;
    // As a server does that is about to stop.
    drop(server);
    connection.says(&[GOAWAY]).await;
    // Far longer than it takes to try.
    let until = Instant::now() + Duration::from_millis(100);
    while Instant::now() < until {
        let handle = client.send(&user("ben"), "hello").await.unwrap();
        let id = connection.hears_message().await;
        connection.stores(id).await;
        let fate = timeout(Duration::from_secs(20), handle).await;
        assert_eq!(fate, Ok(STORED), "the connection holds");
    }
    let stopping = ServerPacket::Closing(Closing::of(Code::Stopping));
    connection.says(&[stopping]).await;
    let lost = next(&mut events).await;
    let Event::Reconnecting { reason, .. } = lost else {
        panic!("an end, not {lost:?}");
    };
    assert!(reason.to_string().starts_with("301 "), "{reason}");
}
