//! Pages: of members, and of histories.

use super::field::{Convert, copied, group, present, user};
use super::group::{entry_to_wire, read_to};
use crate::client::{GetHistory, GetMembers, PacketError};
use crate::group::{Conversation, LogEntry, MemberEntry, Range, Role, Standing, Which};
use crate::ids::{LogEpoch, Stamp};
use crate::limits::{PAGE_BYTES_MAX, PAGE_MAX};
use crate::server::{History, Members};
use crate::wire::client as wire;

impl Convert for wire::GetMembers {
    type Into = GetMembers;

    fn convert(self) -> Result<GetMembers, PacketError> {
        let after = (!self.after.is_empty()).then(|| user("after", &self.after));
        Ok(GetMembers {
            request: self.request,
            group: group("group", &self.group)?,
            which: self.which().convert()?,
            after: after.transpose()?,
        })
    }
}

pub(crate) fn get_members_to_wire(get: &GetMembers) -> wire::GetMembers {
    let after = get.after.as_ref().map(|user| copied(user.as_bytes()));
    wire::GetMembers {
        request: get.request,
        group: copied(get.group.as_bytes()),
        which: wire::Which::from(get.which).into(),
        after: after.unwrap_or_default(),
    }
}

impl Convert for wire::Which {
    type Into = Which;

    fn convert(self) -> Result<Which, PacketError> {
        match self {
            Self::Members => Ok(Which::Members),
            Self::Online => Ok(Which::Online),
            Self::Waiting => Ok(Which::Waiting),
            Self::Banned => Ok(Which::Banned),
            Self::Unspecified => Err(PacketError::Field("which")),
        }
    }
}

impl From<Which> for wire::Which {
    fn from(which: Which) -> Self {
        match which {
            Which::Members => Self::Members,
            Which::Online => Self::Online,
            Which::Waiting => Self::Waiting,
            Which::Banned => Self::Banned,
        }
    }
}

impl Convert for wire::Members {
    type Into = Members;

    fn convert(self) -> Result<Members, PacketError> {
        within_page("members", self.members.len())?;
        let members = self.members.into_iter().map(Convert::convert);
        Ok(Members {
            request: self.request,
            group: group("group", &self.group)?,
            members: members.collect::<Result<_, _>>()?,
            total: self.total,
            more: self.more,
        })
    }
}

pub(super) fn members_to_wire(members: &Members) -> wire::Members {
    wire::Members {
        request: members.request,
        group: copied(members.group.as_bytes()),
        members: members.members.iter().map(member_to_wire).collect(),
        total: members.total,
        more: members.more,
    }
}

impl Convert for wire::MemberEntry {
    type Into = MemberEntry;

    fn convert(self) -> Result<MemberEntry, PacketError> {
        Ok(MemberEntry {
            user: user("user", &self.user)?,
            standing: self.standing().convert()?,
            muted: (self.muted_until_us != 0).then_some(Stamp(self.muted_until_us)),
        })
    }
}

fn member_to_wire(member: &MemberEntry) -> wire::MemberEntry {
    wire::MemberEntry {
        user: copied(member.user.as_bytes()),
        standing: wire::Standing::from(member.standing).into(),
        muted_until_us: member.muted.map_or(0, |until| until.0),
    }
}

impl Convert for wire::Standing {
    type Into = Standing;

    fn convert(self) -> Result<Standing, PacketError> {
        Ok(match self {
            Self::Member => Standing::In(Role::Member),
            Self::Admin => Standing::In(Role::Admin),
            Self::Owner => Standing::In(Role::Owner),
            Self::Invited => Standing::Invited,
            Self::Applied => Standing::Applied,
            Self::Banned => Standing::Banned,
            Self::Unspecified => return Err(PacketError::Field("standing")),
        })
    }
}

impl From<Standing> for wire::Standing {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::In(Role::Member) => Self::Member,
            Standing::In(Role::Admin) => Self::Admin,
            Standing::In(Role::Owner) => Self::Owner,
            Standing::Invited => Self::Invited,
            Standing::Applied => Self::Applied,
            Standing::Banned => Self::Banned,
        }
    }
}

impl Convert for wire::GetHistory {
    type Into = GetHistory;

    fn convert(self) -> Result<GetHistory, PacketError> {
        use wire::get_history::{Of, Range as Wire};
        within_page("count", self.count as usize)?;
        let of = match present("of", self.of)? {
            Of::Group(id) => Conversation::Group(group("group", &id)?),
            Of::Peer(id) => Conversation::Peer(user("peer", &id)?),
        };
        let range = match present("range", self.range)? {
            Wire::After(seq) => Range::After(seq),
            Wire::Before(seq) => Range::Before(seq),
            Wire::SinceUs(stamp) => Range::Since(Stamp(stamp)),
        };
        Ok(GetHistory {
            request: self.request,
            of,
            range,
            count: self.count,
        })
    }
}

pub(crate) fn get_history_to_wire(get: &GetHistory) -> wire::GetHistory {
    use wire::get_history::{Of, Range as Wire};
    wire::GetHistory {
        request: get.request,
        of: Some(match &get.of {
            Conversation::Group(group) => Of::Group(copied(group.as_bytes())),
            Conversation::Peer(peer) => Of::Peer(copied(peer.as_bytes())),
        }),
        range: Some(match get.range {
            Range::After(seq) => Wire::After(seq),
            Range::Before(seq) => Wire::Before(seq),
            Range::Since(stamp) => Wire::SinceUs(stamp.0),
        }),
        count: get.count,
    }
}

impl Convert for wire::History {
    type Into = History;

    fn convert(self) -> Result<History, PacketError> {
        use wire::history::Of;
        within_page("entries", self.entries.len())?;
        let of = match present("of", self.of)? {
            Of::Group(id) => Conversation::Group(group("group", &id)?),
            Of::Peer(id) => Conversation::Peer(user("peer", &id)?),
        };
        let entries = self.entries.into_iter().map(Convert::convert);
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let bytes: usize = entries.iter().map(LogEntry::weight).sum();
        if bytes > PAGE_BYTES_MAX && entries.len() > 1 {
            return Err(PacketError::Field("entries"));
        }
        Ok(History {
            request: self.request,
            of,
            epoch: LogEpoch(self.epoch),
            first: self.first,
            last: self.last,
            read: read_to(self.read_seq, self.read_messages),
            entries,
        })
    }
}

pub(super) fn history_to_wire(history: &History) -> wire::History {
    use wire::history::Of;
    wire::History {
        request: history.request,
        of: Some(match &history.of {
            Conversation::Group(group) => Of::Group(copied(group.as_bytes())),
            Conversation::Peer(peer) => Of::Peer(copied(peer.as_bytes())),
        }),
        epoch: history.epoch.0,
        first: history.first,
        last: history.last,
        read_seq: history.read.seq,
        read_messages: history.read.messages,
        entries: history.entries.iter().map(entry_to_wire).collect(),
    }
}

fn within_page(field: &'static str, count: usize) -> Result<(), PacketError> {
    if count > PAGE_MAX {
        return Err(PacketError::Field(field));
    }
    Ok(())
}
