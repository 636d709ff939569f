//! Groups: what is told of their logs, over gaps and reconnects.

use super::*;
use proto::client::GetHistory;
use proto::group::{
    Action, Belongs, Conversation, Entrance, GroupState, Head, LogEntry, Logged, Place, Range,
    ReadTo, Role, UserGroup,
};
use proto::ids::{GroupId, LogEpoch};
use proto::server::{GroupDeliver, History};

pub(super) fn choir() -> GroupId {
    GroupId::new("choir").unwrap()
}

fn place(epoch: u64, seq: u64) -> Place {
    let epoch = LogEpoch(epoch);
    Place { epoch, seq }
}

fn head(epoch: u64, seq: u64) -> Head {
    Head {
        place: place(epoch, seq),
        messages: seq,
    }
}

pub(super) fn up_to(seq: u64) -> ReadTo {
    let messages = seq;
    ReadTo { seq, messages }
}

/// The choir, whose log ends there, read up to an entry.
pub(super) fn state(epoch: u64, seq: u64, read: u64) -> ServerPacket {
    ServerPacket::GroupState(Box::new(GroupState {
        group: choir(),
        title: "The choir".into(),
        entrance: Entrance::Open,
        role: Role::Member,
        members: 3,
        head: head(epoch, seq),
        read: up_to(read),
        muted: None,
    }))
}

/// Ben's entry of this number.
pub(super) fn entry(seq: u64) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(seq),
        from: user("ben"),
        what: Logged::Message {
            id: MessageId::mint(seq, [0; 10]),
            body: Bytes::from_static(b"la"),
            mentions: Vec::new(),
        },
    }
}

fn changed(seq: u64, from: &str, action: Action) -> LogEntry {
    LogEntry {
        from: user(from),
        what: Logged::Change(action),
        ..entry(seq)
    }
}

pub(super) fn page(
    request: u32,
    epoch: u64,
    last: u64,
    entries: std::ops::RangeInclusive<u64>,
) -> History {
    History {
        request,
        of: Conversation::Group(choir()),
        epoch: LogEpoch(epoch),
        first: 1,
        last,
        read: ReadTo::default(),
        entries: entries.map(entry).collect(),
    }
}

impl Stage {
    /// A member of the choir, whose log ends at this entry and is read.
    pub(super) fn in_choir(seq: u64) -> Self {
        let mut stage = Self::live();
        stage.hears(state(1, seq, seq));
        assert!(matches!(stage.told(), Some(Event::Group(_))));
        assert_eq!(stage.says(), []);
        stage.groups = vec![UserGroup {
            group: choir(),
            belongs: Belongs::Member,
        }];
        stage
    }

    pub(super) fn hears_entry(&mut self, epoch: u64, entry: LogEntry) {
        self.hears(ServerPacket::GroupDeliver(GroupDeliver {
            group: choir(),
            epoch: LogEpoch(epoch),
            entry,
        }));
    }

    /// The one question for what is missing: its number, and after which entry.
    fn asks(&mut self) -> (u32, u64) {
        match &self.says()[..] {
            [
                ClientPacket::GetHistory(GetHistory {
                    request,
                    of: Conversation::Group(group),
                    range: Range::After(after),
                    count: 500,
                }),
            ] if *group == choir() => (*request, *after),
            other => panic!("one question, not {other:?}"),
        }
    }

    pub(super) fn is_given(&mut self, page: History) {
        self.hears(ServerPacket::History(Box::new(page)));
    }

    /// What the application is told of the log: numbers, `-n` the last one of
    /// those skipped, 0 that it began anew.
    pub(super) fn told_log(&mut self) -> Vec<i64> {
        let events = std::iter::from_fn(|| self.told());
        let numbers = events.filter_map(|event| match event {
            Event::GroupEntry(entry) => Some(entry.entry.seq as i64),
            Event::GroupSkipped(skipped) => Some(-(skipped.last as i64)),
            Event::GroupAnew { .. } => Some(0),
            _ => None,
        });
        numbers.collect()
    }

    pub(super) fn unread(&self) -> u64 {
        self.session.group(&choir()).unwrap().unread()
    }
}

#[test]
fn a_log_in_names_groups_and_their_states_follow() {
    let mut stage = Stage::new(Confirmation::Automatic);
    let member = Belongs::Member;
    let by = user("cat");
    stage.groups = vec![
        UserGroup {
            group: choir(),
            belongs: member,
        },
        UserGroup {
            group: GroupId::new("band").unwrap(),
            belongs: Belongs::Invited { by: by.clone() },
        },
    ];
    stage.logs_in();
    assert!(matches!(stage.told(), Some(Event::Connected(_))));
    let group = GroupId::new("band").unwrap();
    let invited = Event::GroupInvited {
        group: group.clone(),
        by: by.clone(),
    };
    assert_eq!(stage.told(), Some(invited));
    assert_eq!(stage.session.invitations(), [(group, by)]);
    assert_eq!(stage.session.groups_awaited(), 1);
    stage.hears(state(1, 9, 4));
    assert_eq!(stage.session.groups_awaited(), 0);
    let Some(Event::Group(told)) = stage.told() else {
        panic!("the group");
    };
    assert_eq!((told.unread(), told.told), (5, 9));
    assert_eq!(stage.session.groups(), [told]);
    assert_eq!(stage.told_log(), [0; 0], "what was before is history");
}

#[test]
fn a_gap_is_pulled_by_one_question_at_a_time_until_it_is_closed() {
    let mut stage = Stage::in_choir(4);
    stage.hears_entry(1, entry(5));
    stage.hears_entry(1, entry(9));
    assert_eq!(stage.told_log(), [5]);
    let (request, after) = stage.asks();
    assert_eq!(after, 5);
    stage.hears_entry(1, entry(10));
    assert_eq!(stage.says(), []);
    stage.is_given(page(request, 1, 10, 6..=7));
    let (request, after) = stage.asks();
    assert_eq!(after, 7);
    stage.is_given(page(request, 1, 10, 8..=8));
    assert_eq!(stage.told_log(), [6, 7, 8, 9, 10]);
    stage.is_given(page(request, 1, 10, 9..=10));
    assert_eq!((stage.says(), stage.told_log()), (vec![], vec![]));
}

#[test]
fn an_end_that_is_named_is_pulled_up_to() {
    let mut stage = Stage::in_choir(4);
    let group = choir();
    let head = head(1, 6);
    stage.hears(ServerPacket::GroupHead { group, head });
    let (request, after) = stage.asks();
    assert_eq!((after, stage.unread()), (4, 2));
    stage.is_given(page(request, 1, 6, 5..=6));
    assert_eq!(stage.told_log(), [5, 6]);
    assert_eq!(stage.says(), []);
}

#[test]
fn what_came_while_away_is_pulled_and_told_once() {
    let mut stage = Stage::in_choir(4);
    stage.hears_entry(1, entry(5));
    stage.hears_entry(1, entry(7));
    stage.asks();
    assert_eq!(stage.told_log(), [5]);
    stage.reconnects();
    assert_eq!(stage.says(), [], "the state comes first");
    stage.hears(state(1, 9, 4));
    stage.hears_entry(1, entry(5));
    let (request, after) = stage.asks();
    assert_eq!(after, 5);
    stage.is_given(page(request, 1, 9, 6..=9));
    stage.hears_entry(1, entry(9));
    stage.hears_entry(1, entry(10));
    assert_eq!(stage.told_log(), [6, 7, 8, 9, 10], "5 was told before");
}

#[test]
fn after_too_long_only_the_newest_are_pulled() {
    let mut stage = Stage::in_choir(4);
    stage.reconnects();
    stage.hears(state(1, 3_000, 4));
    let (request, after) = stage.asks();
    assert_eq!(after, 2_500);
    let skipped = stage.told_log();
    assert_eq!(skipped, [-2_500]);
    stage.is_given(page(request, 1, 3_000, 2_501..=3_000));
    assert_eq!(stage.told_log().len(), 500);
    assert_eq!(stage.says(), []);
}

#[test]
fn another_epoch_begins_anew_and_says_so() {
    let mut stage = Stage::in_choir(40);
    stage.reconnects();
    stage.hears(state(2, 3, 0));
    let (request, after) = stage.asks();
    assert_eq!(after, 0);
    stage.is_given(page(request, 2, 3, 1..=3));
    stage.hears_entry(1, entry(41));
    stage.hears_entry(2, entry(4));
    assert_eq!(stage.told_log(), [0, 1, 2, 3, 4]);
    assert_eq!(stage.unread(), 4);
}

#[test]
fn who_takes_nothing_is_not_pulled_for_until_there_is_room() {
    let mut stage = Stage::in_choir(0);
    for seq in 1..=4_200 {
        stage.hears_entry(1, entry(seq));
    }
    assert_eq!(stage.says(), []);
    let mut told = Vec::new();
    while stage.says().is_empty() {
        let Some(Event::GroupEntry(entry)) = stage.told() else {
            panic!("an entry: {}", told.len());
        };
        told.push(entry.entry.seq);
    }
    assert_eq!(told.len(), 500);
    assert_eq!(told, (1..=500).collect::<Vec<u64>>());
}

#[test]
fn a_question_without_an_answer_is_asked_again_and_a_refused_one_is_not() {
    let mut stage = Stage::in_choir(4);
    stage.hears_entry(1, entry(6));
    stage.asks();
    stage.jumps();
    let (request, _) = stage.asks();
    let code = Some(Code::FateUnknown);
    stage.hears(ServerPacket::GroupResult { request, code });
    assert_eq!(stage.says(), [], "not before a pause");
    stage.jumps();
    let (request, _) = stage.asks();
    let code = Some(Code::NotMember);
    stage.hears(ServerPacket::GroupResult { request, code });
    stage.waits(Duration::from_secs(20));
    assert!(matches!(stage.says()[..], [] | [ClientPacket::GetFriends]));
    stage.hears_entry(1, entry(7));
    stage.asks();
    assert_eq!(stage.effects(), [], "the application did not ask");
}

#[test]
fn changes_make_the_state() {
    let mut stage = Stage::in_choir(4);
    let ann = user("ann");
    let role = Role::Admin;
    let actions = [
        Action::Rename {
            title: "Band".into(),
        },
        Action::SetEntrance(Entrance::Approval),
        Action::Join,
        Action::Invite(user("eva")),
        Action::SetRole {
            user: ann.clone(),
            role,
        },
        Action::Mute {
            user: ann.clone(),
            seconds: 60,
        },
        Action::Kick(user("cat")),
        Action::Kick(user("dan")),
    ];
    for (seq, action) in (5..).zip(actions) {
        stage.hears_entry(1, changed(seq, "ben", action));
    }
    let state = stage.session.group(&choir()).unwrap().state;
    assert_eq!(state.title, "Band");
    assert_eq!((state.entrance, state.role), (Entrance::Approval, role));
    assert_eq!((state.members, state.muted), (3, Some(Stamp(60_000_010))));
    stage.hears_entry(1, changed(13, "ben", Action::Transfer(ann.clone())));
    let role = |stage: &Stage| stage.session.group(&choir()).unwrap().state.role;
    assert_eq!(role(&stage), Role::Owner);
    stage.hears_entry(1, changed(14, "ann", Action::Transfer(user("ben"))));
    stage.hears_entry(1, changed(15, "ben", Action::Unmute(ann)));
    assert_eq!(role(&stage), Role::Admin);
    assert_eq!(stage.session.group(&choir()).unwrap().state.muted, None);
    let told = std::iter::from_fn(|| stage.told());
    let told: Vec<Event> = told.collect();
    let groups = told.iter().filter(|e| matches!(e, Event::Group(_)));
    assert_eq!((told.len(), groups.count()), (12, 1), "once, as it is");
}
