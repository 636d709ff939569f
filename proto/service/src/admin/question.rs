//! What an operator may ask, and its messages.
//!
//! Owns their conversion both ways. Must not know who answers.

use bytes::Bytes;
use proto::friends::FriendAction;
use proto::ids::{DeviceId, IdError, MessageId, UserId};

use super::wire;
use super::wire::question::Question as Asked;

/// What an operator asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// How each part is.
    Status,
    /// Where a user is.
    Where(UserId),
    /// Logs a user's devices out, or one of them.
    Kick(UserId, Option<DeviceId>),
    /// What waits for a user.
    Mailbox(UserId),
    /// A user's friend list.
    Friends(UserId),
    /// A change of the friend graph.
    ChangeFriend(Change),
    /// Clients of a connd are to move, so many a second.
    Leave(u32),
    /// Where a message is, and where it came by.
    Trace(MessageId),
    /// A copy of the store in a directory of this path.
    Backup(String),
}

/// A change of the friend graph in a user's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// In whose name.
    pub user: UserId,
    /// With whom.
    pub peer: UserId,
    /// What: a request, its acceptance, or the end of a friendship.
    pub action: FriendAction,
}

/// A message that is no question: of another version, or of nobody's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// Nothing is asked that this daemon knows.
    #[error("this daemon does not know the question")]
    Unknown,
    /// A user or device is none.
    #[error("{0}: {1}")]
    Id(&'static str, IdError),
    /// Not 16 bytes.
    #[error("a message's id has 16 bytes")]
    MessageId,
    /// No path.
    #[error("a copy needs a path")]
    Path,
    /// A change that an operator does not make.
    #[error("no such change of a friendship")]
    Action,
}

impl Question {
    /// The user whom it is about.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Status | Self::Leave(_) | Self::Trace(_) | Self::Backup(_) => None,
            Self::Where(user) | Self::Kick(user, _) | Self::Mailbox(user) | Self::Friends(user) => {
                Some(user)
            }
            Self::ChangeFriend(change) => Some(&change.user),
        }
    }
}

impl From<&Question> for wire::Question {
    fn from(question: &Question) -> Self {
        let named = |user: &UserId| user.to_string();
        let question = match question {
            Question::Status => Asked::Status(wire::Status {}),
            Question::Where(user) => Asked::Where(wire::Where { user: named(user) }),
            Question::Kick(user, device) => Asked::Kick(wire::Kick {
                user: named(user),
                device: device.as_ref().map(ToString::to_string).unwrap_or_default(),
            }),
            Question::Mailbox(user) => Asked::Mailbox(wire::Mailbox { user: named(user) }),
            Question::Friends(user) => Asked::Friends(wire::Friends { user: named(user) }),
            Question::ChangeFriend(change) => Asked::ChangeFriend(wire::ChangeFriend {
                user: named(&change.user),
                peer: named(&change.peer),
                action: action_to_wire(change.action).into(),
            }),
            Question::Trace(id) => Asked::Trace(wire::Trace {
                id: Bytes::copy_from_slice(id.as_bytes()),
            }),
            Question::Backup(path) => Asked::Backup(wire::Backup { path: path.clone() }),
            Question::Leave(rate) => Asked::Leave(wire::Leave { rate: *rate }),
        };
        Self {
            question: Some(question),
        }
    }
}

impl TryFrom<wire::Question> for Question {
    type Error = QuestionError;

    fn try_from(question: wire::Question) -> Result<Self, QuestionError> {
        Ok(match question.question.ok_or(QuestionError::Unknown)? {
            Asked::Status(_) => Self::Status,
            Asked::Where(asked) => Self::Where(user("user", &asked.user)?),
            Asked::Kick(asked) => Self::Kick(user("user", &asked.user)?, device(&asked.device)?),
            Asked::Mailbox(asked) => Self::Mailbox(user("user", &asked.user)?),
            Asked::Friends(asked) => Self::Friends(user("user", &asked.user)?),
            Asked::Trace(asked) => {
                let id = MessageId::from_slice(&asked.id);
                Self::Trace(id.ok_or(QuestionError::MessageId)?)
            }
            Asked::Backup(asked) if asked.path.is_empty() => return Err(QuestionError::Path),
            Asked::Backup(asked) => Self::Backup(asked.path),
            Asked::Leave(asked) => Self::Leave(asked.rate),
            Asked::ChangeFriend(asked) => Self::ChangeFriend(Change {
                action: action(asked.action())?,
                user: user("user", &asked.user)?,
                peer: user("peer", &asked.peer)?,
            }),
        })
    }
}

fn user(field: &'static str, text: &str) -> Result<UserId, QuestionError> {
    UserId::new(text).map_err(|error| QuestionError::Id(field, error))
}

/// No text: all of them.
fn device(text: &str) -> Result<Option<DeviceId>, QuestionError> {
    if text.is_empty() {
        return Ok(None);
    }
    let device = DeviceId::new(text);
    device
        .map(Some)
        .map_err(|error| QuestionError::Id("device", error))
}

fn action_to_wire(action: FriendAction) -> wire::Action {
    match action {
        FriendAction::Request => wire::Action::Request,
        FriendAction::Accept => wire::Action::Accept,
        FriendAction::Remove => wire::Action::Remove,
        FriendAction::Decline | FriendAction::Block | FriendAction::Unblock => wire::Action::None,
    }
}

fn action(action: wire::Action) -> Result<FriendAction, QuestionError> {
    match action {
        wire::Action::Request => Ok(FriendAction::Request),
        wire::Action::Accept => Ok(FriendAction::Accept),
        wire::Action::Remove => Ok(FriendAction::Remove),
        wire::Action::None => Err(QuestionError::Action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    #[test]
    fn questions_come_back_as_they_were() {
        let change = |action| {
            Question::ChangeFriend(Change {
                user: id("ann"),
                peer: id("ben"),
                action,
            })
        };
        for question in [
            Question::Status,
            Question::Where(id("ann")),
            Question::Kick(id("ann"), None),
            Question::Kick(id("ann"), Some(DeviceId::new("phone").unwrap())),
            Question::Mailbox(id("ann")),
            Question::Friends(id("ann")),
            Question::Leave(100),
            Question::Backup("/backups/today".to_owned()),
            Question::Trace(MessageId::mint(17, [1; 10])),
            change(FriendAction::Request),
            change(FriendAction::Accept),
            change(FriendAction::Remove),
        ] {
            let wire = wire::Question::from(&question);
            assert_eq!(Question::try_from(wire), Ok(question));
        }
    }

    #[test]
    fn what_is_no_question_is_named() {
        let asked = |question| {
            Question::try_from(wire::Question {
                question: Some(question),
            })
        };
        let nothing = wire::Question::default();
        assert_eq!(Question::try_from(nothing), Err(QuestionError::Unknown));
        let nobody = Asked::Where(wire::Where::default());
        let error = QuestionError::Id("user", IdError::Length(0));
        assert_eq!(asked(nobody), Err(error));
        let block = Question::ChangeFriend(Change {
            user: id("ann"),
            peer: id("ben"),
            action: FriendAction::Block,
        });
        let refused = Question::try_from(wire::Question::from(&block));
        assert_eq!(refused, Err(QuestionError::Action));
    }
}
