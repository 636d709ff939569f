//! Groups: what this user sends to them and asks of them, and who is in them.

use super::groups::{choir, state, up_to};
use super::*;
use proto::client::{GroupSend, GroupTransient};
use proto::group::{
    Action, Belongs, Conversation, LogEntry, Logged, Place, Range, UserGroup, Which,
};
use proto::ids::{GroupId, LogEpoch};
use proto::server::{GroupDeliver, GroupTransientFrom, History, Members};

impl Stage {
    fn writes(&mut self, id: Option<MessageId>, mentions: &[&str]) -> Result<MessageId, SendError> {
        let mentions = mentions.iter().map(|name| user(name)).collect();
        let to = To::Group(choir(), mentions);
        let body = Bytes::from_static(b"la");
        self.session.send(self.now, id, to, body)
    }

    /// The messages for the choir that it says now, and whether each is a
    /// repeat.
    fn says_to_choir(&mut self) -> Vec<(MessageId, bool)> {
        let said = self.says().into_iter().filter_map(|packet| match packet {
            ClientPacket::GroupSend(GroupSend { id, again, .. }) => Some((id, again)),
            _ => None,
        });
        said.collect()
    }

    fn hears_message(&mut self, seq: u64, from: &str, id: MessageId, mentions: &[&str]) {
        self.hears(ServerPacket::GroupDeliver(GroupDeliver {
            group: choir(),
            epoch: LogEpoch(1),
            entry: LogEntry {
                seq,
                messages: seq,
                stamp: Stamp(seq),
                from: user(from),
                what: Logged::Message {
                    id,
                    body: Bytes::from_static(b"la"),
                    mentions: mentions.iter().map(|name| user(name)).collect(),
                },
            },
        }));
    }

    /// Whether the next entry is an echo, and whether it mentions this user.
    fn told_flags(&mut self) -> (bool, bool) {
        match self.told() {
            Some(Event::GroupEntry(entry)) => (entry.is_echo, entry.mentions_me),
            other => panic!("an entry, not {other:?}"),
        }
    }

    fn changes(&mut self, action: Action) -> u32 {
        let now = self.now;
        let request = self.session.change_group(now, choir(), action).unwrap();
        assert!(matches!(self.says()[..], [ClientPacket::ChangeGroup(_)]));
        request
    }
}

#[test]
fn a_message_for_a_group_waits_in_the_same_window_and_goes_out_again() {
    let mut stage = Stage::in_choir(0);
    let first = stage.sends("to ben");
    let second = stage.writes(None, &["cat"]).unwrap();
    let third = stage.writes(None, &[]).unwrap();
    stage.writes(None, &[]).unwrap();
    assert!(matches!(stage.writes(None, &[]), Err(SendError::Full(_))));
    stage.is_answered(first);
    let said = stage.says_to_choir();
    assert_eq!(said[..2], [(second, false), (third, false)]);
    let place = Place {
        epoch: LogEpoch(1),
        seq: 1,
    };
    let (id, stamp, outcome) = (second, Stamp(5), Outcome::Logged(place));
    let sent = Sent { stamp, outcome };
    stage.hears(ServerPacket::Sent { id, sent });
    let fate = Fate::Logged { place, stamp };
    assert_eq!(
        stage.effects(),
        [stored(first), Effect::Settle { id, fate }]
    );
    stage.reconnects();
    assert_eq!(stage.says_to_choir()[0], (third, true));
    let many = vec!["cat"; 33];
    let too_many = Err(SendError::TooManyMentions(33));
    assert_eq!(stage.writes(None, &many), too_many);
}

#[test]
fn an_echo_is_known_by_its_id_and_a_mention_by_the_name() {
    let mut stage = Stage::in_choir(0);
    let id = stage.writes(None, &[]).unwrap();
    stage.hears_message(1, "ann", id, &["ann"]);
    assert_eq!(stage.told_flags(), (true, true));
    stage.hears_message(1, "ann", id, &[]);
    assert_eq!(stage.told(), None);
    stage.hears_message(2, "ann", MessageId::mint(9, [0; 10]), &["ben"]);
    assert_eq!(stage.told_flags(), (false, false), "of another device");
    stage.hears_message(3, "ben", id, &["ben", "ann"]);
    assert_eq!(
        stage.told_flags(),
        (false, true),
        "another's of the same id"
    );
}

#[test]
fn a_change_is_answered_or_its_fate_is_unknown() {
    let mut stage = Stage::in_choir(0);
    let done = stage.changes(Action::Invite(user("cat")));
    let refused = stage.changes(Action::Dissolve);
    let lost = stage.changes(Action::Join);
    let code = Some(Code::NotAllowed);
    let request = refused;
    stage.hears(ServerPacket::GroupResult { request, code });
    let (request, code) = (done, None);
    stage.hears(ServerPacket::GroupResult { request, code });
    stage.reconnects();
    assert_eq!(stage.says(), [], "it may have been done: not again");
    let silent = stage.changes(Action::Join);
    stage.waits(Duration::from_secs(10));
    let answered = |request, result| Effect::Changed { request, result };
    let unanswered = Err(ChangeError::Unanswered);
    assert_eq!(
        stage.effects(),
        [
            answered(refused, Err(ChangeError::Refused(Code::NotAllowed))),
            answered(done, Ok(Answer::Done)),
            answered(lost, unanswered.clone()),
            answered(silent, unanswered),
        ]
    );
    let title = "x".repeat(TEXT_BYTES_MAX + 1).into();
    let now = stage.now;
    let named = stage
        .session
        .change_group(now, choir(), Action::Rename { title });
    assert_eq!(named, Err(RequestError::TooLong(TEXT_BYTES_MAX)));
}

#[test]
fn questions_are_asked_again_after_a_reconnect_and_given_up_in_the_end() {
    let mut stage = Stage::in_choir(0);
    let (now, of) = (stage.now, Conversation::Group(choir()));
    let whom = stage.session.members(now, choir(), Which::Online, None);
    let whom = whom.unwrap();
    let what = stage
        .session
        .history(now, of.clone(), Range::Before(0), 900);
    let what = what.unwrap();
    assert_eq!(stage.says().len(), 2);
    stage.reconnects();
    let said = stage.says();
    let [
        ClientPacket::GetMembers(members),
        ClientPacket::GetHistory(history),
    ] = &said[..]
    else {
        panic!("both again, not {said:?}");
    };
    assert_eq!((members.request, history.request), (whom, what));
    assert_eq!(history.count, 500);
    let members = Members {
        request: whom,
        group: choir(),
        members: Vec::new(),
        total: 0,
        more: false,
    };
    let of_another = Members {
        request: what,
        ..members.clone()
    };
    stage.hears(ServerPacket::Members(Box::new(of_another)));
    stage.hears(ServerPacket::Members(Box::new(members.clone())));
    let (request, result) = (whom, Ok(Answer::Members(Box::new(members))));
    assert_eq!(stage.effects(), [Effect::Changed { request, result }]);
    stage.waits(Duration::from_secs(10));
    let (request, result) = (what, Err(ChangeError::Unanswered));
    assert_eq!(stage.effects(), [Effect::Changed { request, result }]);
}

#[test]
fn a_history_that_was_asked_for_is_no_log() {
    let mut stage = Stage::in_choir(9);
    let (now, of) = (stage.now, Conversation::Group(choir()));
    let request = stage.session.history(now, of.clone(), Range::Before(0), 5);
    let request = request.unwrap();
    let history = Box::new(History {
        request,
        of,
        epoch: LogEpoch(1),
        first: 1,
        last: 12,
        read: up_to(9),
        entries: Vec::new(),
    });
    stage.says();
    stage.hears(ServerPacket::History(history.clone()));
    let result = Ok(Answer::History(history));
    assert_eq!(stage.effects(), [Effect::Changed { request, result }]);
    assert_eq!((stage.says(), stage.told()), (vec![], None));
}

#[test]
fn invitations_come_and_go_and_so_do_memberships() {
    let mut stage = Stage::in_choir(3);
    let band = GroupId::new("band").unwrap();
    let (group, by) = (band.clone(), user("ben"));
    let invitation = ServerPacket::GroupInvited { group, by };
    stage.hears(invitation.clone());
    stage.hears(invitation);
    assert!(matches!(stage.told(), Some(Event::GroupInvited { .. })));
    assert_eq!(stage.told(), None, "told once");
    let now = stage.now;
    let (group, action) = (band, Action::Leave);
    let request = stage.session.change_group(now, group, action).unwrap();
    let code = None;
    stage.hears(ServerPacket::GroupResult { request, code });
    assert_eq!(stage.session.invitations(), []);
    let (group, user) = (choir(), user("cat"));
    stage.hears(ServerPacket::GroupApplied { group, user });
    assert!(matches!(stage.told(), Some(Event::GroupApplied { .. })));
    let by = Some((super::user("ben"), Action::Kick(super::user("ann"))));
    let group = choir();
    let (left, change) = (group.clone(), by.clone());
    stage.hears(ServerPacket::GroupLeft { group, change });
    let (group, change) = (left, by);
    assert_eq!(stage.told(), Some(Event::GroupLeft { group, change }));
    assert_eq!(stage.session.groups(), []);
    stage.hears_message(4, "ben", MessageId::mint(4, [0; 10]), &[]);
    assert_eq!((stage.told(), stage.says()), (None, vec![]));
}

#[test]
fn who_was_put_out_while_away_is_told_at_the_log_in() {
    let mut stage = Stage::in_choir(3);
    stage.groups.clear();
    stage.reconnects();
    let (group, change) = (choir(), None);
    assert_eq!(stage.told(), Some(Event::GroupLeft { group, change }));
    assert_eq!(stage.session.groups(), []);
    stage.groups = vec![UserGroup {
        group: choir(),
        belongs: Belongs::Member,
    }];
    stage.reconnects();
    stage.hears(state(1, 20, 3));
    assert!(matches!(stage.told(), Some(Event::Group(_))));
    assert_eq!(stage.says(), [], "who comes anew begins at the end");
}

#[test]
fn signals_go_to_groups_and_come_from_them() {
    let mut stage = Stage::in_choir(0);
    let transient = GroupTransient {
        group: choir(),
        kind: 1,
        body: Bytes::new(),
    };
    stage.session.group_transient(transient.clone());
    let said = [ClientPacket::GroupTransient(transient.clone())];
    assert_eq!(stage.says(), said);
    let heard = GroupTransientFrom {
        group: choir(),
        from: user("ben"),
        kind: 1,
        body: Bytes::new(),
    };
    stage.hears(ServerPacket::GroupTransient(heard.clone()));
    let from = user("ann");
    let own = GroupTransientFrom {
        from,
        ..heard.clone()
    };
    stage.hears(ServerPacket::GroupTransient(own));
    assert_eq!(stage.told(), Some(Event::GroupTransient(heard)));
    assert_eq!(stage.told(), None, "an own one that came back");
    stage.breaks();
    stage.session.group_transient(transient);
    stage.rests();
    stage.logs_in();
    assert_eq!(stage.says(), []);
}
