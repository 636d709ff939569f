//! Questions to the friend service and its answers, as messages.
//!
//! Owns their conversion both ways, as strict as that of packets. Must not know
//! who asks.

use std::sync::Arc;

use bytes::Bytes;
use proto::client::PacketError;
use proto::codes::Code;
use proto::friends::{FriendList, ListHash, ListVersion};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;
use proto::wire::client as packets;

use crate::wire;

/// Lists asked for in one request, at most.
pub const QUESTIONS_MAX: usize = 128;

/// The message of a [`GraphRequest::Get`], in a request with others.
pub fn get_to_wire(user: &UserId, if_hash: Option<ListHash>) -> wire::ListQuestion {
    wire::ListQuestion {
        user: copied(user.as_bytes()),
        if_hash: if_hash.map(|hash| copied(&hash.0)).unwrap_or_default(),
    }
}

/// The questions of a request, in their order.
///
/// # Errors
/// There are none, or more than [`QUESTIONS_MAX`], or one of them is none.
pub fn questions(get: wire::GetRequest) -> Result<Vec<GraphRequest>, PacketError> {
    if !(1..=QUESTIONS_MAX).contains(&get.questions.len()) {
        return Err(PacketError::Field("questions"));
    }
    get.questions.into_iter().map(TryInto::try_into).collect()
}

impl TryFrom<wire::ListQuestion> for GraphRequest {
    type Error = PacketError;

    fn try_from(get: wire::ListQuestion) -> Result<Self, PacketError> {
        Ok(Self::Get {
            user: user("user", &get.user)?,
            if_hash: hash_held("if_hash", &get.if_hash)?,
        })
    }
}

/// The message of a [`GraphRequest::Change`].
impl From<&Change> for wire::ChangeRequest {
    fn from(change: &Change) -> Self {
        Self {
            actor: copied(change.actor.as_bytes()),
            peer: copied(change.peer.as_bytes()),
            action: packets::FriendAction::from(change.action).into(),
            actor_version: change.actor_version.0,
            peer_version: change.peer_version.0,
        }
    }
}

impl TryFrom<wire::ChangeRequest> for GraphRequest {
    type Error = PacketError;

    fn try_from(change: wire::ChangeRequest) -> Result<Self, PacketError> {
        Ok(Self::Change(Change {
            action: change.action().try_into()?,
            actor: user("actor", &change.actor)?,
            peer: user("peer", &change.peer)?,
            actor_version: ListVersion(change.actor_version),
            peer_version: ListVersion(change.peer_version),
        }))
    }
}

impl From<&GraphAnswer> for wire::GraphAnswer {
    fn from(answer: &GraphAnswer) -> Self {
        use wire::graph_answer::Answer;
        let answer = match answer {
            GraphAnswer::List(list) => Answer::List(list.as_ref().into()),
            GraphAnswer::NotModified { version } => {
                Answer::NotModified(wire::NotModified { version: version.0 })
            }
            GraphAnswer::Changed { actor, peer } => Answer::Changed(lists_to_wire(actor, peer)),
            GraphAnswer::Conflict { actor, peer } => Answer::Conflict(lists_to_wire(actor, peer)),
            GraphAnswer::Refused { code } => Answer::Refused(code.number()),
            GraphAnswer::Unavailable => Answer::Unavailable(wire::Unavailable {}),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<wire::GraphAnswer> for GraphAnswer {
    type Error = PacketError;

    fn try_from(answer: wire::GraphAnswer) -> Result<Self, PacketError> {
        use wire::graph_answer::Answer;
        Ok(match answer.answer.ok_or(PacketError::Unknown)? {
            Answer::List(friends) => Self::List(FriendList::try_from(friends)?.shared()),
            Answer::NotModified(not) => Self::NotModified {
                version: ListVersion(not.version),
            },
            Answer::Changed(lists) => Self::Changed {
                actor: list("actor", lists.actor)?,
                peer: list("peer", lists.peer)?,
            },
            Answer::Conflict(lists) => Self::Conflict {
                actor: list("actor", lists.actor)?,
                peer: list("peer", lists.peer)?,
            },
            Answer::Refused(number) => Self::Refused {
                code: Code::from_number(number).ok_or(PacketError::Field("refused"))?,
            },
            Answer::Unavailable(_) => Self::Unavailable,
        })
    }
}

fn lists_to_wire(actor: &FriendList, peer: &FriendList) -> wire::Lists {
    wire::Lists {
        actor: Some(actor.into()),
        peer: Some(peer.into()),
    }
}

fn list(
    field: &'static str,
    friends: Option<packets::Friends>,
) -> Result<Arc<FriendList>, PacketError> {
    let friends = friends.ok_or(PacketError::Field(field))?;
    Ok(FriendList::try_from(friends)?.shared())
}

fn user(field: &'static str, bytes: &[u8]) -> Result<UserId, PacketError> {
    UserId::new(bytes).map_err(|error| PacketError::Id(field, error))
}

/// A hash that may be left out: no bytes.
fn hash_held(field: &'static str, bytes: &[u8]) -> Result<Option<ListHash>, PacketError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let hash = bytes.try_into().map_err(|_| PacketError::Field(field))?;
    Ok(Some(ListHash(hash)))
}

fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::friends::{FriendAction, FriendEntry, Relation};

    fn id(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    fn a_list() -> Arc<FriendList> {
        let entry = |user: &str, relation, blocked| FriendEntry {
            user: id(user),
            relation,
            blocked,
        };
        let entries = vec![
            entry("ben", Relation::Friend, false),
            entry("cleo", Relation::None, true),
        ];
        Arc::new(FriendList::new(ListVersion(7), entries).unwrap())
    }

    #[test]
    fn questions_come_back_as_they_were() {
        for if_hash in [None, Some(ListHash([9; 16]))] {
            let user = id("ann");
            let wire = get_to_wire(&user, if_hash);
            let get = GraphRequest::Get { user, if_hash };
            assert_eq!(GraphRequest::try_from(wire), Ok(get));
        }
        for action in [FriendAction::Request, FriendAction::Unblock] {
            let change = Change {
                actor: id("ann"),
                peer: id("ben"),
                action,
                actor_version: ListVersion(3),
                peer_version: ListVersion(4),
            };
            let wire = wire::ChangeRequest::from(&change);
            assert_eq!(
                GraphRequest::try_from(wire),
                Ok(GraphRequest::Change(change))
            );
        }
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let empty = Arc::new(FriendList::empty());
        for answer in [
            GraphAnswer::List(a_list()),
            GraphAnswer::NotModified {
                version: ListVersion(7),
            },
            GraphAnswer::Changed {
                actor: a_list(),
                peer: empty.clone(),
            },
            GraphAnswer::Conflict {
                actor: empty,
                peer: a_list(),
            },
            GraphAnswer::Refused {
                code: Code::ListFull,
            },
            GraphAnswer::Unavailable,
        ] {
            let wire = wire::GraphAnswer::from(&answer);
            assert_eq!(GraphAnswer::try_from(wire), Ok(answer));
        }
    }

    #[test]
    fn a_request_has_a_bounded_number_of_questions() {
        let ann = || get_to_wire(&id("ann"), None);
        let asked = |count| {
            let questions = std::iter::repeat_with(ann).take(count).collect();
            questions_of(questions).map(|asked| asked.len())
        };
        assert_eq!(asked(1), Ok(1));
        assert_eq!(asked(QUESTIONS_MAX), Ok(QUESTIONS_MAX));
        for count in [0, QUESTIONS_MAX + 1] {
            assert_eq!(asked(count), Err(PacketError::Field("questions")));
        }
    }

    fn questions_of(questions: Vec<wire::ListQuestion>) -> Result<Vec<GraphRequest>, PacketError> {
        super::questions(wire::GetRequest { questions })
    }

    #[test]
    fn wrong_fields_are_named() {
        let mut get = get_to_wire(&id("ann"), None);
        get.if_hash = Bytes::from_static(&[1; 15]);
        assert_eq!(
            questions_of(vec![get_to_wire(&id("ann"), None), get]),
            Err(PacketError::Field("if_hash"))
        );
        let nameless = wire::ChangeRequest {
            actor: copied(b"ann"),
            peer: copied(b"ben"),
            ..Default::default()
        };
        assert_eq!(
            GraphRequest::try_from(nameless),
            Err(PacketError::Field("action"))
        );
        let mut answer = wire::GraphAnswer::from(&GraphAnswer::List(a_list()));
        if let Some(wire::graph_answer::Answer::List(list)) = &mut answer.answer {
            list.entries.pop();
        }
        assert_eq!(
            GraphAnswer::try_from(answer),
            Err(PacketError::Field("hash"))
        );
        assert_eq!(
            GraphAnswer::try_from(wire::GraphAnswer::default()),
            Err(PacketError::Unknown)
        );
    }
}
