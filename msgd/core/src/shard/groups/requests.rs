//! What the shard's own users ask of groups: it goes to the groups' shards.

use proto::client::{ChangeGroup, GroupRead, GroupTransient};
use proto::clock::Now;
use proto::codes::Code;
use proto::group::{Action, Belongs, Conversation};
use proto::ids::{SessionRef, UserId};
use proto::link::{GroupAsk, GroupRequest, Relay, Relayed, Request};
use proto::server::{Did, GroupTransientFrom, ServerPacket};
use proto::slot::Slot;

use crate::effect::Effect;
use crate::shard::waits::{About, Act};
use crate::shard::{Shard, answer};
use crate::store::KeptGroup;

impl Shard {
    /// What a session asks of a group.
    pub(in crate::shard) fn group_request(
        &mut self,
        now: Now,
        at: SessionRef,
        actor: UserId,
        request: Request,
        out: &mut Vec<Effect>,
    ) {
        let what = match request {
            Request::ChangeGroup(change) => {
                if let Err(code) = self.may_enter(&actor, &change) {
                    let packet = ServerPacket::GroupResult {
                        request: change.request,
                        code: Some(code),
                    };
                    return answer(at, packet, out);
                }
                GroupRequest::Change(change)
            }
            Request::GetMembers(get) => GroupRequest::Members(get),
            Request::GetHistory(get) => match &get.of {
                Conversation::Group(group) => GroupRequest::History(group.clone(), get),
                Conversation::Peer(_) => {
                    let packet = ServerPacket::GroupResult {
                        request: get.request,
                        code: Some(Code::NoHistory),
                    };
                    return answer(at, packet, out);
                }
            },
            Request::GetGroups => {
                let user = self.users.get(&actor);
                let groups = user.map(|user| user.groups_named()).unwrap_or_default();
                return answer(at, ServerPacket::Groups(groups), out);
            }
            Request::GroupTransient(transient) => {
                return self.pass_transient(now, at, actor, transient, out);
            }
            Request::GroupRead(read) => return self.pass_read(now, at, actor, read, out),
            Request::NotMember(group, version) => {
                return self.is_no_member(&actor, &group, version, out);
            }
            _ => return,
        };
        self.ask_about_group(now, at, actor, what, out);
    }

    fn ask_about_group(
        &mut self,
        now: Now,
        at: SessionRef,
        actor: UserId,
        what: GroupRequest,
        out: &mut Vec<Effect>,
    ) {
        let request = what.request();
        let act = Act {
            user: actor.clone(),
            at,
            request,
            about: About::Group,
        };
        let Some(number) = self.begin_act(now, act, out) else {
            return;
        };
        let relay = Relay {
            slot: Slot::of_group(what.group()),
            relayed: Relayed::GroupAsk(Box::new(GroupAsk {
                request: number,
                actor,
                what,
            })),
        };
        self.relay(now, at.gateway, relay, out);
    }

    /// A user comes into so many groups at the most.
    fn may_enter(&self, actor: &UserId, change: &ChangeGroup) -> Result<(), Code> {
        let enters = matches!(change.action, Action::Create { .. } | Action::Join);
        let groups = self.users.get(actor).and_then(|user| user.groups.as_ref());
        let Some(groups) = groups.filter(|_| enters) else {
            return Ok(());
        };
        let member = |kept: &&KeptGroup| kept.of.belongs == Belongs::Member;
        let is_in = |kept: &KeptGroup| kept.of.group == change.group;
        let mut members = groups.list.iter().filter(member);
        if members.clone().count() < self.settings.groups_per_user_max || members.any(is_in) {
            return Ok(());
        }
        Err(Code::TooManyGroups)
    }

    fn pass_transient(
        &mut self,
        now: Now,
        at: SessionRef,
        from: UserId,
        transient: GroupTransient,
        out: &mut Vec<Effect>,
    ) {
        let relay = Relay {
            slot: Slot::of_group(&transient.group),
            relayed: Relayed::GroupTransient(GroupTransientFrom {
                group: transient.group,
                from,
                kind: transient.kind,
                body: transient.body,
            }),
        };
        self.relay(now, at.gateway, relay, out);
    }

    fn pass_read(
        &mut self,
        now: Now,
        at: SessionRef,
        user: UserId,
        read: GroupRead,
        out: &mut Vec<Effect>,
    ) {
        self.carbon(at, &user, Did::GroupRead(read.clone()), out);
        let relay = Relay {
            slot: Slot::of_group(&read.group),
            relayed: Relayed::GroupRead { user, read },
        };
        self.relay(now, at.gateway, relay, out);
    }

    /// A group's shard answers.
    pub(in crate::shard) fn group_answered(
        &mut self,
        number: u64,
        packet: ServerPacket,
        out: &mut Vec<Effect>,
    ) {
        if let Some(act) = self.acts.swap_remove(&number) {
            answer(act.at, packet, out);
        }
    }
}
