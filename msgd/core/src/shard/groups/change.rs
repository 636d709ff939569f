//! What members do to a group.

use proto::clock::Now;
use proto::codes::Code;
use proto::group::{Action, Logged};
use proto::ids::{GatewayId, GroupId, LogEpoch};
use proto::link::{Down, GroupAsk, GroupRequest, Relay, Relayed};
use proto::server::ServerPacket;
use proto::slot::Slot;

use crate::effect::Effect;
use crate::group::Known;
use crate::group::log::{Acted, Log, Pending, Reply, Then};
use crate::group::roll::{Done, Roll, RollBounds};
use crate::shard::{Shard, send};

impl Shard {
    /// A request about a group, from the asker's shard.
    pub(in crate::shard) fn group_ask(
        &mut self,
        now: Now,
        gateway: GatewayId,
        ask: GroupAsk,
        out: &mut Vec<Effect>,
    ) {
        let reply = Reply {
            gateway,
            number: ask.request,
            actor: ask.actor,
            request: ask.what.request(),
        };
        match ask.what {
            GroupRequest::Change(change) => {
                self.change_group(now, &change.group, change.action, reply, out);
            }
            GroupRequest::Members(get) => self.members(now, get, reply, out),
            GroupRequest::History(group, get) => self.history(now, &group, &get, reply, out),
        }
    }

    fn change_group(
        &mut self,
        now: Now,
        name: &GroupId,
        action: Action,
        reply: Reply,
        out: &mut Vec<Effect>,
    ) {
        match self.act_on_group(now, name, &action, &reply) {
            Err(code) => self.reply_code(now, &reply, Some(code), out),
            // So already. The user's shard may not know it.
            Ok(done) if done == Done::default() => {
                self.reply_code(now, &reply, None, out);
                if matches!(action, Action::Join | Action::Leave) {
                    self.say_as_it_is(now, name, reply.gateway, &reply.actor, out);
                }
            }
            Ok(done) => self.log_change(now, name, action, done, reply, out),
        }
        self.note_group_idle(name);
    }

    fn act_on_group(
        &mut self,
        now: Now,
        name: &GroupId,
        action: &Action,
        reply: &Reply,
    ) -> Result<Done, Code> {
        let bounds = RollBounds {
            members_max: self.settings.group_members_max,
            others_max: self.settings.group_others_max,
        };
        let pending_max = self.settings.pending_max;
        let stamp = self.stamp(now);
        let group = self.groups.get_mut(name).ok_or(Code::NoGroup)?;
        let Some(known) = &mut group.known else {
            let Action::Create { title, entrance } = action else {
                return Err(Code::NoGroup);
            };
            // Later than that of any log that had the name before.
            let epoch = LogEpoch(stamp.0);
            let (roll, done) = Roll::create(&reply.actor, title.clone(), *entrance, epoch);
            group.known_since_ms = stamp.as_ms();
            group.known = Some(Box::new(Known {
                roll,
                log: Log::empty(epoch),
                reads: Default::default(),
                untold: Default::default(),
                durable: 0,
                writing: 0,
            }));
            self.group_rows += 1;
            return Ok(done);
        };
        if known.roll.record.dissolved {
            return Err(match action {
                Action::Create { .. } => Code::GroupExists,
                _ => Code::NoGroup,
            });
        }
        if known.log.len() >= pending_max {
            return Err(Code::Busy);
        }
        let before = known.roll.len();
        let done = known.roll.act(now.wall, &bounds, &reply.actor, action)?;
        self.group_rows = self.group_rows + known.roll.len() - before;
        Ok(done)
    }

    fn log_change(
        &mut self,
        now: Now,
        name: &GroupId,
        action: Action,
        done: Done,
        reply: Reply,
        out: &mut Vec<Effect>,
    ) {
        let stamp = self.stamp(now);
        let known = self
            .groups
            .get_mut(name)
            .and_then(|group| group.known.as_mut());
        let Some(known) = known else {
            return;
        };
        let actor = reply.actor.clone();
        let entry = done.logged.then(|| {
            let change = Logged::Change(action.clone());
            known.log.append(stamp, actor.clone(), change, 0)
        });
        known.log.rows.extend(done.rows.iter().cloned());
        known.log.record |= done.record;
        known.log.push(Pending {
            entry,
            then: Then::Acted(Box::new(Acted {
                reply,
                change: (actor, action),
                rows: done.rows,
                put_out: done.put_out,
                code: done.code,
            })),
        });
        self.write_group(name, out);
    }
}

/// A request finds no room, or the wrong shard.
pub(in crate::shard) fn cannot_answer(gateway: GatewayId, ask: &GroupAsk, out: &mut Vec<Effect>) {
    let relay = Relay {
        slot: Slot::of(&ask.actor),
        relayed: Relayed::GroupAnswer {
            request: ask.request,
            actor: ask.actor.clone(),
            packet: Box::new(ServerPacket::GroupResult {
                request: ask.what.request(),
                code: Some(Code::Busy),
            }),
        },
    };
    send(gateway, Down::Relay(relay), out);
}
