//! What else a client wants, and what other users' clients sent: statuses,
//! the friend list, transient messages, read marks.

use std::time::Duration;

use proto::client::{Read, Transient};
use proto::clock::Now;
use proto::ids::{Epoch, GatewayId, SessionRef, Stamp, UserId};
use proto::link::{Relay, Relayed, Request, ReturnReason, Up};
use proto::server::{Did, Receipt, ReceiptKind, ServerPacket, TransientFrom};
use proto::slot::Slot;
use proto::status::Status;

use super::{Shard, answer};
use crate::effect::Effect;
use crate::event::OPERATOR;
use crate::friends::{Lookup, may_write};
use crate::store::Request as StoreRequest;
use crate::timers::Timer;
use crate::waiting::Waiting;

/// A user's friends are told of changes of status this often at the most.
const STATUS_PAUSE: Duration = Duration::from_secs(1);

impl Shard {
    pub(super) fn request(
        &mut self,
        now: Now,
        at: SessionRef,
        name: UserId,
        request: Request,
        out: &mut Vec<Effect>,
    ) {
        let known = self.users.get(&name).and_then(|user| user.session(at));
        if known.is_none() && at.gateway != OPERATOR {
            return;
        }
        match request {
            Request::SetStatus { status, since } => {
                self.set_status(now, at, &name, (status, since), out);
            }
            Request::GetFriends => self.get_friends(now, at, name, out),
            Request::ChangeFriend(change) => self.change_friend(now, at, name, change, out),
            Request::Copy(sent) => self.carbon(at, &name, Did::Sent(*sent), out),
            Request::GetDevices => self.get_devices(at, &name, out),
            Request::EndDevice(end) => self.end_device(at, &name, &end, out),
            Request::ChangeGroup(_)
            | Request::GetMembers(_)
            | Request::GetHistory(_)
            | Request::GetGroups
            | Request::GroupTransient(_)
            | Request::GroupRead(_)
            | Request::NotMember(..) => self.group_request(now, at, name, request, out),
            Request::Transient(transient) => {
                self.carbon(at, &name, Did::Transient(transient.clone()), out);
                self.transient(now, at, name, transient, out);
            }
            Request::Read(read) => {
                self.carbon(at, &name, Did::Read(read.clone()), out);
                self.read_mark(now, at, name, read, out);
            }
        }
    }

    /// What a user sets counts in any case.
    fn set_status(
        &mut self,
        now: Now,
        at: SessionRef,
        name: &UserId,
        (status, since): (Status, Stamp),
        out: &mut Vec<Effect>,
    ) {
        let number = self.number();
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let news = user.presence.say(at, status, since, number);
        user.presence.untold |= news;
        // Who changes it all the time is heard once in a while.
        let next = user.presence.told_at + STATUS_PAUSE;
        if next <= now.moment {
            user.presence.told_at = now.moment;
            return self.tell_friends(now, name, out);
        }
        if !user.armed.status {
            user.armed.status = true;
            self.timers.arm(next, Timer::Status(name.clone()));
        }
    }

    pub(super) fn status_due(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.armed.status = false;
        user.presence.told_at = now.moment;
        self.tell_friends(now, name, out);
    }

    fn get_friends(&mut self, now: Now, at: SessionRef, name: UserId, out: &mut Vec<Effect>) {
        let max_age = self.settings.friends_max_age;
        let Some(user) = self.users.get_mut(&name) else {
            return;
        };
        let looked_up = user.friends.look_up(now.moment, max_age);
        if let Lookup::Known(list) = looked_up {
            return answer(at, ServerPacket::Friends(list), out);
        }
        let envelope = Up::Request {
            session: at.session,
            user: name.clone(),
            request: Request::GetFriends,
        };
        let waiting = Waiting {
            gateway: at.gateway,
            epoch: self.ring.epoch(),
            envelope,
        };
        if looked_up == Lookup::Ask {
            self.ask_list(now, &name, out);
        }
        self.wait_for_list(now, waiting, out);
    }

    /// Puts an envelope behind the question for its user's list.
    pub(super) fn wait_for_list(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let name = super::arrive::user_of(&waiting.envelope).cloned();
        let Some(name) = name else {
            return;
        };
        match self.users.get_mut(&name) {
            Some(user) if user.queue.len() < self.settings.deferred_max => {
                user.queue.push_back(waiting);
                self.arm_friends(now, &name);
            }
            _ => self.send_back(waiting, ReturnReason::Busy, out),
        }
    }

    fn transient(
        &mut self,
        now: Now,
        at: SessionRef,
        from: UserId,
        transient: Transient,
        out: &mut Vec<Effect>,
    ) {
        let relay = Relay {
            slot: Slot::of(&transient.to),
            relayed: Relayed::Transient { from, transient },
        };
        self.relay(now, at.gateway, relay, out);
    }

    /// A transient message for a user who is there; nobody waits for it.
    pub(super) fn transient_to(
        &mut self,
        from: UserId,
        transient: Transient,
        out: &mut Vec<Effect>,
    ) {
        if !self.takes_from(&transient.to, &from) {
            self.counters.shed += 1;
            return;
        }
        let packet = ServerPacket::Transient(TransientFrom {
            from,
            kind: transient.kind,
            body: transient.body,
        });
        self.push(&transient.to, &packet, out);
    }

    fn takes_from(&self, owner: &UserId, from: &UserId) -> bool {
        let list = self.users.get(owner).and_then(|user| user.friends.list());
        let (policy, blocks) = (self.settings.policy, self.settings.blocks);
        list.is_some_and(|list| may_write(list, owner, from, policy, blocks).is_ok())
    }

    fn read_mark(
        &mut self,
        now: Now,
        at: SessionRef,
        from: UserId,
        read: Read,
        out: &mut Vec<Effect>,
    ) {
        let relay = Relay {
            slot: Slot::of(&read.peer),
            relayed: Relayed::Receipt {
                from,
                to: read.peer,
                kind: ReceiptKind::Read,
                up_to: read.up_to,
            },
        };
        self.relay(now, at.gateway, relay, out);
    }

    /// What became of a user's messages: told to who is there, else kept. A
    /// read mark is anyone's word, and counts only from who may write.
    pub(super) fn receipt_to(
        &mut self,
        now: Now,
        (gateway, epoch): (GatewayId, Epoch),
        to: UserId,
        receipt: Receipt,
        out: &mut Vec<Effect>,
    ) {
        let max_age = self.settings.friends_max_age;
        let (policy, blocks) = (self.settings.policy, self.settings.blocks);
        let Some(user) = self.users.get_mut(&to) else {
            return;
        };
        if receipt.kind == ReceiptKind::Read {
            match user.friends.look_up(now.moment, max_age) {
                Lookup::Known(list) => {
                    if may_write(&list, &to, &receipt.peer, policy, blocks).is_err() {
                        self.counters.shed += 1;
                        return;
                    }
                }
                other => {
                    if other == Lookup::Ask {
                        self.ask_list(now, &to, out);
                    }
                    let waiting = Waiting {
                        gateway,
                        epoch,
                        envelope: Up::Relay(relayed(to, receipt)),
                    };
                    return self.wait_for_list(now, waiting, out);
                }
            }
        }
        let Some(user) = self.users.get_mut(&to) else {
            return;
        };
        if !user.sessions.is_empty() {
            return self.push(&to, &ServerPacket::Receipt(receipt), out);
        }
        user.notes = true;
        if let Some(claim) = self.slots.claim(user.slot) {
            out.push(Effect::Store(StoreRequest::Note {
                claim,
                user: to.clone(),
                receipt,
            }));
        }
        self.note_idle(&to);
    }

    /// Receipts that were kept for a user who has come.
    pub(super) fn notes_taken(
        &mut self,
        name: &UserId,
        receipts: Vec<Receipt>,
        out: &mut Vec<Effect>,
    ) {
        for receipt in receipts {
            self.push(name, &ServerPacket::Receipt(receipt), out);
        }
    }
}

fn relayed(to: UserId, receipt: Receipt) -> Relay {
    Relay {
        slot: Slot::of(&to),
        relayed: Relayed::Receipt {
            from: receipt.peer,
            to,
            kind: receipt.kind,
            up_to: receipt.up_to,
        },
    }
}
