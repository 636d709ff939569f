//! Envelopes about groups.

use bytes::Bytes;

use super::action::{action_to_wire, change_group_to_wire};
use super::field::{Convert, copied, group, present, user};
use super::group::{
    at_most, group_deliver_to_wire, group_head_to_wire, group_state_to_wire,
    group_transient_from_to_wire, head, mentions, user_group_to_wire, users_to_wire,
};
use super::group_news::departure;
use super::message::{attempt, message_id};
use super::page::{get_history_to_wire, get_members_to_wire};
use crate::client::PacketError;
use crate::group::{Conversation, Place, UserGroup};
use crate::ids::{Generation, GroupId, LogEpoch, SessionId};
use crate::limits::FOLLOWERS_MAX;
use crate::link::{
    Follow, FromGroup, GroupAsk, GroupRequest, Membership, MembershipVersion, Post, ToGroup, Up,
};
use crate::server::GroupTransientFrom;
use crate::wire::client as packets;
use crate::wire::link as wire;

impl Convert for wire::ToGroup {
    type Into = Up;

    fn convert(self) -> Result<Up, PacketError> {
        use wire::to_group::What;
        let what = match self.what.ok_or(PacketError::Unknown)? {
            What::Follow(follow) => ToGroup::Follow(Follow {
                session: SessionId(follow.session),
                user: user("user", &follow.user)?,
            }),
            What::FollowAgain(again) => ToGroup::FollowAgain {
                after: Place {
                    epoch: LogEpoch(again.epoch),
                    seq: again.seq,
                },
                users: at_most("users", &again.users, FOLLOWERS_MAX)?,
            },
            What::Unfollow(_) => ToGroup::Unfollow,
            What::Dropped(number) => ToGroup::Dropped { number },
            What::Present(present) => ToGroup::Present {
                number: present.number,
                count: present.count,
                users: at_most("users", &present.users, FOLLOWERS_MAX)?,
            },
        };
        let group = group("group", &self.group)?;
        Ok(Up::ToGroup { group, what })
    }
}

pub(super) fn to_group_to_wire(group: &GroupId, what: &ToGroup) -> wire::ToGroup {
    use wire::to_group::What;
    let what = match what {
        ToGroup::Follow(follow) => What::Follow(wire::Follow {
            session: follow.session.0,
            user: copied(follow.user.as_bytes()),
        }),
        ToGroup::FollowAgain { after, users } => What::FollowAgain(wire::FollowAgain {
            epoch: after.epoch.0,
            seq: after.seq,
            users: users_to_wire(users),
        }),
        ToGroup::Unfollow => What::Unfollow(wire::Unfollow {}),
        ToGroup::Dropped { number } => What::Dropped(*number),
        ToGroup::Present {
            number,
            count,
            users,
        } => What::Present(wire::Present {
            number: *number,
            count: *count,
            users: users_to_wire(users),
        }),
    };
    wire::ToGroup {
        group: copied(group.as_bytes()),
        what: Some(what),
    }
}

impl Convert for wire::FromGroup {
    type Into = FromGroup;

    fn convert(self) -> Result<FromGroup, PacketError> {
        use wire::from_group::What;
        Ok(match self.what.ok_or(PacketError::Unknown)? {
            What::Followed(followed) => FromGroup::Followed {
                session: SessionId(followed.session),
                state: Box::new(present("state", followed.state)?.convert()?),
            },
            What::NotMember(not) => FromGroup::NotMember {
                session: SessionId(not.session),
                group: group("group", &not.group)?,
                version: present("version", not.version)?.into(),
            },
            What::Busy(id) => FromGroup::Busy {
                group: group("busy", &id)?,
            },
            What::FollowedAgain(again) => {
                let end = present("head", again.head)?;
                FromGroup::FollowedAgain {
                    group: group("group", &end.group)?,
                    head: head(end.epoch, end.seq, end.messages),
                    gone: at_most("gone", &again.gone, FOLLOWERS_MAX)?,
                    version: present("version", again.version)?.into(),
                }
            }
            What::Entry(entry) => FromGroup::Entry(entry.convert()?),
            What::Transient(transient) => FromGroup::Transient(transient.convert()?),
            What::Drop(drop) => {
                let all = drop.user.is_empty();
                let change = departure(&drop.actor, drop.change)?;
                let (actor, action) = present("actor", change)?;
                FromGroup::Drop {
                    group: group("group", &drop.group)?,
                    number: drop.number,
                    user: (!all).then(|| user("user", &drop.user)).transpose()?,
                    actor,
                    action,
                }
            }
            What::Who(who) => FromGroup::Who {
                group: group("group", &who.group)?,
                number: who.number,
            },
        })
    }
}

pub(super) fn from_group_to_wire(from: &FromGroup) -> wire::FromGroup {
    use wire::from_group::What;
    let what = match from {
        FromGroup::Followed { session, state } => What::Followed(wire::Followed {
            session: session.0,
            state: Some(group_state_to_wire(state)),
        }),
        FromGroup::NotMember {
            session,
            group,
            version,
        } => What::NotMember(wire::NotMember {
            session: session.0,
            group: copied(group.as_bytes()),
            version: Some((*version).into()),
        }),
        FromGroup::Busy { group } => What::Busy(copied(group.as_bytes())),
        FromGroup::FollowedAgain {
            group,
            head,
            gone,
            version,
        } => What::FollowedAgain(wire::FollowedAgain {
            head: Some(group_head_to_wire(group, head)),
            gone: users_to_wire(gone),
            version: Some((*version).into()),
        }),
        FromGroup::Entry(deliver) => What::Entry(group_deliver_to_wire(deliver)),
        FromGroup::Transient(transient) => What::Transient(group_transient_from_to_wire(transient)),
        FromGroup::Drop {
            group,
            number,
            user,
            actor,
            action,
        } => What::Drop(wire::Drop {
            group: copied(group.as_bytes()),
            number: *number,
            user: user
                .as_ref()
                .map_or_else(Bytes::new, |user| copied(user.as_bytes())),
            actor: copied(actor.as_bytes()),
            change: Some(action_to_wire(action)),
        }),
        FromGroup::Who { group, number } => What::Who(wire::Who {
            group: copied(group.as_bytes()),
            number: *number,
        }),
    };
    wire::FromGroup { what: Some(what) }
}

impl Convert for wire::Post {
    type Into = Post;

    fn convert(self) -> Result<Post, PacketError> {
        Ok(Post {
            group: group("group", &self.group)?,
            from: user("from", &self.from)?,
            id: message_id(self.id)?,
            body: self.body,
            mentions: mentions(&self.mentions)?,
            session: SessionId(self.session),
            generation: Generation(self.generation),
            attempt: attempt(self.attempt)?,
        })
    }
}

pub(super) fn post_to_wire(post: Post) -> wire::Post {
    wire::Post {
        group: copied(post.group.as_bytes()),
        from: copied(post.from.as_bytes()),
        id: Some(post.id.into()),
        body: post.body,
        mentions: users_to_wire(&post.mentions),
        session: post.session.0,
        generation: post.generation.0,
        attempt: post.attempt as u32,
    }
}

impl Convert for wire::GroupAsk {
    type Into = GroupAsk;

    fn convert(self) -> Result<GroupAsk, PacketError> {
        use wire::group_ask::What;
        let what = match present("what", self.what)? {
            What::Change(change) => GroupRequest::Change(change.convert()?),
            What::Members(get) => GroupRequest::Members(get.convert()?),
            What::History(get) => {
                let get = get.convert()?;
                match &get.of {
                    Conversation::Group(group) => GroupRequest::History(group.clone(), get),
                    Conversation::Peer(_) => return Err(PacketError::Field("of")),
                }
            }
        };
        Ok(GroupAsk {
            request: self.request,
            actor: user("actor", &self.actor)?,
            what,
        })
    }
}

pub(super) fn group_ask_to_wire(ask: &GroupAsk) -> wire::GroupAsk {
    use wire::group_ask::What;
    let what = match &ask.what {
        GroupRequest::Change(change) => What::Change(change_group_to_wire(change)),
        GroupRequest::Members(get) => What::Members(get_members_to_wire(get)),
        GroupRequest::History(_, get) => What::History(get_history_to_wire(get)),
    };
    wire::GroupAsk {
        request: ask.request,
        actor: copied(ask.actor.as_bytes()),
        what: Some(what),
    }
}

impl From<wire::MembershipVersion> for MembershipVersion {
    fn from(version: wire::MembershipVersion) -> Self {
        Self {
            epoch: LogEpoch(version.epoch),
            revision: version.revision,
        }
    }
}

impl From<MembershipVersion> for wire::MembershipVersion {
    fn from(version: MembershipVersion) -> Self {
        Self {
            epoch: version.epoch.0,
            revision: version.revision,
        }
    }
}

impl Convert for wire::Membership {
    type Into = Membership;

    fn convert(self) -> Result<Membership, PacketError> {
        let belongs = self.belongs.map(Convert::convert).transpose()?;
        Ok(Membership {
            group: group("group", &self.group)?,
            user: user("user", &self.user)?,
            belongs: belongs.map(|of: UserGroup| of.belongs),
            version: present("version", self.version)?.into(),
        })
    }
}

pub(super) fn membership_to_wire(membership: &Membership) -> wire::Membership {
    let belongs = membership.belongs.clone().map(|belongs| UserGroup {
        group: membership.group.clone(),
        belongs,
    });
    wire::Membership {
        user: copied(membership.user.as_bytes()),
        version: Some(membership.version.into()),
        belongs: belongs.as_ref().map(user_group_to_wire),
        group: copied(membership.group.as_bytes()),
    }
}

/// A transient message on its way to the group's shard.
pub(super) fn transient_of(
    from: &[u8],
    transient: Option<packets::GroupTransient>,
) -> Result<GroupTransientFrom, PacketError> {
    let transient = present("transient", transient)?.convert()?;
    Ok(GroupTransientFrom {
        group: transient.group,
        from: user("from", from)?,
        kind: transient.kind,
        body: transient.body,
    })
}

pub(super) fn transient_of_to_wire(transient: GroupTransientFrom) -> wire::GroupTransient {
    wire::GroupTransient {
        from: copied(transient.from.as_bytes()),
        transient: Some(packets::GroupTransient {
            group: copied(transient.group.as_bytes()),
            kind: transient.kind,
            body: transient.body,
        }),
    }
}
