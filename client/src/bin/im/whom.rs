//! With whom a conversation is: somebody, or a group.

use std::fmt;
use std::str::FromStr;

use client::{GroupId, IdError, UserId};

/// What stands before a group's name; no name has it.
pub const SIGN: char = '#';

/// The other end of a conversation. Written as `ben` or `#choir`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    User(UserId),
    Group(GroupId),
}

impl Whom {
    /// Who it is, if it is somebody.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Group(_) => None,
        }
    }

    /// Which group it is, if it is one.
    pub fn group(&self) -> Option<&GroupId> {
        match self {
            Self::User(_) => None,
            Self::Group(group) => Some(group),
        }
    }
}

impl From<UserId> for Whom {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

impl From<GroupId> for Whom {
    fn from(group: GroupId) -> Self {
        Self::Group(group)
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "{user}"),
            Self::Group(group) => write!(f, "{SIGN}{group}"),
        }
    }
}

impl FromStr for Whom {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix(SIGN) {
            Some(group) => group.parse().map(Self::Group),
            None => text.parse().map(Self::User),
        }
    }
}

/// Whom a text mentions: `@name`, at most so many as a message may.
pub fn mentioned(text: &str) -> Vec<UserId> {
    let mut users: Vec<UserId> = Vec::new();
    for word in text.split_whitespace() {
        let word = word.trim_start_matches(['(', '"', '\'']);
        let Some(name) = word.strip_prefix('@') else {
            continue;
        };
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
        let end = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
        // A dot at the end ends the sentence.
        let name = name[..end].trim_end_matches(['.', '-', '@']);
        if let Ok(user) = name.parse::<UserId>()
            && !users.contains(&user)
            && users.len() < client::MENTIONS_MAX
        {
            users.push(user);
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_sign_before_its_name() {
        for text in ["ben", "#choir"] {
            let whom: Whom = text.parse().unwrap();
            assert_eq!(whom.to_string(), text);
        }
        assert!("#choir".parse::<Whom>().unwrap().group().is_some());
        assert!("#".parse::<Whom>().is_err() && "##a".parse::<Whom>().is_err());
    }

    #[test]
    fn who_is_named_behind_an_at_sign_is_mentioned_once() {
        let names = |text| -> Vec<String> {
            let users = mentioned(text).into_iter();
            users.map(|user| user.to_string()).collect()
        };
        assert_eq!(
            names("@ben, (@cat) and @ben: see @dan.x."),
            ["ben", "cat", "dan.x"]
        );
        assert_eq!(names("a@b.example @ @/ mail"), [""; 0]);
        let many: String = (0..50).map(|n| format!("@u{n} ")).collect();
        assert_eq!(names(&many).len(), client::MENTIONS_MAX);
    }
}
