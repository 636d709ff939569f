//! The first packet of each command.
//!
//! Must not know what comes of it.

use bytes::Bytes;
use proto::client::{ChangeGroup, ClientPacket, GroupSend, Login, Send};
use proto::group::{Action, Entrance, Mentions, Which};
use proto::ids::{DeviceId, GroupId, MessageId, UserId};
use proto::limits::VERSION;
use proto::status::Status;

use crate::command::Command;
use crate::list::List;
use crate::live::Live;
use crate::past::Past;
use crate::reply;
use crate::running::Waits;
use crate::turn::Turn;

/// Asked of the session: people at a keyboard are silent for long.
const HEARTBEAT_MS: u32 = 300_000;

/// Logs in, as a device of its own: a user may be there several times.
pub fn login(user: UserId, token: String, turn: &mut Turn) {
    let name = &turn.random[..8];
    let name: String = name.iter().map(|b| format!("{b:02x}")).collect();
    turn.ask(ClientPacket::Login(Box::new(Login {
        version_min: VERSION,
        version_max: VERSION,
        features: 0,
        token,
        user: Some(user),
        device: DeviceId::new(format!("line-{name}")).ok(),
        friends_hash: None,
        heartbeat_ms: HEARTBEAT_MS,
        status: None,
    })));
}

/// Begins a command of a session that is logged in, and says what it waits for;
/// `None` if it is answered already.
pub fn begin(command: Command, live: &mut Live, turn: &mut Turn) -> Option<Waits> {
    Some(match command {
        Command::Join(group) => {
            let request = change(&group, Action::Join, live, turn);
            Waits::Entering(request, group)
        }
        Command::Create { group, title } => {
            let entrance = Entrance::Open;
            let request = change(&group, Action::Create { title, entrance }, live, turn);
            Waits::Entering(request, group)
        }
        Command::Leave(group) => {
            let request = change(&group, Action::Leave, live, turn);
            Waits::Leaving(request, group)
        }
        Command::Invite(group, user) => {
            Waits::Change(change(&group, Action::Invite(user), live, turn))
        }
        Command::Kick(group, user) => Waits::Change(change(&group, Action::Kick(user), live, turn)),
        Command::Say(group, text) => say(group, text, turn),
        Command::Msg(user, text) => send(user, text, turn),
        Command::Get(group, since) => {
            let past = Past::new(live.next_request(), group, since, turn);
            turn.ask(past.ask());
            Waits::Past(past)
        }
        Command::Who(group) => list(group, Which::Online, live, turn),
        Command::Members(group) => list(group, Which::Members, live, turn),
        Command::Groups => asked(ClientPacket::GetGroups, Waits::Groups, turn),
        Command::Friends => asked(ClientPacket::GetFriends, Waits::Friends, turn),
        Command::Ping => asked(ClientPacket::Ping, Waits::Pong, turn),
        Command::Status(availability) => {
            // It has no answer.
            turn.ask(ClientPacket::SetStatus(Status::plain(availability)));
            reply::ok("", turn.out);
            return None;
        }
        Command::Sub => {
            reply::ok("", turn.out);
            live.subscribe(turn);
            return None;
        }
        // These need no log-in and were begun before.
        Command::Login { .. } | Command::Help | Command::Quit => return None,
    })
}

fn asked(packet: ClientPacket, waits: Waits, turn: &mut Turn) -> Waits {
    turn.ask(packet);
    waits
}

fn change(group: &GroupId, action: Action, live: &mut Live, turn: &mut Turn) -> u32 {
    let request = live.next_request();
    turn.ask(ClientPacket::ChangeGroup(ChangeGroup {
        request,
        group: group.clone(),
        action,
    }));
    request
}

fn list(group: GroupId, which: Which, live: &mut Live, turn: &mut Turn) -> Waits {
    let list = List::new(live.next_request(), group, which);
    turn.ask(list.ask());
    Waits::List(list)
}

fn mint(turn: &Turn) -> MessageId {
    MessageId::mint(turn.now.wall.as_ms(), turn.random)
}

fn say(group: GroupId, text: String, turn: &mut Turn) -> Waits {
    let id = mint(turn);
    turn.ask(ClientPacket::GroupSend(GroupSend {
        id,
        group,
        body: Bytes::from(text),
        mentions: Mentions::new(),
        again: false,
    }));
    Waits::Fate(id)
}

fn send(to: UserId, text: String, turn: &mut Turn) -> Waits {
    let id = mint(turn);
    turn.ask(ClientPacket::Send(Send {
        id,
        to,
        body: Bytes::from(text),
        friends_hash: None,
        again: false,
    }));
    Waits::Fate(id)
}
