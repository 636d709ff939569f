//! How far a client is beyond its rate of messages.
//!
//! Owns when that is so far that it is held. Must not know the rate: that is
//! the shard's, whose answers are counted here.

use proto::codes::Code;
use proto::link::Answer;

/// So many messages more refused for the rate than others: a client that writes
/// less than twice its rate does not get there, nor one that was wrong once.
const EXCESS_MAX: u32 = 32;

/// Messages refused for the rate, less the others, since the client was held.
#[derive(Debug, Default)]
pub struct Excess(u32);

impl Excess {
    /// Counts an answer; whether the client is to be held by now.
    pub fn count(&mut self, answer: &Answer) -> bool {
        let is_excess = match answer {
            Answer::Rejected { code, .. } => *code == Code::RateExceeded,
            Answer::Unknown { code } => *code == Code::TooMany,
            Answer::Sent(_) => false,
        };
        if !is_excess {
            self.0 = self.0.saturating_sub(1);
            return false;
        }
        self.0 += 1;
        let is_far = self.0 >= EXCESS_MAX;
        if is_far {
            self.0 = 0;
        }
        is_far
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::ids::Generation;
    use smol_str::SmolStr;

    fn rejected(code: Code) -> Answer {
        let text = SmolStr::default();
        Answer::Rejected {
            code,
            text,
            generation: Generation(7),
        }
    }

    /// How often a client is held that gets these answers again and again.
    fn held(answers: &[Answer]) -> usize {
        let mut excess = Excess::default();
        let answers = answers.iter().cycle().take(960);
        answers.filter(|answer| excess.count(answer)).count()
    }

    #[test]
    fn who_is_far_beyond_is_held_and_who_is_a_little_is_not() {
        let [over, full] = [Code::RateExceeded, Code::MailboxFull].map(rejected);
        // What a client calls sent before is no way around it.
        let code = Code::TooMany;
        let again = Answer::Unknown { code };
        let far = EXCESS_MAX as usize;
        assert_eq!(held(std::slice::from_ref(&over)), 960 / far);
        assert_eq!(held(&[again]), 960 / far);
        let mixed = [over.clone(), over.clone(), over.clone(), full.clone()];
        assert_eq!(held(&mixed), 480 / far);
        assert_eq!(held(&[over, full.clone()]), 0);
        assert_eq!(held(&[full]), 0);
    }
}
