//! A client in groups: how much of each log it has, and what it asked.
//!
//! It shows what comes next; where something is missing it asks for what comes
//! after the last that it has.

use std::collections::BTreeMap;

use proto::client::{ChangeGroup, ClientPacket, GetHistory, GetMembers, GroupRead};
use proto::codes::{Code, Next};
use proto::group::{
    Action, Belongs, Conversation, GroupState, LogEntry, Place, Range, ReadTo, Role, UserGroup,
    Which,
};
use proto::ids::GroupId;
use proto::server::{GroupDeliver, History};

use super::{Does, Waking};
use crate::agenda::{MS, SECOND, Time};

/// After this long without an answer something is asked for again.
const PATIENCE: Time = 6 * SECOND;

/// Entries that it asks for at once.
const PAGE: u32 = 20;

/// How often one asks to join a group that does not exist yet.
const WISHED: u32 = 8;

/// What a client knows of one group.
#[derive(Debug)]
struct Known {
    /// What it was told on this connection, while it is in the group.
    state: Option<Box<GroupState>>,
    /// The last entry that it has shown, and its count of messages.
    shown: Place,
    messages: u64,
    /// The request for what comes after that.
    pull: Option<u32>,
    /// Something was missing when that was under way already.
    again: bool,
    /// How far it has said that it has read, and when.
    read: (u64, Time),
}

/// A request without an answer.
#[derive(Debug)]
struct Ask {
    group: GroupId,
    packet: ClientPacket,
    ask_at: Time,
    /// So often 'no such group' is no answer.
    patient: u32,
}

/// The groups of a client.
#[derive(Debug, Default)]
pub struct Groups {
    /// It wants whole logs, else what comes from when it is there first.
    pub whole: bool,
    /// What it asks for when it is logged in first.
    pub wishes: Vec<(GroupId, Action)>,
    known: BTreeMap<GroupId, Known>,
    asks: BTreeMap<u32, Ask>,
    last: u32,
}

impl Groups {
    /// The groups that it takes itself to be in.
    pub fn within(&self) -> impl Iterator<Item = &GroupId> {
        let known = self.known.iter();
        known.filter_map(|(group, known)| known.state.as_ref().map(|_| group))
    }

    /// The last entry of a group that it has.
    pub fn shown(&self, group: &GroupId) -> Option<Place> {
        self.known.get(group).map(|known| known.shown)
    }

    /// As what it was told to be in a group.
    pub fn role(&self, group: &GroupId) -> Option<Role> {
        let state = self.known.get(group)?.state.as_ref()?;
        Some(state.role)
    }

    /// Whether a request has no answer.
    pub fn is_open(&self) -> bool {
        !self.asks.is_empty()
    }

    /// How many changes have no answer.
    pub fn asking(&self) -> usize {
        self.asks.len()
    }

    /// The process died. What it has shown outlives it, or does not.
    pub(super) fn restart(&mut self, keeps: bool) {
        self.asks.clear();
        if !keeps {
            self.known.clear();
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self) {
        for known in self.known.values_mut() {
            known.state = None;
            known.pull = None;
        }
        let is_change = |ask: &Ask| matches!(ask.packet, ClientPacket::ChangeGroup(_));
        self.asks.retain(|_, ask| is_change(ask));
    }

    /// It is logged in, in these groups.
    pub(super) fn connected(&mut self, now: Time, groups: &[UserGroup], out: &mut Vec<Does>) {
        let open: Vec<u32> = self.asks.keys().copied().collect();
        for request in open {
            self.ask(now, request, out);
        }
        for (group, action) in std::mem::take(&mut self.wishes) {
            self.change(now, group, action, WISHED, out);
        }
        for of in groups {
            if let Belongs::Invited { .. } = &of.belongs {
                out.push(Does::Invited(of.group.clone()));
            }
        }
    }

    /// Asks for a change.
    pub fn begin(&mut self, now: Time, group: GroupId, action: Action, out: &mut Vec<Does>) {
        self.change(now, group, action, 0, out);
    }

    fn change(
        &mut self,
        now: Time,
        group: GroupId,
        action: Action,
        patient: u32,
        out: &mut Vec<Does>,
    ) {
        let request = self.number();
        let packet = ClientPacket::ChangeGroup(ChangeGroup {
            request,
            group: group.clone(),
            action,
        });
        self.open(now, request, group, packet, patient, out);
    }

    /// Asks who is in a group.
    pub fn look(&mut self, now: Time, group: GroupId, which: Which, out: &mut Vec<Does>) {
        let request = self.number();
        let packet = ClientPacket::GetMembers(GetMembers {
            request,
            group: group.clone(),
            which,
            after: None,
        });
        self.open(now, request, group, packet, 0, out);
    }

    fn number(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn open(
        &mut self,
        now: Time,
        request: u32,
        group: GroupId,
        packet: ClientPacket,
        patient: u32,
        out: &mut Vec<Does>,
    ) {
        let ask = Ask {
            group,
            packet,
            ask_at: now,
            patient,
        };
        self.asks.insert(request, ask);
        self.ask(now, request, out);
    }

    fn ask(&mut self, now: Time, request: u32, out: &mut Vec<Does>) {
        if let Some(ask) = self.asks.get_mut(&request) {
            ask.ask_at = now + PATIENCE;
            out.push(Does::Write(ask.packet.clone()));
            out.push(Does::Wake(ask.ask_at, Waking::Group(request)));
        }
    }

    /// Asks again, if its time has come.
    pub(super) fn ask_again(&mut self, now: Time, request: u32, out: &mut Vec<Does>) {
        let is_due = |ask: &Ask| ask.ask_at <= now;
        if self.asks.get(&request).is_some_and(is_due) {
            self.ask(now, request, out);
        }
    }

    /// A request was answered, or refused.
    pub(super) fn answered(
        &mut self,
        now: Time,
        request: u32,
        code: Option<Code>,
        out: &mut Vec<Does>,
    ) {
        let Some(ask) = self.asks.get_mut(&request) else {
            return;
        };
        let is_early = code == Some(Code::NoGroup) && ask.patient > 0;
        if is_early || code.is_some_and(|code| code.next() == Next::Again) {
            ask.patient = ask.patient.saturating_sub(1);
            ask.ask_at = now + 400 * MS;
            out.push(Does::Wake(ask.ask_at, Waking::Group(request)));
            return;
        }
        if let Some(ask) = self.asks.remove(&request)
            && let Some(known) = self.known.get_mut(&ask.group)
            && known.pull == Some(request)
        {
            // It is out, and will hear of that.
            known.pull = None;
        }
    }

    /// It is in a group.
    pub(super) fn told(&mut self, now: Time, state: Box<GroupState>, out: &mut Vec<Does>) {
        let (group, head) = (state.group.clone(), state.head);
        let begins = match self.known.get(&group) {
            Some(known) => known.shown.epoch != head.place.epoch,
            None => true,
        };
        if begins {
            let seq = if self.whole { 0 } else { head.place.seq };
            let place = Place { seq, ..head.place };
            self.anew(&group, place, out);
        }
        if let Some(known) = self.known.get_mut(&group) {
            known.state = Some(state);
        }
        self.heard(now, &group, head.place, out);
    }

    fn anew(&mut self, group: &GroupId, place: Place, out: &mut Vec<Does>) {
        let former = self.known.remove(group);
        let known = Known {
            state: None,
            shown: place,
            messages: 0,
            pull: None,
            again: false,
            read: (0, 0),
        };
        let known = match former {
            Some(former) => Known {
                state: former.state,
                pull: former.pull,
                again: former.again,
                ..known
            },
            None => known,
        };
        self.known.insert(group.clone(), known);
        out.push(Does::Begins(group.clone(), place));
    }

    /// It is in a group no more.
    pub(super) fn left(&mut self, group: &GroupId) {
        if let Some(known) = self.known.get_mut(group) {
            known.state = None;
        }
    }

    /// A log ends here, at least.
    pub(super) fn heard(&mut self, now: Time, group: &GroupId, end: Place, out: &mut Vec<Does>) {
        let Some(known) = self.known.get_mut(group) else {
            return;
        };
        if known.shown.epoch == end.epoch && end.seq <= known.shown.seq {
            return;
        }
        if known.pull.is_some() {
            known.again = true;
            return;
        }
        self.pull(now, group, out);
    }

    fn pull(&mut self, now: Time, group: &GroupId, out: &mut Vec<Does>) {
        let request = self.number();
        let Some(known) = self.known.get_mut(group) else {
            return;
        };
        known.pull = Some(request);
        known.again = false;
        let packet = ClientPacket::GetHistory(GetHistory {
            request,
            of: Conversation::Group(group.clone()),
            range: Range::After(known.shown.seq),
            count: PAGE,
        });
        self.open(now, request, group.clone(), packet, 0, out);
    }

    /// An entry came by itself.
    pub(super) fn came(&mut self, now: Time, deliver: GroupDeliver, out: &mut Vec<Does>) {
        let GroupDeliver {
            group,
            epoch,
            entry,
        } = deliver;
        let known = self.known.get_mut(&group);
        let Some(known) = known.filter(|known| known.state.is_some()) else {
            panic!("a client that is not in {group} is given an entry of it");
        };
        let seq = entry.seq;
        if known.shown.epoch != epoch || !known.show(&group, entry, out) {
            self.heard(now, &group, Place { epoch, seq }, out);
        }
    }

    /// What it asked for.
    pub(super) fn history(&mut self, now: Time, history: History, out: &mut Vec<Does>) {
        let Conversation::Group(group) = history.of else {
            return;
        };
        let request = history.request;
        let is_it = |known: &Known| known.pull == Some(request);
        if self.asks.remove(&request).is_none() || !self.known.get(&group).is_some_and(is_it) {
            return;
        }
        let epoch = history.epoch;
        if self.shown(&group).is_some_and(|shown| shown.epoch != epoch) {
            self.anew(&group, Place { epoch, seq: 0 }, out);
        }
        let Some(known) = self.known.get_mut(&group) else {
            return;
        };
        known.pull = None;
        // What lies before that is gone for good.
        known.shown.seq = known.shown.seq.max(history.first - 1);
        for entry in history.entries {
            known.show(&group, entry, out);
        }
        let end = Place {
            epoch,
            seq: history.last,
        };
        if known.again {
            self.pull(now, &group, out);
        } else {
            self.heard(now, &group, end, out);
        }
    }

    /// Tells how far it has read, at most once a second.
    pub fn read(&mut self, now: Time, group: &GroupId, out: &mut Vec<Does>) {
        let Some(known) = self.known.get_mut(group) else {
            return;
        };
        let (seq, at) = known.read;
        let may = seq == 0 || at + SECOND <= now;
        if known.state.is_some() && may && known.shown.seq > seq {
            known.read = (known.shown.seq, now);
            out.push(Does::Write(ClientPacket::GroupRead(GroupRead {
                group: group.clone(),
                epoch: known.shown.epoch,
                read: ReadTo {
                    seq: known.shown.seq,
                    messages: known.messages,
                },
            })));
        }
    }
}

impl Known {
    /// Shows an entry if it is the next; whether it has it.
    fn show(&mut self, group: &GroupId, entry: LogEntry, out: &mut Vec<Does>) -> bool {
        if entry.seq != self.shown.seq + 1 {
            return entry.seq <= self.shown.seq;
        }
        self.shown.seq = entry.seq;
        self.messages = entry.messages;
        out.push(Does::ShowedEntry(group.clone(), self.shown.epoch, entry));
        true
    }
}
