//! Events in few words, for who reads a trace.

mod groups;
mod stores;

use std::fmt::Write as _;

use proto::client::ClientPacket;
use proto::friends::{FriendList, Relation};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::{Identity, MessageId};
use proto::link::{Announce, Answer, Attempt, Down, Relayed, Request as Wish, Up};
use proto::server::{Outcome as Fate, ServerPacket};
use proto::status::PeerStatus;

pub use groups::{change, entry};
pub use stores::{outcome, request};

/// The last digits of an id.
pub fn id(id: &MessageId) -> String {
    let [.., a, b, c] = id.as_bytes();
    format!("~{a:02x}{b:02x}{c:02x}")
}

/// A message by its sender.
pub fn message(identity: &Identity) -> String {
    format!("{} of {}", id(&identity.id), identity.from)
}

/// A friend list.
pub fn list(list: &FriendList) -> String {
    let mut text = format!("list v{}", list.version().0);
    for entry in list.entries() {
        let mark = match entry.relation {
            Relation::None => "-",
            Relation::Requested => ">",
            Relation::Invited => "<",
            Relation::Friend => "",
        };
        let blocked = if entry.blocked { "!" } else { "" };
        let _ = write!(text, " {mark}{blocked}{}", short(entry.user.as_str()));
    }
    text
}

fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

fn status(peer: &PeerStatus) -> String {
    let version = peer.version;
    let availability = peer.status.availability;
    format!(
        "{}={availability:?}({}.{})",
        short(peer.user.as_str()),
        version.token.0,
        version.counter
    )
}

fn statuses(peers: &[PeerStatus]) -> String {
    peers.iter().map(status).collect::<Vec<_>>().join(" ")
}

fn announce(announce: &Announce) -> String {
    let again = if announce.again { " again" } else { "" };
    format!(
        "Announce({} {}/{} {:?}{again})",
        announce.session, announce.user, announce.device, announce.status.availability
    )
}

fn relayed(relayed: &Relayed) -> String {
    match relayed {
        Relayed::Forward(forward) => format!(
            "Forward({} {}->{} session {} gen {})",
            id(&forward.message.id),
            forward.message.from,
            forward.message.to,
            forward.session,
            forward.generation.0
        ),
        Relayed::Transient { from, transient } => format!("Transient({from}->{})", transient.to),
        Relayed::Receipt { from, to, kind, .. } => format!("Receipt({kind:?} {from}->{to})"),
        Relayed::Tell(tell) => format!(
            "Tell({:x} {} to {:?} ask {} news {})",
            tell.request,
            status(&tell.status),
            tell.targets,
            tell.ask,
            tell.news
        ),
        Relayed::Statuses {
            request,
            to,
            statuses: peers,
        } => format!("Statuses({request:x} for {to}: {})", statuses(peers)),
        Relayed::FriendAct(act) => format!("FriendAct({act:?})"),
        Relayed::Pledge(pledge) => format!("{pledge:?}"),
        Relayed::FriendActed(acted) => format!(
            "FriendActed({:x} {} {:?} {})",
            acted.request,
            acted.actor,
            acted.code,
            acted.list.as_ref().map(|l| list(l)).unwrap_or_default()
        ),
        of_group => groups::relayed(of_group),
    }
}

/// An envelope to a shard.
pub fn up(envelope: &Up) -> String {
    match envelope {
        Up::Announce(announced) => announce(announced),
        Up::Gone {
            session,
            user,
            lost,
        } => format!("Gone({session} {user} lost {lost})"),
        Up::Submit(submit) => format!(
            "Submit({} {}->{} session {} gen {}{})",
            id(&submit.id),
            submit.from,
            submit.to,
            submit.session,
            submit.generation.0,
            match submit.attempt {
                Attempt::First => "",
                Attempt::Repeated => " repeated",
                Attempt::Resent => " again",
            }
        ),
        Up::Acknowledge {
            session,
            user,
            identities,
        } => {
            let ids: Vec<_> = identities.iter().map(|i| id(&i.id)).collect();
            format!("Acknowledge({session} {user} {})", ids.join(" "))
        }
        Up::Request {
            session,
            user,
            request,
        } => format!("Request({session} {user} {})", wish(request)),
        Up::Relay(relay) => relayed(&relay.relayed),
        Up::ToGroup { group, what } => format!("{} of {group}", groups::to_group(what)),
    }
}

fn wish(wish: &Wish) -> String {
    match wish {
        Wish::SetStatus { status, .. } => format!("SetStatus {:?}", status.availability),
        other => format!("{other:?}"),
    }
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Sent(sent) => fate(&sent.outcome),
        Answer::Rejected { code, .. } => format!("Rejected {code:?}"),
        Answer::Unknown { code } => format!("Unknown {code:?}"),
    }
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Delivered { device } => format!("Delivered {device}"),
        Fate::Stored => "Stored".to_owned(),
        Fate::Logged(place) => format!("Logged {}", groups::place(place)),
    }
}

/// An envelope to a gateway.
pub fn down(envelope: &Down) -> String {
    match envelope {
        Down::Deliver(deliver) => format!(
            "Deliver({} {}->{} session {} token {})",
            id(&deliver.message.id),
            deliver.message.from,
            deliver.message.to,
            deliver.session,
            deliver.token.0
        ),
        Down::Answer {
            session,
            id: message,
            answer: given,
        } => format!(
            "Answer({} session {session} {})",
            id(message),
            answer(given)
        ),
        Down::Return(back) => format!(
            "Return({} session {} gen {} {:?})",
            id(&back.id),
            back.session,
            back.generation.0,
            back.reason
        ),
        Down::Push { sessions, packet } => {
            format!("Push({sessions:?} {})", server_packet(packet))
        }
        Down::Relay(relay) => format!("Relay({})", relayed(&relay.relayed)),
        Down::FromGroup(from) => groups::from_group(from),
        Down::Accepted { .. }
        | Down::Joined { .. }
        | Down::Left { .. }
        | Down::Refused { .. }
        | Down::Close { .. }
        | Down::Carbons { .. } => format!("{envelope:?}"),
    }
}

/// A packet to a client.
pub fn server_packet(packet: &ServerPacket) -> String {
    match packet {
        ServerPacket::LoginOk(_) => "LoginOk".to_owned(),
        ServerPacket::Deliver(deliver) => format!(
            "Deliver(#{} {} from {})",
            deliver.seq,
            id(&deliver.id),
            deliver.from
        ),
        ServerPacket::Sent { id: message, sent } => {
            format!("Sent({} {})", id(message), fate(&sent.outcome))
        }
        ServerPacket::Rejected {
            id: message, code, ..
        } => format!("Rejected({} {code:?})", id(message)),
        ServerPacket::Unknown { id: message, code } => {
            format!("Unknown({} {code:?})", id(message))
        }
        ServerPacket::Presence { peers, snapshot } => {
            let kind = if *snapshot { "Snapshot" } else { "Presence" };
            format!("{kind}({})", statuses(peers))
        }
        ServerPacket::Friends(held) => list(held),
        ServerPacket::FriendsChanged { version, .. } => format!("FriendsChanged(v{})", version.0),
        ServerPacket::FriendsStale { version, .. } => format!("FriendsStale(v{})", version.0),
        ServerPacket::Closing(closing) => format!("Closing({:?})", closing.code),
        other => groups::server_packet(other),
    }
}

/// A packet of a client.
pub fn client_packet(packet: &ClientPacket) -> String {
    match packet {
        ClientPacket::Send(send) => format!("Send({} to {})", id(&send.id), send.to),
        ClientPacket::Login(login) => {
            let status = login.status.as_ref().map(|status| status.availability);
            format!("Login({status:?})")
        }
        other => groups::client_packet(other),
    }
}

/// What a gateway's core gets.
pub fn gateway_event(event: &connd_core::Event) -> String {
    use connd_core::Event;
    match event {
        Event::RingChanged(ring) => format!("RingChanged({})", ring.epoch()),
        Event::Arrived { link, batch } => format!("from {link:?}: {}", all(&batch.envelopes, down)),
        Event::Received {
            session,
            packet: Ok(packet),
        } => format!("session {session}: {}", client_packet(packet)),
        Event::LinkFull { envelope } => format!("LinkFull {}", up(envelope)),
        other => format!("{other:?}"),
    }
}

/// What a shard's core gets.
pub fn shard_event(event: &msgd_core::Event) -> String {
    use msgd_core::Event;
    match event {
        Event::RingChanged(ring) => format!("RingChanged({})", ring.epoch()),
        Event::Arrived { batch, .. } => {
            format!("@{} {}", batch.epoch, all(&batch.envelopes, up))
        }
        Event::Graph { ticket, answer } => format!("graph {:x}: {}", ticket.0, graph(answer)),
        other => format!("{other:?}"),
    }
}

/// A question to the friend service.
pub fn question(request: &GraphRequest) -> String {
    match request {
        GraphRequest::Get { user, if_hash } => {
            format!("Get({user}{})", if if_hash.is_some() { " if" } else { "" })
        }
        GraphRequest::Change(change) => format!(
            "Change({} {:?} {} v{} v{})",
            change.actor, change.action, change.peer, change.actor_version.0, change.peer_version.0
        ),
    }
}

fn graph(answer: &GraphAnswer) -> String {
    match answer {
        GraphAnswer::List(held) => list(held),
        GraphAnswer::Changed { actor, peer } => {
            format!("Changed({} | {})", list(actor), list(peer))
        }
        GraphAnswer::Conflict { actor, peer } => {
            format!("Conflict({} | {})", list(actor), list(peer))
        }
        other => format!("{other:?}"),
    }
}

/// All of them, or how many if they are many.
pub fn all<T>(each: &[T], brief: fn(&T) -> String) -> String {
    if each.len() > 40 {
        return format!("{} of them", each.len());
    }
    each.iter().map(brief).collect::<Vec<_>>().join(", ")
}
