//! The groups of the shard's own users: what the groups' shards say is kept, and
//! told to the users' sessions.

use proto::client::ChangeGroup;
use proto::clock::Now;
use proto::group::{Action, Belongs};
use proto::ids::{GatewayId, GroupId, SessionRef, UserId};
use proto::link::{
    Down, GroupAsk, GroupRequest, Membership, MembershipVersion, Relay, Relayed, Up,
};
use proto::server::ServerPacket;
use proto::slot::Slot;

use crate::effect::Effect;
use crate::friends::{Lookup, may_write};
use crate::own_groups::Word;
use crate::shard::acts::NOBODY_WAITS;
use crate::shard::{Shard, answer, send};
use crate::store::{Claim, Request as StoreRequest};
use crate::waiting::Waiting;

impl Shard {
    /// A group's shard says as what a user belongs to the group.
    pub(in crate::shard) fn membership(
        &mut self,
        now: Now,
        gateway: GatewayId,
        membership: Membership,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get(&membership.user) else {
            return;
        };
        // Behind one that waits, each waits: order first.
        let welcomes = match &membership.belongs {
            _ if !user.queue.is_empty() => None,
            Some(Belongs::Invited { by }) => self.welcomes(now, &membership.user, by, out),
            Some(Belongs::Member) | None => Some(true),
        };
        match welcomes {
            Some(true) => self.take_membership(now, gateway, membership, out),
            // It is kept for nobody.
            Some(false) => {
                self.counters.shed += 1;
                self.say_kept(now, gateway, &membership, out);
            }
            None => {
                let waiting = Waiting {
                    gateway,
                    epoch: self.ring.epoch(),
                    envelope: Up::Relay(Relay {
                        slot: Slot::of(&membership.user),
                        relayed: Relayed::Membership(Box::new(membership)),
                    }),
                };
                self.wait_for_list(now, waiting, out);
            }
        }
    }

    /// Whether a user hears from another; none: it has to be asked for.
    fn welcomes(
        &mut self,
        now: Now,
        user: &UserId,
        from: &UserId,
        out: &mut Vec<Effect>,
    ) -> Option<bool> {
        let max_age = self.settings.friends_max_age;
        let (policy, blocks) = (self.settings.policy, self.settings.blocks);
        match self
            .users
            .get_mut(user)?
            .friends
            .look_up(now.moment, max_age)
        {
            Lookup::Known(list) => Some(may_write(&list, user, from, policy, blocks).is_ok()),
            Lookup::Ask => {
                self.ask_list(now, user, out);
                None
            }
            Lookup::Wait => None,
        }
    }

    pub(in crate::shard) fn take_membership(
        &mut self,
        now: Now,
        gateway: GatewayId,
        membership: Membership,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get_mut(&membership.user) else {
            return;
        };
        let groups = user.groups.get_or_insert_default();
        if !groups.has_room(&membership) {
            self.counters.shed += 1;
            if membership.belongs == Some(Belongs::Member) {
                self.leave_instead(now, gateway, &membership, out);
            }
            return self.say_kept(now, gateway, &membership, out);
        }
        let Some(before) = groups.take(&membership) else {
            if groups.is_idle() && !groups.is_newer {
                return self.say_kept(now, gateway, &membership, out);
            }
            // It may be what is being kept, or could not be.
            groups.is_newer = true;
            groups.waiting.push(word(gateway, &membership));
            return self.save_groups(&membership.user, out);
        };
        groups.is_newer = true;
        groups.waiting.push(word(gateway, &membership));
        self.tell_sessions(&membership, before, out);
        self.save_groups(&membership.user, out);
    }

    /// A user who was admitted to more groups than one may be in leaves this one.
    fn leave_instead(
        &mut self,
        now: Now,
        gateway: GatewayId,
        membership: &Membership,
        out: &mut Vec<Effect>,
    ) {
        let change = ChangeGroup {
            request: 0,
            group: membership.group.clone(),
            action: Action::Leave,
        };
        let relay = Relay {
            slot: Slot::of_group(&membership.group),
            relayed: Relayed::GroupAsk(Box::new(GroupAsk {
                request: NOBODY_WAITS,
                actor: membership.user.clone(),
                what: GroupRequest::Change(change),
            })),
        };
        self.relay(now, gateway, relay, out);
    }

    fn say_kept(
        &mut self,
        now: Now,
        gateway: GatewayId,
        membership: &Membership,
        out: &mut Vec<Effect>,
    ) {
        let user = membership.user.clone();
        self.say_word_kept(now, &user, word(gateway, membership), out);
        self.note_idle(&user);
    }

    fn say_word_kept(&mut self, now: Now, user: &UserId, word: Word, out: &mut Vec<Effect>) {
        let relay = Relay {
            slot: Slot::of_group(&word.group),
            relayed: Relayed::MembershipKept {
                group: word.group,
                user: user.clone(),
                version: word.version,
            },
        };
        self.relay(now, word.gateway, relay, out);
    }

    fn save_groups(&mut self, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let Some(claim) = self.slots.claim(user.slot) else {
            return;
        };
        let Some(groups) = &mut user.groups else {
            return;
        };
        if groups.is_saving || !groups.is_newer {
            return;
        }
        groups.is_saving = true;
        groups.is_newer = false;
        groups.flying = std::mem::take(&mut groups.waiting);
        out.push(Effect::Store(StoreRequest::KeepGroups {
            claim,
            user: name.clone(),
            groups: groups.list.clone(),
        }));
    }

    /// The store keeps the groups of a user. Where it does not, the groups'
    /// shards tell again.
    pub(in crate::shard) fn groups_kept(
        &mut self,
        now: Now,
        claim: Claim,
        name: &UserId,
        done: bool,
        out: &mut Vec<Effect>,
    ) {
        self.counters.store_failures += u64::from(!done);
        if !self.slots.serves(claim) {
            return;
        }
        let groups = self
            .users
            .get_mut(name)
            .and_then(|user| user.groups.as_mut());
        let Some(groups) = groups else {
            return;
        };
        groups.is_saving = false;
        let told = std::mem::take(&mut groups.flying);
        if done {
            for word in told {
                self.say_word_kept(now, name, word, out);
            }
            self.save_groups(name, out);
        } else {
            groups.is_newer = true;
        }
        self.note_idle(name);
    }

    fn tell_sessions(
        &mut self,
        membership: &Membership,
        before: Option<Belongs>,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get(&membership.user) else {
            return;
        };
        let was_member = before == Some(Belongs::Member);
        for session in &user.sessions {
            let SessionRef { gateway, session } = session.at;
            let group = membership.group.clone();
            match &membership.belongs {
                // Its gateway may have put it out meanwhile.
                Some(Belongs::Member) => send(gateway, Down::Joined { session, group }, out),
                Some(Belongs::Invited { by }) => {
                    let by = by.clone();
                    let packet = ServerPacket::GroupInvited { group, by };
                    answer(SessionRef { gateway, session }, packet, out);
                }
                None if was_member => send(gateway, Down::Left { session, group }, out),
                None => {}
            }
        }
    }

    /// The group's shard does not know a user as a member whom this one does.
    pub(super) fn is_no_member(
        &mut self,
        name: &UserId,
        group: &GroupId,
        version: MembershipVersion,
        out: &mut Vec<Effect>,
    ) {
        let groups = self
            .users
            .get_mut(name)
            .and_then(|user| user.groups.as_mut());
        let Some(groups) = groups else {
            return;
        };
        if let Ok(at) = groups.find(group)
            && groups.list[at].of.belongs == Belongs::Member
            && groups.list[at].version <= version
        {
            groups.list.remove(at);
            groups.is_newer = true;
            self.save_groups(name, out);
        }
    }

    /// Someone asks an admin of this shard's to be admitted.
    pub(in crate::shard) fn group_applied(
        &mut self,
        to: &UserId,
        group: GroupId,
        user: UserId,
        out: &mut Vec<Effect>,
    ) {
        self.push(to, &ServerPacket::GroupApplied { group, user }, out);
    }
}

fn word(gateway: GatewayId, membership: &Membership) -> Word {
    Word {
        gateway,
        group: membership.group.clone(),
        version: membership.version,
    }
}
