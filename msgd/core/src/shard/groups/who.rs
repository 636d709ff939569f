//! Who of a group's members is online: its followers know.

use std::time::Duration;

use indexmap::IndexSet;
use proto::clock::Now;
use proto::codes::Code;
use proto::group::{MemberEntry, Standing};
use proto::ids::{GatewayId, GroupId, UserId};
use proto::limits::PAGE_MAX;
use proto::link::{Down, FromGroup};
use proto::server::{Members, ServerPacket};

use super::is_past;
use crate::effect::Effect;
use crate::group::Who;
use crate::group::log::Reply;
use crate::shard::{Shard, send};
use crate::store::Known;

/// An answer holds so long, and is waited for as long.
const WHO_AGE: Duration = Duration::from_secs(1);

/// Askers that wait for one answer.
const ASKERS_MAX: usize = 1_024;

impl Shard {
    pub(super) fn who_is_online(
        &mut self,
        now: Now,
        name: &GroupId,
        reply: Reply,
        after: Option<UserId>,
        out: &mut Vec<Effect>,
    ) {
        let number = self.number();
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let is_fresh = |who: &Who| !is_past(now, who.since, WHO_AGE);
        match &mut group.who {
            Some(who) if who.replies.len() >= ASKERS_MAX => {
                return self.reply_code(now, &reply, Some(Code::Busy), out);
            }
            Some(who) if is_fresh(who) || !who.waiting.is_empty() => {
                who.replies.push((reply, after));
            }
            _ => {
                let waiting: IndexSet<GatewayId> = group.followers.keys().copied().collect();
                for gateway in &waiting {
                    let group = name.clone();
                    let who = FromGroup::Who { group, number };
                    send(*gateway, Down::FromGroup(who), out);
                }
                group.who = Some(Box::new(Who {
                    number,
                    since: now.moment,
                    waiting,
                    users: IndexSet::new(),
                    unnamed: 0,
                    replies: vec![(reply, after)],
                }));
            }
        }
        self.tell_who(now, name, false, out);
        self.arm_group(now, name);
    }

    pub(super) fn present(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        (number, count): (u64, u32),
        users: Vec<UserId>,
        out: &mut Vec<Effect>,
    ) {
        let who = self
            .groups
            .get_mut(name)
            .and_then(|group| group.who.as_mut());
        let Some(who) = who.filter(|who| who.number == number) else {
            return;
        };
        if who.waiting.swap_remove(&gateway) {
            who.unnamed += count.saturating_sub(users.len() as u32);
            who.users.extend(users);
        }
        self.tell_who(now, name, false, out);
    }

    /// A gateway does not follow any more.
    pub(super) fn who_without(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        out: &mut Vec<Effect>,
    ) {
        if let Some(who) = self
            .groups
            .get_mut(name)
            .and_then(|group| group.who.as_mut())
        {
            who.waiting.swap_remove(&gateway);
            self.tell_who(now, name, false, out);
        }
    }

    /// Who was asked for too long ago is told what is known.
    pub(super) fn who_due(&mut self, now: Now, name: &GroupId, out: &mut Vec<Effect>) {
        let who = self
            .groups
            .get_mut(name)
            .and_then(|group| group.who.as_mut());
        if let Some(who) = who
            && is_past(now, who.since, WHO_AGE)
        {
            who.waiting.clear();
            self.tell_who(now, name, true, out);
        }
    }

    /// Tells who asked, when all have said; with the last of them goes what is
    /// known, if it is over.
    fn tell_who(&mut self, now: Now, name: &GroupId, over: bool, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let (Some(who), Some(known)) = (&mut group.who, &group.known) else {
            return;
        };
        if !who.waiting.is_empty() {
            return;
        }
        who.users.sort_unstable();
        let entry = |user: &UserId| match known.roll.row(user)?.kept.known {
            Some(Known::In { role, muted, .. }) => Some(MemberEntry {
                user: user.clone(),
                standing: Standing::In(role),
                muted,
            }),
            _ => None,
        };
        let online: Vec<MemberEntry> = who.users.iter().filter_map(entry).collect();
        let total = online.len() as u32 + who.unnamed;
        let replies = std::mem::take(&mut who.replies);
        if over {
            group.who = None;
        }
        for (reply, after) in replies {
            let is_later =
                |entry: &&MemberEntry| after.as_ref().is_none_or(|after| entry.user > *after);
            let mut later = online.iter().filter(is_later);
            let members = later.by_ref().take(PAGE_MAX).cloned().collect();
            let more = later.next().is_some();
            let packet = ServerPacket::Members(Box::new(Members {
                request: reply.request,
                group: name.clone(),
                members,
                total,
                more,
            }));
            self.reply(now, &reply, packet, out);
        }
    }
}
