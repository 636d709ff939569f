//! `im` as a program.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use client::{Code, Stamp};
use proto::client::ClientPacket;
use proto::group::{Belongs, UserGroup};
use proto::server::{Outcome, Sent, ServerPacket};

use super::{choir, deliver, history, members, message, old, place, state};
use crate::server::{Server, user};

/// Runs `im`, with lines in its pipe, against a server that knows the choir.
async fn im(arguments: &[&str], lines: &'static str) -> Output {
    let server = Server::start().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_im"));
    command
        .args(arguments)
        .args(["--connect", &server.address()]);
    command.env_remove("IM_TOKEN").env("TZ", "UTC");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    });
    let groups = [
        (choir(), Belongs::Member),
        (
            "band".parse().unwrap(),
            Belongs::Invited { by: user("ben") },
        ),
    ];
    let groups = groups.map(|(group, belongs)| UserGroup { group, belongs });
    let mut connection = server.accepts_with(groups.to_vec()).await;
    connection.says(&[state(4, 1)]).await;
    while let Some(packet) = connection.hears().await {
        let answers = match packet {
            ClientPacket::GroupSend(send) => {
                let (id, stamp) = (send.id, Stamp(7));
                let outcome = Outcome::Logged(place(5));
                let sent = Sent { stamp, outcome };
                let echo = deliver(message(5, id, "ann"));
                vec![echo, ServerPacket::Sent { id, sent }, deliver(old(6))]
            }
            ClientPacket::GetHistory(get) => vec![history(get.request, 4, vec![old(3), old(4)])],
            ClientPacket::GetMembers(get) => vec![members(get.request)],
            ClientPacket::ChangeGroup(change) => {
                let request = change.request;
                let is_join = change.action == client::Action::Join;
                let refusal = if is_join {
                    Code::Applied
                } else {
                    Code::NotAllowed
                };
                let code = Some(refusal);
                vec![ServerPacket::GroupResult { request, code }]
            }
            _ => vec![],
        };
        connection.says(&answers).await;
    }
    run.await.unwrap()
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test]
async fn im_asks_once_and_prints_the_answer() {
    let who = im(&["group", "who", "ann", "choir"], "").await;
    let expected =
        "  ann                  admin\n  ben                  owner\n  2 here in #choir\n";
    assert_eq!(printed(&who), expected);
    let list = im(&["group", "list", "ann"], "").await;
    let expected = "  #choir                The choir: 3 members, you are admin  3 unread\n  \
                    #band                 ben invites you: /join #band or /leave #band\n";
    assert_eq!(printed(&list), expected);
    let history = im(&["history", "ann", "choir", "--last", "2"], "").await;
    let lines = printed(&history);
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(
        lines.ends_with(" ben: la la\n") && lines.starts_with("2026-11-"),
        "{lines}"
    );
    let sent = im(&["send", "ann", "--group", "choir", "la la"], "").await;
    assert_eq!(printed(&sent), "sent to #choir as 5\n");
    let asked = im(&["group", "join", "ann", "choir"], "").await;
    let expected = "* you have asked to come into #choir; an admin decides\n";
    assert_eq!(
        (asked.status.success(), &printed(&asked)[..]),
        (true, expected)
    );
    let refused = im(&["group", "kick", "ann", "choir", "ben"], "").await;
    assert!(!refused.status.success());
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(why.starts_with("im: 134 your role"), "{why}");
}

#[tokio::test]
async fn im_in_a_pipe_writes_to_groups_and_tells_of_them() {
    let lines = "/groups\n#choir: la la @ben\n/who #choir\n/history #choir 2\n";
    let output = im(&["ann", "--device", "desk"], lines).await;
    let printed = printed(&output);
    assert!(output.status.success(), "{printed}");
    for expected in [
        "membership group=choir role=admin members=3 entrance=open last=4 unread=3 \
         muted_until_ms=0 title=The choir",
        "invitation group=band by=ben",
        "groupmember group=choir user=ben as=owner muted_until_ms=0",
        "groupcount group=choir of=who total=2",
    ] {
        assert!(
            printed.lines().any(|line| line == expected),
            "{expected} in {printed}"
        );
    }
    for (beginning, count) in [
        ("sending number=1 to=#choir", 1),
        ("logged number=1 to=#choir", 1),
        ("groupmessage group=choir seq=6 from=ben", 1),
        ("groupmessage", 1),
        ("grouphistory group=choir seq=", 2),
    ] {
        let found = printed.lines().filter(|line| line.starts_with(beginning));
        assert_eq!(found.count(), count, "{beginning} in {printed}");
    }
}
