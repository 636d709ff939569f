//! Ids for messages: by the server's clock, ascending.
//!
//! Owns the last id. Must not know which messages have them.

use proto::ids::MessageId;

use super::dice::Dice;

/// The 12 bits after an id's time count within one millisecond (RFC 9562,
/// 6.2, method 1).
const COUNTER_MAX: u16 = 0x0fff;

/// A counter begins in its lower half, so that it has room to rise.
const COUNTER_START_MAX: u64 = 0x07ff;

/// Mints ids that ascend, whatever the clock does.
#[derive(Debug, Default)]
pub(super) struct Mint {
    last_ms: u64,
    counter: u16,
}

impl Mint {
    pub(super) fn id(&mut self, server_ms: u64, dice: &mut Dice) -> MessageId {
        if server_ms > self.last_ms {
            self.begin(server_ms, dice);
        } else if self.counter == COUNTER_MAX {
            // Milliseconds ahead at most: no client sends two thousand
            // messages in each of many.
            self.begin(self.last_ms + 1, dice);
        } else {
            self.counter += 1;
        }
        let mut random = [0; 10];
        random[..2].copy_from_slice(&self.counter.to_be_bytes());
        random[2..].copy_from_slice(&dice.roll().to_be_bytes());
        MessageId::mint(self.last_ms, random)
    }

    fn begin(&mut self, ms: u64, dice: &mut Dice) {
        self.last_ms = ms;
        // At most 11 bits.
        self.counter = dice.up_to(COUNTER_START_MAX) as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_within_a_millisecond_and_when_the_clock_steps_back() {
        let (mut mint, mut dice) = (Mint::default(), Dice::new(3));
        let mut last = mint.id(1_795_000_000_000, &mut dice);
        assert_eq!(last.minted_ms(), 1_795_000_000_000);
        for n in 0..20_000 {
            let server_ms = if n % 3 == 0 { 5 } else { 1_795_000_000_000 };
            let id = mint.id(server_ms, &mut dice);
            assert!(id > last, "{id} after {last}");
            last = id;
        }
        assert!(last.minted_ms() < 1_795_000_000_020);
    }

    #[test]
    fn two_devices_of_one_moment_differ() {
        let id = |seed| Mint::default().id(7, &mut Dice::new(seed));
        assert_ne!(id(1), id(2));
    }
}
