//! The page tells what is so: its session is replayed byte for byte.

use std::collections::BTreeMap;

use proto::client::{ChangeGroup, ClientPacket, GetHistory, GetMembers, GroupSend, Send};
use proto::codes::Code;
use proto::group::{Action, MemberEntry, Range, Role, Standing};
use proto::ids::{DeviceId, LogEpoch, Stamp};
use proto::server::{Deliver, Members, Outcome, Sent, ServerPacket};

use crate::desk::Desk;
use crate::samples::{
    NOON, change, group, head, logged, login_ok, message, page, result, state_of, user,
};

const PAGE: &str = include_str!("../../../LINES.md");

/// What a line of the session says: who types it, or is told it.
#[derive(Debug, PartialEq)]
enum Line<'a> {
    Typed(&'a str, &'a str),
    Told(&'a str, &'a str),
}

fn session() -> Vec<Line<'static>> {
    let (_, block) = PAGE.split_once("```text session\n").expect("a session");
    let (block, _) = block.split_once("```").expect("its end");
    let line = |line: &'static str| {
        let who = line.get(..3).expect("who");
        match line[3..].split_at(1) {
            (">", text) => Line::Typed(who, text.trim_start()),
            ("<", text) => Line::Told(who, text.strip_prefix(' ').unwrap_or(text)),
            _ => panic!("neither typed nor told: {line}"),
        }
    };
    block.lines().map(line).collect()
}

/// The bytes of what stands in the page line by line.
#[derive(Default)]
struct Expected {
    bytes: String,
    /// Of a body, still to come.
    rest: usize,
}

impl Expected {
    fn add(&mut self, line: &str) {
        self.bytes.push_str(line);
        if self.rest > 0 {
            self.rest = self.rest.checked_sub(line.len()).expect("a longer body");
            if self.rest > 0 {
                self.rest -= 2;
                self.bytes.push_str("\r\n");
            }
        } else {
            let length = line.split(':').nth(1).expect("a length");
            self.rest = length.parse().expect("a number");
            self.bytes.push_str("\r\n");
        }
    }
}

/// The session behind the doors of ann and ben, who are in no group but tea.
#[derive(Default)]
struct Stage {
    desks: BTreeMap<&'static str, Desk>,
    log: Vec<proto::group::LogEntry>,
    members: Vec<&'static str>,
    /// Of each user's deliveries the one without an acknowledgement.
    delivered: BTreeMap<&'static str, u64>,
    /// How many there were.
    deliveries: u64,
}

impl Stage {
    fn desk(&mut self, who: &'static str) -> &mut Desk {
        self.desks.entry(who).or_insert_with(Desk::new)
    }

    fn types(&mut self, who: &'static str, line: &str) {
        self.desk(who).types(line);
        for packet in self.desk(who).asked() {
            self.answer(who, packet);
        }
    }

    fn gets(&mut self, who: &'static str, packet: &ServerPacket) {
        self.desk(who).gets(packet);
    }

    fn append(&mut self, mut entry: proto::group::LogEntry, who: &'static str) -> u64 {
        let seq = self.log.len() as u64 + 1;
        entry.seq = seq;
        entry.from = user(who);
        entry.stamp = Stamp(NOON.0 + seq * 1_250_000);
        self.log.push(entry.clone());
        for member in self.members.clone() {
            self.gets(member, &logged("tea", 1, entry.clone()));
        }
        seq
    }

    fn answer(&mut self, who: &'static str, packet: ClientPacket) {
        match packet {
            ClientPacket::Login(_) => self.gets(who, &login_ok(who)),
            ClientPacket::Ping => self.gets(who, &ServerPacket::Pong),
            ClientPacket::Logout | ClientPacket::SetStatus(_) => {}
            ClientPacket::Ack { seq } => {
                assert_eq!(self.delivered.remove(who), Some(seq));
            }
            ClientPacket::GetFriends => {
                self.gets(
                    who,
                    &ServerPacket::Friends(proto::friends::FriendList::nobody()),
                );
            }
            ClientPacket::ChangeGroup(change) => self.change(who, change),
            ClientPacket::GroupSend(send) => self.say(who, &send),
            ClientPacket::Send(send) => self.send(who, &send),
            ClientPacket::GetMembers(get) => self.list(who, &get),
            ClientPacket::GetHistory(get) => self.history(who, &get),
            other => panic!("not in the page: {other:?}"),
        }
    }

    fn change(&mut self, who: &'static str, asked: ChangeGroup) {
        if asked.group != group("tea") {
            return self.gets(who, &result(asked.request, Some(Code::NoGroup)));
        }
        let role = match asked.action {
            Action::Create { .. } => Some(Role::Owner),
            Action::Join => Some(Role::Member),
            Action::Kick(_) => {
                return self.gets(who, &result(asked.request, Some(Code::NotAllowed)));
            }
            _ => None,
        };
        if role.is_none() {
            self.members.retain(|member| *member != who);
        }
        let seq = self.append(change(0, asked.action), who);
        self.gets(who, &result(asked.request, None));
        if let Some(role) = role {
            self.members.push(who);
            let count = self.members.len() as u32;
            self.gets(who, &state_of("tea", head(1, seq), role, count));
        }
    }

    fn say(&mut self, who: &'static str, send: &GroupSend) {
        let id = send.id;
        if send.group != group("tea") {
            let (code, text) = (Code::NoGroup, "".into());
            return self.gets(who, &ServerPacket::Rejected { id, code, text });
        }
        let mut entry = message(0, std::str::from_utf8(&send.body).expect("text"));
        if let proto::group::Logged::Message { id: of, .. } = &mut entry.what {
            *of = id;
        }
        let seq = self.append(entry, who);
        let epoch = LogEpoch(1);
        let outcome = Outcome::Logged(proto::group::Place { epoch, seq });
        let stamp = self.log[seq as usize - 1].stamp;
        let sent = Sent { stamp, outcome };
        self.gets(who, &ServerPacket::Sent { id, sent });
    }

    /// All are for ben. Whose client acknowledges it has it; for others it is
    /// stored.
    fn send(&mut self, who: &'static str, send: &Send) {
        let to = "ben";
        assert_eq!(send.to, user(to));
        self.deliveries += 1;
        let number = self.deliveries;
        let stamp = Stamp(NOON.0 + 10_000_000 + number * 1_250_000);
        self.delivered.insert(to, number);
        let deliver = Deliver {
            seq: number,
            id: send.id,
            from: user(who),
            stamp,
            body: send.body.clone(),
        };
        self.gets(to, &ServerPacket::Deliver(deliver));
        for packet in self.desk(to).asked() {
            self.answer(to, packet);
        }
        let device = DeviceId::new("line-1").expect("an id");
        let outcome = match self.delivered.contains_key(to) {
            true => Outcome::Stored,
            false => Outcome::Delivered { device },
        };
        let (id, sent) = (send.id, Sent { stamp, outcome });
        self.gets(who, &ServerPacket::Sent { id, sent });
    }

    fn list(&mut self, who: &'static str, get: &GetMembers) {
        let entry = |(at, name): (usize, &&'static str)| MemberEntry {
            user: user(name),
            standing: Standing::In(if at == 0 { Role::Owner } else { Role::Member }),
            muted: None,
        };
        let members: Vec<MemberEntry> = self.members.iter().enumerate().map(entry).collect();
        let page = Members {
            request: get.request,
            group: get.group.clone(),
            total: members.len() as u32,
            members,
            more: false,
        };
        self.gets(who, &ServerPacket::Members(Box::new(page)));
    }

    fn history(&mut self, who: &'static str, get: &GetHistory) {
        assert!(matches!(get.range, Range::Since(since) if since < NOON));
        let last = self.log.len() as u64;
        let page = page(get.request, "tea", 1, (1, last), self.log.clone());
        self.gets(who, &page);
    }
}

#[test]
fn the_session_of_the_page_is_what_happens() {
    let mut stage = Stage::default();
    let mut lines = session().into_iter().peekable();
    let mut typed = 0;
    while let Some(line) = lines.next() {
        let Line::Typed(who, text) = line else {
            panic!("told before it was typed: {line:?}");
        };
        typed += 1;
        stage.types(who, text);
        let mut expected: BTreeMap<&str, Expected> = BTreeMap::new();
        while let Some(Line::Told(who, text)) = lines.next_if(|line| matches!(line, Line::Told(..)))
        {
            expected.entry(who).or_default().add(text);
        }
        for (name, desk) in &mut stage.desks {
            let expected = expected.remove(name).unwrap_or_default();
            assert_eq!(desk.told(), expected.bytes, "{name}, after {who}> {text}");
            assert_eq!(expected.rest, 0);
        }
        assert!(expected.is_empty());
    }
    assert!(typed >= 18, "{typed} lines");
}

#[test]
fn each_instruction_stands_in_the_page() {
    let mut desk = Desk::new();
    desk.types("HELP");
    let help = desk.replies().remove(0).1;
    let forms: Vec<&str> = help
        .lines()
        .map(|line| line.split("  ").next().expect("a form"))
        .collect();
    assert_eq!(forms.len(), 18);
    for form in forms {
        assert!(PAGE.contains(&format!("\n| `{form}` |")), "{form}");
    }
}
