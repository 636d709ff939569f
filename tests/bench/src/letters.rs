//! Who wrote which message to whom, and in what order it came.
//!
//! Owns the messages' ids and routes. Must not know sockets, or answers.

use std::collections::HashMap;

use proto::ids::MessageId;

use crate::ledger::MessageNumber;

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Letter {
    /// Its id, the same however often it is written.
    pub id: MessageId,
    /// Who writes.
    pub sender: usize,
    /// To whom.
    pub recipient: usize,
}

/// All messages of a run, by number.
#[derive(Default)]
pub struct Letters {
    all: Vec<Letter>,
    /// The newest number that came, by sender and recipient.
    newest: HashMap<(usize, usize), MessageNumber>,
    /// Of each recipient: how many came, each counted once.
    taken: HashMap<usize, u64>,
    out_of_order: u64,
}

impl Letters {
    /// Adds the message that has the next number.
    pub fn add(&mut self, letter: Letter) {
        self.all.push(letter);
    }

    /// The message of an id; `None` if nobody wrote it.
    pub fn find(&self, id: MessageId) -> Option<(MessageNumber, Letter)> {
        let number = MessageNumber::of(id);
        let letter = self.all.get(number.index())?;
        (letter.id == id).then_some((number, *letter))
    }

    /// The message of a number that was added.
    pub fn get(&self, number: MessageNumber) -> Letter {
        self.all[number.index()]
    }

    /// A message came for the first time.
    pub fn came(&mut self, number: MessageNumber) {
        let Letter {
            sender, recipient, ..
        } = self.get(number);
        *self.taken.entry(recipient).or_default() += 1;
        let newest = self.newest.entry((sender, recipient)).or_insert(number);
        if number.index() < newest.index() {
            self.out_of_order += 1;
        } else {
            *newest = number;
        }
    }

    /// How many messages came for a recipient.
    pub fn taken(&self, recipient: usize) -> u64 {
        self.taken.get(&recipient).copied().unwrap_or(0)
    }

    /// How many came after a later one of the same sender to the same
    /// recipient.
    pub fn out_of_order(&self) -> u64 {
        self.out_of_order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    /// Messages 0 to 3: two of each sender to user 9.
    fn written() -> (Letters, Vec<MessageNumber>) {
        let mut ledger = Ledger::new(4);
        let mut letters = Letters::default();
        let numbers = [1, 2, 1, 2].map(|sender| {
            let number = ledger.start(sender, 0).unwrap();
            letters.add(Letter {
                id: number.mint(1_000),
                sender: sender as usize,
                recipient: 9,
            });
            number
        });
        (letters, numbers.to_vec())
    }

    #[test]
    fn order_counts_for_each_sender_alone() {
        let (mut letters, numbers) = written();
        // The second sender's first message comes after their second.
        for at in [0, 3, 2, 1] {
            letters.came(numbers[at]);
        }
        assert_eq!(letters.out_of_order(), 1);
        assert_eq!(letters.taken(9), 4);
        assert_eq!(letters.taken(1), 0);
    }

    #[test]
    fn an_id_that_nobody_wrote_is_not_found() {
        let (letters, numbers) = written();
        let (number, letter) = letters.find(numbers[3].mint(1_000)).unwrap();
        assert_eq!((number, letter.sender), (numbers[3], 2));
        assert!(letters.find(numbers[3].mint(1_001)).is_none());
    }
}
