//! What is done to a group: who may, what it does, and where it ends.

use msgd_core::Settings;
use proto::codes::Code;
use proto::group::{Action, Entrance, Logged, Role};
use proto::link::Down;
use proto::server::ServerPacket;

use crate::hall::{Hall, open, room};
use crate::stage::user;

const OK: Result<(), Code> = Ok(());

fn create() -> Action {
    Action::Create {
        title: "Room".into(),
        entrance: Entrance::Open,
    }
}

#[test]
fn an_open_group_lets_everybody_in_once() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    assert_eq!(hall.does("ben", Action::Join), OK);
    let create_it = Logged::Change(create());
    assert_eq!(hall.log(), [create_it, Logged::Change(Action::Join)]);
    assert_eq!(hall.does("ann", create()), OK, "it is there");
    assert_eq!(hall.does("ben", create()), Err(Code::GroupExists));
    assert_eq!(hall.does("ben", Action::Leave), OK);
    assert_eq!(hall.does("ben", Action::Leave), OK);
    assert_eq!(hall.log().len(), 3);
    assert_eq!(hall.does("ann", Action::Leave), Err(Code::OwnerStays));
}

#[test]
fn what_is_not_there_is_said() {
    let mut hall = Hall::new();
    hall.enters("ann");
    for action in [Action::Join, Action::Leave, Action::Dissolve] {
        assert_eq!(hall.does("ann", action), Err(Code::NoGroup));
    }
    assert!(hall.writes.is_empty());
}

#[test]
fn one_comes_in_by_invitation_where_that_is_the_way() {
    let mut hall = Hall::room(Entrance::Invitation, &[]);
    hall.enters("ben");
    assert_eq!(hall.does("ben", Action::Join), Err(Code::NotInvited));
    assert_eq!(hall.does("ann", Action::Invite(user("ben"))), OK);
    assert_eq!(hall.does("ben", Action::Leave), OK, "declined");
    assert_eq!(hall.does("ben", Action::Join), Err(Code::NotInvited));
    assert_eq!(hall.does("ann", Action::Invite(user("ben"))), OK);
    assert_eq!(hall.does("ben", Action::Join), OK);
    assert_eq!(hall.does("ann", Action::Ban(user("ben"))), OK);
    assert_eq!(hall.does("ben", Action::Join), Err(Code::Banned));
    assert_eq!(hall.does("ann", Action::Unban(user("ben"))), OK);
    assert_eq!(hall.does("ben", Action::Join), Err(Code::NotInvited));
}

#[test]
fn an_admin_decides_where_approval_is_the_way() {
    let mut hall = Hall::room(Entrance::Approval, &[]);
    for name in ["ben", "cat"] {
        hall.enters(name);
        hall.said();
        assert_eq!(hall.does(name, Action::Join), Err(Code::Applied));
        let said = hall.said();
        let told = |(_, down): &(_, Down)| match down {
            Down::Push { packet, .. } => **packet == applied(name),
            _ => false,
        };
        assert_eq!(said.iter().filter(|said| told(said)).count(), 1);
        assert_eq!(hall.does(name, Action::Join), Err(Code::Applied));
        assert_eq!(hall.log().len(), 1, "not in the log");
    }
    assert_eq!(hall.does("ann", Action::Admit(user("ben"))), OK);
    assert!(hall.listed("ben").is_some());
    // Both want it.
    assert_eq!(hall.does("ann", Action::Invite(user("cat"))), OK);
    assert!(hall.listed("cat").is_some());
    assert_eq!(hall.log().len(), 3);
    hall.enters("dan");
    assert_eq!(hall.does("dan", Action::Join), Err(Code::Applied));
    assert_eq!(hall.does("ann", Action::Deny(user("dan"))), OK);
    let denied = hall.does("ann", Action::Admit(user("dan")));
    assert_eq!(denied, Err(Code::NoSuchMember));
}

fn applied(name: &str) -> ServerPacket {
    ServerPacket::GroupApplied {
        group: room(),
        user: user(name),
    }
}

#[test]
fn a_group_is_handed_over_with_its_voice() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    let mute = Action::Mute {
        user: user("ben"),
        seconds: 0,
    };
    assert_eq!(hall.does("ann", mute.clone()), OK);
    assert_eq!(hall.does("ann", Action::Transfer(user("ben"))), OK);
    hall.posts("ben", 1);
    assert_eq!(hall.fates(1).len(), 1);
    assert_eq!(hall.log().len(), 5, "nobody could unmute the owner");
    assert_eq!(hall.does("ann", mute), Err(Code::NotAllowed));
    assert_eq!(hall.does("ann", Action::Leave), OK);
    assert_eq!(hall.does("ben", Action::Leave), Err(Code::OwnerStays));
}

/// A room of ann's with one of each kind.
fn full_room() -> Hall {
    let mut hall = Hall::room(Entrance::Invitation, &["adam", "alma", "mia", "mo"]);
    for name in ["adam", "alma"] {
        let role = Role::Admin;
        let user = user(name);
        assert_eq!(hall.does("ann", Action::SetRole { user, role }), OK);
    }
    assert_eq!(hall.does("ann", Action::Invite(user("ina"))), OK);
    assert_eq!(hall.does("ann", Action::Ban(user("bart"))), OK);
    let entrance = Entrance::Approval;
    assert_eq!(hall.does("ann", Action::SetEntrance(entrance)), OK);
    for name in ["apu", "sue"] {
        hall.enters(name);
    }
    assert_eq!(hall.does("apu", Action::Join), Err(Code::Applied));
    hall
}

#[test]
fn each_role_may_do_what_the_table_says() {
    const NO: Result<(), Code> = Err(Code::NotAllowed);
    const WHO: Result<(), Code> = Err(Code::NoSuchMember);
    let mute = |name: &str| Action::Mute {
        user: user(name),
        seconds: 9,
    };
    let admin = |name: &str| Action::SetRole {
        user: user(name),
        role: Role::Admin,
    };
    // The owner, an admin, a member.
    let table = [
        (
            Action::Rename {
                title: "Den".into(),
            },
            [OK, OK, NO],
        ),
        (Action::SetEntrance(Entrance::Open), [OK, OK, NO]),
        (Action::Invite(user("nils")), [OK, OK, NO]),
        (Action::Invite(user("mo")), [OK, OK, NO]),
        (Action::Invite(user("bart")), [WHO, WHO, NO]),
        (Action::Admit(user("apu")), [OK, OK, NO]),
        (Action::Admit(user("ina")), [WHO, WHO, NO]),
        (Action::Deny(user("apu")), [OK, OK, NO]),
        (Action::Deny(user("ina")), [OK, OK, NO]),
        (Action::Deny(user("mo")), [WHO, WHO, NO]),
        (Action::Kick(user("mo")), [OK, OK, NO]),
        (Action::Kick(user("alma")), [OK, NO, NO]),
        (Action::Kick(user("ann")), [NO, NO, NO]),
        (Action::Kick(user("ina")), [WHO, WHO, NO]),
        (Action::Ban(user("mo")), [OK, OK, NO]),
        (Action::Ban(user("alma")), [OK, NO, NO]),
        (Action::Ban(user("ann")), [NO, NO, NO]),
        (Action::Ban(user("nils")), [OK, OK, NO]),
        (Action::Unban(user("bart")), [OK, OK, NO]),
        (Action::Unban(user("mo")), [WHO, WHO, NO]),
        (mute("mo"), [OK, OK, NO]),
        (mute("alma"), [OK, NO, NO]),
        (mute("ann"), [NO, NO, NO]),
        (mute("nils"), [WHO, WHO, NO]),
        (Action::Unmute(user("alma")), [OK, NO, NO]),
        (admin("mo"), [OK, NO, NO]),
        (admin("ann"), [WHO, NO, NO]),
        (admin("nils"), [WHO, NO, NO]),
        (Action::Transfer(user("mo")), [OK, NO, NO]),
        (Action::Transfer(user("nils")), [WHO, NO, NO]),
        (Action::Dissolve, [OK, NO, NO]),
    ];
    for (action, expected) in table {
        for (name, expected) in ["ann", "adam", "mia"].into_iter().zip(expected) {
            let mut hall = full_room();
            let before = hall.log().len();
            let done = hall.does(name, action.clone());
            assert_eq!(done, expected, "{name} {action:?}");
            assert!(done.is_ok() || hall.log().len() == before);
        }
        let stranger = full_room().does("sue", action.clone());
        assert_eq!(stranger, Err(Code::NotMember), "{action:?}");
    }
}

#[test]
fn a_group_holds_so_many_and_knows_so_many_others() {
    let settings = Settings {
        group_members_max: 2,
        group_others_max: 2,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Approval, &["ben"]);
    for name in ["cat", "dan", "eve"] {
        hall.enters(name);
    }
    assert_eq!(hall.does("cat", Action::Join), Err(Code::Applied));
    let full = Err(Code::GroupFull);
    assert_eq!(hall.does("ann", Action::Admit(user("cat"))), full);
    assert_eq!(hall.does("ann", Action::Invite(user("dan"))), OK);
    assert_eq!(hall.does("dan", Action::Join), full);
    assert_eq!(hall.does("eve", Action::Join), full);
    assert_eq!(hall.does("ann", Action::Invite(user("eve"))), full);
    assert_eq!(hall.does("ann", Action::Ban(user("ben"))), full);
    assert_eq!(hall.does("ann", Action::Kick(user("ben"))), OK);
    assert_eq!(hall.does("dan", Action::Join), OK);
    assert_eq!(hall.does("eve", Action::Join), Err(Code::Applied));
}

#[test]
fn a_user_is_in_so_many_groups() {
    let settings = Settings {
        groups_per_user_max: 1,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Open, &[]);
    let other = proto::ids::GroupId::new("other").unwrap();
    assert_eq!(
        hall.does_to(&other, "ann", create()),
        Err(Code::TooManyGroups)
    );
    assert_eq!(
        hall.does_to(&other, "ann", Action::Join),
        Err(Code::TooManyGroups)
    );
    assert_eq!(hall.does("ann", Action::Join), OK, "in it already");
    assert_eq!(hall.does("ann", Action::Dissolve), OK);
    assert_eq!(hall.does_to(&other, "ann", create()), OK);
}

#[test]
fn who_asks_and_hears_nothing_is_told_that_it_is_not_known() {
    let mut hall = Hall::room(Entrance::Open, &[]);
    hall.holds_writes = true;
    let rename = Action::Rename {
        title: "Den".into(),
    };
    let request = hall.asks("ann", rename);
    hall.pass(std::time::Duration::from_secs(4));
    assert_eq!(hall.result(request), Some(Err(Code::FateUnknown)));
    hall.lets_write(true);
    assert_eq!(hall.result(request), Some(Err(Code::FateUnknown)), "once");
}
