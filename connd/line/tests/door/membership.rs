//! Commands on groups and on who is in them.

use proto::client::{ChangeGroup, ClientPacket, GetMembers};
use proto::codes::Code;
use proto::group::{Action, Entrance, MemberEntry, Role, Standing, Which};
use proto::server::{Members, ServerPacket};

use crate::desk::Desk;
use crate::samples::{change, group, head, logged, message, number, result, state, user};

fn asked_of(desk: &mut Desk, line: &str, action: Action) -> u32 {
    desk.types(line);
    let packet = desk.asked_one();
    let request = number(&packet);
    let group = group("tea");
    let expected = ClientPacket::ChangeGroup(ChangeGroup {
        request,
        group,
        action,
    });
    assert_eq!(packet, expected);
    request
}

const TEA: &str = r#"{"id":"tea","title":"Five o'clock","members":3,"role":"member"}"#;

#[test]
fn join_tells_what_the_group_is_once_that_is_known() {
    let mut desk = Desk::logged_in();
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&result(request + 1, None));
    desk.gets(&result(request, None));
    assert_eq!(desk.told(), "");
    desk.gets(&state("golf", head(1, 4)));
    assert_eq!(desk.told(), "");
    desk.gets(&state("tea", head(1, 4)));
    desk.is_told("ok", TEA);
}

/// What `JOIN` tells of a group that the user is in, after these entries.
fn joined_after(actions: Vec<Action>) -> String {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 4)));
    for (seq, action) in (5..).zip(actions) {
        desk.gets(&logged("tea", 1, change(seq, action)));
    }
    // One that was told changes nothing any more.
    let title = "Old".into();
    desk.gets(&logged("tea", 1, change(4, Action::Rename { title })));
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&result(request, None));
    assert_eq!(desk.told(), "");
    let count = desk.asked_one();
    assert_eq!(count, of_members(number(&count), Which::Members, None));
    // What others asked is not it.
    desk.gets(&members(number(&count) + 1, &["ann"], 99, true));
    assert_eq!(desk.told(), "");
    desk.gets(&members(number(&count), &["ann"], 12, true));
    desk.replies().remove(0).1
}

#[test]
fn join_of_a_group_that_one_is_in_tells_what_it_is_now() {
    let tea = |title: &str, role: &str| {
        format!(r#"{{"id":"tea","title":"{title}","members":12,"role":"{role}"}}"#)
    };
    let title = "Coffee".into();
    let role = |name, role| Action::SetRole {
        user: user(name),
        role,
    };
    let hers = role("ann", Role::Admin);
    for (actions, expected) in [
        (vec![], tea("Five o'clock", "member")),
        (vec![Action::Rename { title }], tea("Coffee", "member")),
        (vec![hers.clone()], tea("Five o'clock", "admin")),
        (
            vec![role("eve", Role::Admin)],
            tea("Five o'clock", "member"),
        ),
        (
            vec![hers, Action::Transfer(user("ann"))],
            tea("Five o'clock", "owner"),
        ),
        (
            vec![Action::Transfer(user("eve"))],
            tea("Five o'clock", "member"),
        ),
    ] {
        assert_eq!(joined_after(actions), expected);
    }
}

#[test]
fn a_refused_join_says_why() {
    let mut desk = Desk::logged_in();
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&result(request, Some(Code::Applied)));
    desk.is_told(
        "error",
        "136 you have asked to be admitted; an admin decides",
    );
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&state("tea", head(1, 4)));
    desk.gets(&result(request, None));
    let count = number(&desk.asked_one());
    desk.gets(&ServerPacket::GroupLeft {
        group: group("tea"),
        change: None,
    });
    desk.gets(&members(count, &["ann"], 12, true));
    desk.is_told("error", "133 you are not a member of this group");
}

#[test]
fn create_makes_an_open_group() {
    let mut desk = Desk::logged_in();
    for (line, title) in [
        ("CREATE tea Five o'clock", "Five o'clock"),
        ("CREATE tea", ""),
    ] {
        let entrance = Entrance::Open;
        let title = title.into();
        let request = asked_of(&mut desk, line, Action::Create { title, entrance });
        desk.gets(&result(request, Some(Code::GroupExists)));
        desk.is_told("error", "132 there is a group of this name");
    }
    let entrance = Entrance::Open;
    let title = "a b".into();
    let create = Action::Create { title, entrance };
    let request = asked_of(&mut desk, "CREATE tea a b", create);
    // What the group is may be there before the answer.
    desk.gets(&result(request, None));
    desk.gets(&state("tea", head(1, 1)));
    desk.is_told("ok", TEA);
}

#[test]
fn of_a_group_that_was_left_nothing_is_told() {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 4)));
    desk.is_answered("SUB", "ok", "");
    let request = asked_of(&mut desk, "LEAVE tea", Action::Leave);
    desk.gets(&result(request, None));
    desk.is_told("ok", "");
    desk.gets(&logged("tea", 1, change(5, Action::Leave)));
    desk.gets(&logged("tea", 1, message(6, "late")));
    desk.gets(&ServerPacket::GroupLeft {
        group: group("tea"),
        change: None,
    });
    assert_eq!((desk.told().as_str(), desk.asked()), ("", vec![]));
}

#[test]
fn leave_invite_and_kick_are_just_done() {
    let mut desk = Desk::logged_in();
    for (line, action) in [
        ("LEAVE tea", Action::Leave),
        ("INVITE tea eve", Action::Invite(user("eve"))),
        ("KICK tea eve", Action::Kick(user("eve"))),
    ] {
        let request = asked_of(&mut desk, line, action.clone());
        desk.gets(&result(request, None));
        desk.is_told("ok", "");
        let request = asked_of(&mut desk, line, action);
        desk.gets(&result(request, Some(Code::NotAllowed)));
        desk.is_told("error", "134 your role in the group does not allow it");
    }
}

fn of_members(request: u32, which: Which, after: Option<&str>) -> ClientPacket {
    ClientPacket::GetMembers(GetMembers {
        request,
        group: group("tea"),
        which,
        after: after.map(user),
    })
}

fn members(request: u32, names: &[&str], total: u32, more: bool) -> ServerPacket {
    let entry = |name: &&str| MemberEntry {
        user: user(name),
        standing: Standing::In(Role::Member),
        muted: None,
    };
    ServerPacket::Members(Box::new(Members {
        request,
        group: group("tea"),
        members: names.iter().map(entry).collect(),
        total,
        more,
    }))
}

#[test]
fn who_and_members_go_through_all_pages() {
    let mut desk = Desk::logged_in();
    for (line, which) in [("WHO tea", Which::Online), ("MEMBERS tea", Which::Members)] {
        desk.types(line);
        let first = desk.asked_one();
        assert_eq!(first, of_members(number(&first), which, None));
        desk.gets(&members(number(&first), &["ann", "ben"], 3, true));
        assert_eq!(desk.told(), "");
        let second = desk.asked_one();
        assert_eq!(second, of_members(number(&second), which, Some("ben")));
        // A page that was answered is not answered again.
        desk.gets(&members(number(&first), &["eve"], 3, false));
        desk.gets(&members(number(&second), &["ben", "eve"], 3, false));
        let one = |name: &str| format!(r#"{{"user":"{name}","role":"member"}}"#);
        let all = ["ann", "ben", "eve"].map(one).join(",");
        desk.is_told("ok", &format!("[{all}]"));

        desk.types(line);
        let request = number(&desk.asked_one());
        desk.gets(&result(request, Some(Code::NotMember)));
        desk.is_told("error", "133 you are not a member of this group");
    }
}
