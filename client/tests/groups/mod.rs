//! Groups over real sockets.

mod program;

use std::time::Duration;

use bytes::Bytes;
use client::{
    Action, ChangeError, Client, Code, Conversation, Entrance, Event, Fate, GroupId, GroupState,
    Head, LogEntry, LogEpoch, Logged, MessageId, Place, Range, ReadTo, Role, Stamp, Which,
};
use proto::client::ClientPacket;
use proto::group::{MemberEntry, Standing};
use proto::server::{GroupDeliver, History, Members, Outcome, Sent, ServerPacket};
use tokio::time::timeout;

use crate::server::{Connection, PATIENCE, Server, next, user};

fn choir() -> GroupId {
    "choir".parse().unwrap()
}

fn place(seq: u64) -> Place {
    let epoch = LogEpoch(1);
    Place { epoch, seq }
}

fn up_to(seq: u64) -> ReadTo {
    let messages = seq;
    ReadTo { seq, messages }
}

fn state(seq: u64, read: u64) -> ServerPacket {
    ServerPacket::GroupState(Box::new(GroupState {
        group: choir(),
        title: "The choir".into(),
        entrance: Entrance::Open,
        role: Role::Admin,
        members: 3,
        head: Head {
            place: place(seq),
            messages: seq,
        },
        read: up_to(read),
        muted: None,
    }))
}

fn message(seq: u64, id: MessageId, from: &str) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(1_795_000_000_000_000 + seq),
        from: user(from),
        what: Logged::Message {
            id,
            body: Bytes::from_static(b"la la"),
            mentions: Vec::new(),
        },
    }
}

fn old(seq: u64) -> LogEntry {
    message(seq, MessageId::mint(seq, [0; 10]), "ben")
}

fn deliver(entry: LogEntry) -> ServerPacket {
    ServerPacket::GroupDeliver(GroupDeliver {
        group: choir(),
        epoch: LogEpoch(1),
        entry,
    })
}

fn history(request: u32, last: u64, entries: Vec<LogEntry>) -> ServerPacket {
    ServerPacket::History(Box::new(History {
        request,
        of: Conversation::Group(choir()),
        epoch: LogEpoch(1),
        first: 1,
        last,
        read: up_to(0),
        entries,
    }))
}

fn members(request: u32) -> ServerPacket {
    let entry = |name: &str, standing| MemberEntry {
        user: user(name),
        standing,
        muted: None,
    };
    ServerPacket::Members(Box::new(Members {
        request,
        group: choir(),
        members: vec![
            entry("ann", Standing::In(Role::Admin)),
            entry("ben", Standing::In(Role::Owner)),
        ],
        total: 2,
        more: false,
    }))
}

/// The number of the next entry that is told.
async fn next_entry(events: &mut client::Events) -> (u64, bool) {
    loop {
        if let Event::GroupEntry(entry) = next(events).await {
            return (entry.entry.seq, entry.is_echo);
        }
    }
}

/// The next packet that is about groups.
async fn hears_of_groups(connection: &mut Connection) -> ClientPacket {
    loop {
        match connection.hears().await {
            Some(ClientPacket::GetFriends | ClientPacket::Ping | ClientPacket::Ack { .. }) => {}
            Some(packet) => return packet,
            None => panic!("the client is gone"),
        }
    }
}

async fn in_choir(server: &Server) -> (Client, client::Events, Connection) {
    let (client, mut events, mut connection) = server.greets(server.settings()).await;
    connection.says(&[state(4, 4)]).await;
    let Event::Group(group) = next(&mut events).await else {
        panic!("the group");
    };
    assert_eq!(client.group(&choir()), Some(group));
    (client, events, connection)
}

#[tokio::test]
async fn a_message_is_sent_echoed_and_a_gap_pulled() {
    let server = Server::start().await;
    let (client, mut events, mut connection) = in_choir(&server).await;
    let mentions = vec![user("ben")];
    let sent = client.send_to_group(&choir(), mentions, "la la").await;
    let handle = sent.unwrap();
    let ClientPacket::GroupSend(send) = hears_of_groups(&mut connection).await else {
        panic!("a message");
    };
    assert_eq!(
        (send.id, &send.mentions[..]),
        (handle.id(), &[user("ben")][..])
    );
    let (id, stamp) = (send.id, Stamp(7));
    let outcome = Outcome::Logged(place(7));
    let sent = Sent { stamp, outcome };
    let echo = deliver(message(7, id, "ann"));
    connection
        .says(&[ServerPacket::Sent { id, sent }, echo])
        .await;
    let place = place(7);
    assert_eq!(handle.await, Fate::Logged { place, stamp });
    let ClientPacket::GetHistory(get) = hears_of_groups(&mut connection).await else {
        panic!("a question for the gap");
    };
    assert_eq!(get.range, Range::After(4));
    let page = history(get.request, 7, vec![old(5), old(6)]);
    connection.says(&[page]).await;
    for (seq, is_echo) in [(5, false), (6, false), (7, true)] {
        assert_eq!(next_entry(&mut events).await, (seq, is_echo));
    }
    client.mark_group_read(&choir(), up_to(7)).unwrap();
    let ClientPacket::GroupRead(read) = hears_of_groups(&mut connection).await else {
        panic!("a read mark");
    };
    assert_eq!(read.read, up_to(7));
}

#[tokio::test]
async fn room_for_more_is_noticed_without_anything_else() {
    let server = Server::start().await;
    let (client, mut events, mut connection) = in_choir(&server).await;
    let count = 4_200;
    let all: Vec<ServerPacket> = (5..5 + count).map(|n| deliver(old(n))).collect();
    connection.says(&all).await;
    let end = || client.group(&choir()).unwrap().state.head.place.seq;
    let came = async {
        while end() < 4 + count {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, came).await.expect("all of them in time");
    for seq in 5..5 + 4_096 {
        assert_eq!(next_entry(&mut events).await.0, seq);
    }
    let ClientPacket::GetHistory(get) = hears_of_groups(&mut connection).await else {
        panic!("a question for what found no room");
    };
    let Range::After(after) = get.range else {
        panic!("after the last one that is held");
    };
    let rest = (after + 1..5 + count).map(old).collect();
    connection
        .says(&[history(get.request, 4 + count, rest)])
        .await;
    for seq in 5 + 4_096..5 + count {
        assert_eq!(next_entry(&mut events).await.0, seq);
    }
}

#[tokio::test]
async fn requests_have_their_answers() {
    let server = Server::start().await;
    let (client, _events, mut connection) = in_choir(&server).await;
    let group = choir();
    let answers = async {
        loop {
            let answer = match connection.hears().await {
                None => return,
                Some(ClientPacket::ChangeGroup(change)) => ServerPacket::GroupResult {
                    request: change.request,
                    code: (change.action == Action::Join).then_some(Code::Applied),
                },
                Some(ClientPacket::GetMembers(get)) => members(get.request),
                Some(ClientPacket::GetHistory(get)) if get.range == Range::Before(9) => {
                    let (request, code) = (get.request, Some(Code::NotMember));
                    ServerPacket::GroupResult { request, code }
                }
                Some(ClientPacket::GetHistory(get)) => history(get.request, 4, vec![old(4)]),
                Some(_) => continue,
            };
            connection.says(&[answer]).await;
        }
    };
    let asks = async {
        client.change_group(&group, Action::Leave).await.unwrap();
        let joined = client.change_group(&group, Action::Join).await;
        assert_eq!(joined, Err(ChangeError::Refused(Code::Applied)));
        let online = client.members(&group, Which::Online, None).await.unwrap();
        assert_eq!((online.members.len(), online.total), (2, 2));
        let of = Conversation::Group(group.clone());
        let past = client.history(of.clone(), Range::Before(0), 1).await;
        assert_eq!(past.unwrap().entries, [old(4)]);
        let refused = client.history(of, Range::Before(9), 1).await;
        assert_eq!(refused, Err(ChangeError::Refused(Code::NotMember)));
        client.close(Duration::from_secs(5)).await;
    };
    tokio::join!(answers, asks);
}
