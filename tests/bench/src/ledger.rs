//! What became of every message of one run.
//!
//! Owns the accounts: started, answered, delivered, how often. Must not know
//! sockets, users' names or how a latency is summed up.

use proto::ids::MessageId;

/// The most messages of one run and thread; 16 bytes each.
pub const MESSAGES_MAX: usize = 1 << 26;

/// A message of this run, counted from 0 by its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageNumber(u32);

impl MessageNumber {
    /// An id that carries the number in its last four bytes.
    pub fn mint(self, unix_ms: u64) -> MessageId {
        let mut random = [0; 10];
        random[6..].copy_from_slice(&self.0.to_be_bytes());
        MessageId::mint(unix_ms, random)
    }

    /// The number in an id that [`MessageNumber::mint`] made.
    pub fn of(id: MessageId) -> Self {
        let [.., a, b, c, d] = *id.as_bytes();
        Self(u32::from_be_bytes([a, b, c, d]))
    }

    /// Which message of its thread it is, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A server did what no server may do, or the run is too long. Whoever works
/// on the server, or runs the benchmark, must act.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// See [`MESSAGES_MAX`].
    #[error("a run has at most {MESSAGES_MAX} messages per thread; take fewer seconds")]
    Full,
    /// An answer to, or a delivery of, what nobody sent.
    #[error("message {0:?} was never sent by that sender")]
    Stray(MessageNumber),
    /// More than one `Sent`, `Rejected` or `Unknown`.
    #[error("message {0:?} was answered twice")]
    AnsweredTwice(MessageNumber),
}

/// How a message was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A device took it.
    Delivered,
    /// It is durable in the mailbox.
    Stored,
    /// It never will be delivered.
    Refused,
    /// The server does not know.
    Unknown,
}

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The first one, of a message that was to be sent at this time.
    First {
        /// In nanoseconds since the window's start.
        intended_ns: u64,
    },
    /// One more of the same message.
    Again,
}

struct Entry {
    intended_ns: u64,
    sender: u32,
    delivered: bool,
    answer: Option<Answer>,
}

/// The sums of a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Written to the server.
    pub messages: u64,
    /// Delivered at least once.
    pub delivered: u64,
    /// Answered `Sent` with `Stored`.
    pub stored: u64,
    /// Answered `Rejected`.
    pub refused: u64,
    /// Answered `Unknown`.
    pub unknown: u64,
    /// Answered `Sent`, and never delivered.
    pub lost: u64,
    /// Not answered at all.
    pub unanswered: u64,
    /// Deliveries after the first of a message.
    pub duplicates: u64,
}

impl Tally {
    /// Adds the sums of another thread.
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.delivered += other.delivered;
        self.stored += other.stored;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.lost += other.lost;
        self.unanswered += other.unanswered;
        self.duplicates += other.duplicates;
    }
}

/// Every message of one thread in one run.
///
/// At most [`MESSAGES_MAX`]; a full ledger ends the run.
pub struct Ledger {
    entries: Vec<Entry>,
    /// `lost` and `unanswered` count what is so by now.
    tally: Tally,
}

impl Ledger {
    /// An empty ledger with room for `expected` messages, so that it need not
    /// move while it is measured.
    pub fn new(expected: usize) -> Self {
        Self {
            entries: Vec::with_capacity(expected.min(MESSAGES_MAX)),
            tally: Tally::default(),
        }
    }

    /// A message is written, `intended_ns` after the window's start or later.
    pub fn start(&mut self, sender: u32, intended_ns: u64) -> Result<MessageNumber, LedgerError> {
        if self.entries.len() >= MESSAGES_MAX {
            return Err(LedgerError::Full);
        }
        let number = MessageNumber(self.entries.len() as u32);
        self.entries.push(Entry {
            intended_ns,
            sender,
            delivered: false,
            answer: None,
        });
        self.tally.messages += 1;
        self.tally.unanswered += 1;
        Ok(number)
    }

    /// A message of `sender` is answered; returns when it was to be sent.
    pub fn answered(
        &mut self,
        number: MessageNumber,
        sender: u32,
        answer: Answer,
    ) -> Result<u64, LedgerError> {
        let entry = find(&mut self.entries, number, sender)?;
        if entry.answer.is_some() {
            return Err(LedgerError::AnsweredTwice(number));
        }
        entry.answer = Some(answer);
        let tally = &mut self.tally;
        tally.unanswered -= 1;
        match answer {
            Answer::Delivered => {}
            Answer::Stored => tally.stored += 1,
            Answer::Refused => tally.refused += 1,
            Answer::Unknown => tally.unknown += 1,
        }
        if entry.is_lost() {
            tally.lost += 1;
        }
        Ok(entry.intended_ns)
    }

    /// A message of `sender` is delivered.
    pub fn delivered(
        &mut self,
        number: MessageNumber,
        sender: u32,
    ) -> Result<Delivery, LedgerError> {
        let entry = find(&mut self.entries, number, sender)?;
        if entry.delivered {
            self.tally.duplicates += 1;
            return Ok(Delivery::Again);
        }
        if entry.is_lost() {
            self.tally.lost -= 1;
        }
        entry.delivered = true;
        self.tally.delivered += 1;
        let intended_ns = entry.intended_ns;
        Ok(Delivery::First { intended_ns })
    }

    /// Whether nothing more is to come: every message has its answer, and what
    /// is `Sent` is delivered.
    pub fn is_settled(&self) -> bool {
        self.tally.unanswered == 0 && self.tally.lost == 0
    }

    /// The sums as they are now.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Entry {
    fn is_lost(&self) -> bool {
        let safe = matches!(self.answer, Some(Answer::Delivered | Answer::Stored));
        safe && !self.delivered
    }
}

fn find(
    entries: &mut [Entry],
    number: MessageNumber,
    sender: u32,
) -> Result<&mut Entry, LedgerError> {
    entries
        .get_mut(number.0 as usize)
        .filter(|entry| entry.sender == sender)
        .ok_or(LedgerError::Stray(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: u32 = 4;
    const BEN: u32 = 5;

    fn ledger_with(messages: usize) -> (Ledger, Vec<MessageNumber>) {
        let mut ledger = Ledger::new(messages);
        let numbers = (0..messages)
            .map(|at| ledger.start(ANN, at as u64 * 10).unwrap())
            .collect();
        (ledger, numbers)
    }

    #[test]
    fn an_id_carries_its_number() {
        let number = MessageNumber(0xfedc_ba98);
        let id = number.mint(1_795_000_000_123);
        assert_eq!(MessageNumber::of(id), number);
        assert_eq!(id.minted_ms(), 1_795_000_000_123);
    }

    #[test]
    fn each_fate_has_its_account() {
        let (mut ledger, numbers) = ledger_with(6);
        let answers = [
            Answer::Delivered,
            Answer::Stored,
            Answer::Stored,
            Answer::Refused,
            Answer::Unknown,
        ];
        for (number, answer) in numbers.iter().zip(answers) {
            ledger.answered(*number, ANN, answer).unwrap();
        }
        let first = Delivery::First { intended_ns: 10 };
        assert_eq!(ledger.delivered(numbers[1], ANN), Ok(first));
        let expected = Tally {
            messages: 6,
            delivered: 1,
            stored: 2,
            refused: 1,
            unknown: 1,
            lost: 2,
            unanswered: 1,
            duplicates: 0,
        };
        assert_eq!(ledger.tally(), &expected);
    }

    #[test]
    fn a_delivery_settles_before_or_after_the_answer() {
        let (mut ledger, numbers) = ledger_with(2);
        ledger.delivered(numbers[0], ANN).unwrap();
        assert!(!ledger.is_settled());
        ledger.answered(numbers[0], ANN, Answer::Delivered).unwrap();
        ledger.answered(numbers[1], ANN, Answer::Stored).unwrap();
        assert_eq!(ledger.tally().lost, 1);
        assert!(!ledger.is_settled());
        ledger.delivered(numbers[1], ANN).unwrap();
        assert_eq!(ledger.tally().lost, 0);
        assert!(ledger.is_settled());
    }

    #[test]
    fn a_second_delivery_is_a_duplicate_and_a_second_answer_an_error() {
        let (mut ledger, numbers) = ledger_with(1);
        ledger.delivered(numbers[0], ANN).unwrap();
        assert_eq!(ledger.delivered(numbers[0], ANN), Ok(Delivery::Again));
        assert_eq!(ledger.tally().duplicates, 1);
        assert_eq!(ledger.tally().delivered, 1);
        ledger.answered(numbers[0], ANN, Answer::Delivered).unwrap();
        assert_eq!(
            ledger.answered(numbers[0], ANN, Answer::Delivered),
            Err(LedgerError::AnsweredTwice(numbers[0]))
        );
    }

    #[test]
    fn what_nobody_sent_is_an_error() {
        let (mut ledger, numbers) = ledger_with(1);
        let stray = Err(LedgerError::Stray(numbers[0]));
        assert_eq!(ledger.delivered(numbers[0], BEN), stray);
        let unknown = MessageNumber(1);
        assert_eq!(
            ledger.delivered(unknown, ANN),
            Err(LedgerError::Stray(unknown))
        );
    }
}
