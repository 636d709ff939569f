//! Messages come in, and go to the sessions that have room.

use proto::clock::Moment;
use proto::ids::Identity;
use proto::link::Message;
use smallvec::smallvec;

use super::{
    Asker, COPIES_MAX, InMailbox, Inbox, Next, Ordinal, Pending, PendingState, Reader, Step,
};
use crate::store::{Letter, Position};

/// What became of a message that came while others are pending.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    /// It is not pending.
    No,
    /// It is, and one more waits for its answer.
    Yes,
    /// Its id is, for another message.
    Reused,
    /// A device took it already; its answer is remembered elsewhere.
    Taken,
}

impl Inbox {
    /// Rule 9: a repeat joins the first.
    pub fn join(&mut self, identity: &Identity, fingerprint: u64, asker: Asker) -> Joined {
        // A refused one only keeps its place; one sent again lies behind it.
        let same = |p: &&mut Pending| {
            p.message.id == identity.id
                && p.message.from == identity.from
                && p.state != PendingState::Refused
        };
        let Some(pending) = self.pending.iter_mut().find(same) else {
            return Joined::No;
        };
        if pending.fingerprint != fingerprint {
            return Joined::Reused;
        }
        match pending.state {
            PendingState::Waiting | PendingState::Storing => {}
            PendingState::Taken | PendingState::StoringTaken => return Joined::Taken,
            PendingState::Refused => return Joined::No,
        }
        let known = |a: &&mut Asker| a.gateway == asker.gateway && a.session == asker.session;
        match pending.askers.iter_mut().find(known) {
            Some(known) => known.generation = asker.generation,
            None => pending.askers.push(asker),
        }
        Joined::Yes
    }

    /// Whether one more body of this size is within the bounds.
    pub fn has_room(&self, bytes: usize, count_max: usize, bytes_max: usize) -> bool {
        self.pending.len() < count_max && self.bytes + bytes <= bytes_max
    }

    /// Takes a new message in.
    pub fn push(&mut self, now: Moment, message: Message, fingerprint: u64, asker: Asker) {
        self.bytes += message.body.len();
        self.pending.push_back(Pending {
            message,
            fingerprint,
            askers: smallvec![asker],
            since: now,
            state: PendingState::Waiting,
        });
    }

    /// A session begins to read, from the first message that no device took.
    pub fn attach(&mut self, reader: impl FnOnce(Next) -> Reader) {
        let start = self.start();
        // Mostly there is one, and room for four would cost more than the user.
        self.readers.reserve_exact(1);
        self.readers.push(reader(start));
    }

    /// A session is gone, and what it was given is anyone's again.
    pub fn detach(&mut self, now: Moment, index: usize) {
        let former = self.readers.remove(index);
        if former.holds_some_of_memory() {
            self.doubtful = Some(now);
        }
        self.drop_taken();
    }

    /// Gives each session what it has room for. Gives how many copies for slow
    /// sessions were shed.
    pub fn pump(&mut self, steps: &mut Vec<Step>) -> usize {
        for index in 0..self.readers.len() {
            self.pump_one(index, steps);
        }
        self.drop_taken()
    }

    fn pump_one(&mut self, index: usize, steps: &mut Vec<Step>) {
        loop {
            let reader = &mut self.readers[index];
            let (count_max, bytes_max) = reader.room();
            if count_max == 0 || reader.reading {
                return;
            }
            if let Some(detour) = &reader.detour {
                let from = detour.start.max(self.cursor);
                if from >= detour.end {
                    reader.detour = None;
                    continue;
                }
                reader.reading = true;
                steps.push(Step::Read {
                    reader: index,
                    from,
                    count_max,
                    bytes_max,
                });
                return;
            }
            match reader.next {
                Next::Mailbox(position) if position.max(self.cursor) >= self.end => {
                    reader.next = Next::Memory(self.first);
                }
                // A read for a message or two would cost more than they do.
                Next::Mailbox(_) if !reader.wants_more() => return,
                Next::Mailbox(position) => {
                    let from = position.max(self.cursor);
                    reader.reading = true;
                    steps.push(Step::Read {
                        reader: index,
                        from,
                        count_max,
                        bytes_max,
                    });
                    return;
                }
                Next::Memory(ordinal) => {
                    let ordinal = ordinal.max(self.first);
                    let at = (ordinal.0 - self.first.0) as usize;
                    let Some(pending) = self.pending.get(at) else {
                        reader.next = Next::Memory(ordinal);
                        return;
                    };
                    let next = Next::Memory(Ordinal(ordinal.0 + 1));
                    match pending.state {
                        // It will be read from the mailbox, in its place.
                        PendingState::Storing | PendingState::StoringTaken => return,
                        PendingState::Refused => {
                            reader.next = next;
                            continue;
                        }
                        PendingState::Waiting | PendingState::Taken => {}
                    }
                    reader.give(&pending.message, Next::Memory(ordinal));
                    reader.next = next;
                    steps.push(Step::Deliver(index, pending.message.clone()));
                }
            }
        }
    }

    /// The store read what a reader asked for.
    pub fn read(
        &mut self,
        number: u64,
        from: Position,
        letters: Option<Vec<(Position, Letter)>>,
        steps: &mut Vec<Step>,
    ) {
        let Some(index) = self.readers.iter().position(|r| r.number == number) else {
            return;
        };
        let reader = &mut self.readers[index];
        reader.reading = false;
        let Some(letters) = letters else {
            // The place stands; the next thing that happens asks again.
            return;
        };
        if letters.is_empty() {
            // Nothing there: purged by age, or the mailbox ends here.
            if reader.detour.take().is_none() {
                reader.next = Next::Mailbox(self.end);
            }
            if from <= self.cursor {
                self.skip_to(self.end);
            }
            return;
        }
        let first = letters[0].0;
        if from <= self.cursor {
            self.skip_to(first);
        }
        for (position, letter) in letters {
            // An append that was called failed may have been carried out.
            self.end = self.end.max(position.next());
            if !self.is_way(index, position) {
                return;
            }
            self.give_letter(index, position, letter, steps);
        }
    }

    /// Moves a reader's place over a position; `false` if its detour ends
    /// before it.
    fn is_way(&mut self, index: usize, position: Position) -> bool {
        let reader = &mut self.readers[index];
        match &mut reader.detour {
            Some(detour) if position >= detour.end => {
                reader.detour = None;
                return false;
            }
            Some(detour) => detour.start = position.next(),
            None => reader.next = Next::Mailbox(position.next()),
        }
        true
    }

    /// Positions before `position` are empty: the cursor need not wait for
    /// them.
    fn skip_to(&mut self, position: Position) {
        if self.mailbox.range(..position).next().is_none() && self.cursor < position {
            self.cursor = position;
            self.run_cursor();
        }
    }

    fn give_letter(
        &mut self,
        index: usize,
        position: Position,
        letter: Letter,
        steps: &mut Vec<Step>,
    ) {
        let reader = &mut self.readers[index];
        if position < self.cursor {
            return;
        }
        let message = letter.message;
        let known = self.mailbox.entry(position).or_insert_with(|| InMailbox {
            identity: message.identity(),
            stamp: message.stamp,
            taken: false,
        });
        if known.taken || reader.holds(Next::Mailbox(position)) {
            return;
        }
        reader.give(&message, Next::Mailbox(position));
        steps.push(Step::Deliver(index, message));
    }

    /// Forgets taken messages at the front that every session was given, and
    /// the oldest when there are too many. Gives how many were shed.
    pub(super) fn drop_taken(&mut self) -> usize {
        let slowest = self.readers.iter().filter_map(|reader| match reader.next {
            Next::Memory(ordinal) => Some(ordinal),
            Next::Mailbox(_) => None,
        });
        let slowest = slowest.min();
        let mut shed = 0;
        while self.storing == 0
            && let Some(front) = self.pending.front()
            && matches!(front.state, PendingState::Taken | PendingState::Refused)
        {
            let taken = front.state == PendingState::Taken;
            let wanted = taken && slowest.is_some_and(|slowest| slowest <= self.first);
            if wanted && self.pending.len() <= COPIES_MAX {
                break;
            }
            shed += usize::from(wanted);
            self.pop_front();
        }
        shed
    }

    pub(super) fn pop_front(&mut self) -> Option<Pending> {
        let pending = self.pending.pop_front()?;
        self.bytes -= pending.message.body.len();
        self.first.0 += 1;
        Some(pending)
    }
}
