//! What members want to know of a group.

use proto::client::{GetHistory, GetMembers};
use proto::clock::Now;
use proto::codes::Code;
use proto::group::{Role, Standing, Which};
use proto::ids::GroupId;
use proto::limits::PAGE_MAX;
use proto::server::{Members, ServerPacket};

use super::catch_up::Reading;
use crate::effect::Effect;
use crate::group::log::Reply;
use crate::shard::Shard;

impl Shard {
    pub(super) fn members(
        &mut self,
        now: Now,
        get: GetMembers,
        reply: Reply,
        out: &mut Vec<Effect>,
    ) {
        let least = match get.which {
            Which::Members | Which::Online => Role::Member,
            Which::Waiting | Which::Banned => Role::Admin,
        };
        if let Err(code) = self.may_ask(&get.group, &reply, least) {
            return self.reply_code(now, &reply, Some(code), out);
        }
        let of_kind: fn(Standing) -> bool = match get.which {
            Which::Online => return self.who_is_online(now, &get.group, reply, get.after, out),
            Which::Members => |standing| matches!(standing, Standing::In(_)),
            Which::Waiting => |standing| matches!(standing, Standing::Invited | Standing::Applied),
            Which::Banned => |standing| standing == Standing::Banned,
        };
        let known = self
            .groups
            .get(&get.group)
            .and_then(|group| group.known.as_ref());
        let Some(known) = known else {
            return;
        };
        let (members, more) = known.roll.page(of_kind, get.after.as_ref(), PAGE_MAX);
        let total = match get.which {
            Which::Members => known.roll.members(),
            _ => known.roll.total(of_kind),
        };
        let packet = ServerPacket::Members(Box::new(Members {
            request: reply.request,
            group: get.group,
            members,
            total: total as u32,
            more,
        }));
        self.reply(now, &reply, packet, out);
    }

    pub(super) fn history(
        &mut self,
        now: Now,
        name: &GroupId,
        get: &GetHistory,
        reply: Reply,
        out: &mut Vec<Effect>,
    ) {
        if let Err(code) = self.may_ask(name, &reply, Role::Member) {
            return self.reply_code(now, &reply, Some(code), out);
        }
        if self.readings.len() >= self.settings.acts_max {
            return self.reply_code(now, &reply, Some(Code::Busy), out);
        }
        let count_max = (get.count as usize).clamp(1, PAGE_MAX);
        let number = self.number();
        self.read_log(
            name,
            get.range,
            count_max,
            (number, Reading::Asker(reply)),
            out,
        );
    }

    fn may_ask(&self, name: &GroupId, reply: &Reply, least: Role) -> Result<(), Code> {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        let known = known.ok_or(Code::NoGroup)?;
        match known.roll.role(&reply.actor) {
            None => Err(Code::NotMember),
            Some(role) if role < least => Err(Code::NotAllowed),
            Some(_) => Ok(()),
        }
    }
}
