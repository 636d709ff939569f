//! Memory of processes that are started again and again.
//!
//! Owns the comparison of one life of a process with the next: at the same age
//! each. Must not know how memory is read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a process took at one moment, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// The proportional set size.
    pub pss: u64,
    /// The resident set size.
    pub rss: u64,
}

struct Life {
    born: Instant,
    samples: Vec<Held>,
}

/// The lives of processes.
pub struct Growth {
    /// Ages that are compared.
    from: Duration,
    to: Duration,
    lives: BTreeMap<&'static str, Vec<Life>>,
}

/// Figures by process: one for each life that was old enough, in KiB.
pub type ByLife = BTreeMap<String, Vec<u64>>;

impl Growth {
    /// Compares what processes hold in the second half of this time after each
    /// start.
    pub fn new(stretch: Duration) -> Self {
        Self {
            from: stretch / 2,
            to: stretch,
            lives: BTreeMap::new(),
        }
    }

    /// A process is started.
    pub fn is_born(&mut self, part: &'static str, now: Instant) {
        let samples = Vec::new();
        let lives = self.lives.entry(part).or_default();
        lives.push(Life { born: now, samples });
    }

    /// What it holds now.
    pub fn holds(&mut self, part: &str, now: Instant, held: Held) {
        let Some(life) = self.lives.get_mut(part).and_then(|lives| lives.last_mut()) else {
            return;
        };
        let age = now.duration_since(life.born);
        if age >= self.from && age <= self.to {
            life.samples.push(held);
        }
    }

    /// The median of each life.
    pub fn by_life(&self, of: impl Fn(&Held) -> u64) -> ByLife {
        let lives = self.lives.iter().map(|(part, lives)| {
            let medians = lives.iter().filter_map(|life| {
                let mut values: Vec<u64> = life.samples.iter().map(&of).collect();
                values.sort_unstable();
                values.get(values.len() / 2).map(|bytes| bytes / 1_024)
            });
            ((*part).to_owned(), medians.collect())
        });
        lives.collect()
    }
}

/// By how many percent the process that grew most holds more in its last life
/// than in its first one after warming up, which is the second where there are
/// three or more; `None` where no process has two.
pub fn percent(by_life: &ByLife) -> Option<f64> {
    let grown = by_life.values().filter_map(|lives| {
        let first = lives.get(usize::from(lives.len() >= 3))?;
        let last = lives.last().filter(|_| lives.len() >= 2)?;
        Some((*last as f64 / *first as f64 - 1.0) * 100.0)
    });
    let most = grown.max_by(f64::total_cmp)?;
    Some((most * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_are_compared_at_the_same_age() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut growth = Growth::new(Duration::from_secs(10));
        let held = |kib: u64| Held {
            pss: kib << 10,
            rss: kib << 11,
        };
        growth.is_born("imd", at(0));
        // Too young, three that count, and too old.
        for (secs, kib) in [(4, 900), (5, 300), (7, 100), (10, 200), (11, 900)] {
            growth.holds("imd", at(secs), held(kib));
        }
        growth.is_born("imd", at(20));
        growth.holds("imd", at(26), held(220));
        growth.is_born("imd", at(40));
        growth.holds("connd", at(46), held(1));
        let pss = growth.by_life(|held| held.pss);
        assert_eq!(pss["imd"], [200, 220]);
        assert_eq!(growth.by_life(|held| held.rss)["imd"], [400, 440]);
        assert_eq!(percent(&pss), Some(10.0));
    }

    #[test]
    fn the_first_life_of_three_is_for_warming_up() {
        let by_life = |lives: &[&[u64]]| -> ByLife {
            let name = |(at, lives): (usize, &&[u64])| (at.to_string(), lives.to_vec());
            lives.iter().enumerate().map(name).collect()
        };
        assert_eq!(percent(&by_life(&[&[50, 100, 300, 110]])), Some(10.0));
        assert_eq!(percent(&by_life(&[&[100, 90], &[100, 101]])), Some(1.0));
        assert_eq!(percent(&by_life(&[&[100], &[]])), None);
    }
}
