//! The runtime of a thread that carries messages.
//!
//! Owns how often such a thread wakes. Must not know what it runs.
//!
//! To fall asleep and be woken costs a thread more than to pass a message on
//! (`tests/bench/README.md` has the figures). So a thread that is woken again
//! and again looks for work only every [`REST`], and what has come meanwhile
//! shares the wake-up: what network cards do with their interrupts. A thread
//! that has little to do is woken at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// Between two looks for work of a busy thread: about what a look adds at most to
/// the way of a message.
const REST: Duration = Duration::from_micros(500);

/// So many wake-ups in a row are free.
const FREE: u32 = 32;

/// A current-thread runtime that rests while it is busy.
///
/// # Errors
/// The system gives no descriptors.
pub fn resting() -> io::Result<LocalRuntime> {
    resting_by(Arc::default())
}

fn resting_by(rests: Arc<Rests>) -> io::Result<LocalRuntime> {
    let start = Instant::now();
    Builder::new_current_thread()
        .enable_all()
        // All that was ready is done: only now the thread may sleep.
        .on_thread_park(move || {
            if let Some(rest) = rests.next(start.elapsed()) {
                std::thread::sleep(rest);
            }
        })
        .build_local(LocalOptions::default())
}

/// When one thread may look for work, in nanoseconds since its start: one look
/// per [`REST`], [`FREE`] looks ahead of that (the generic cell rate algorithm,
/// ITU-T I.371). Atomic only because a runtime's hooks must be shareable.
#[derive(Debug, Default)]
struct Rests(AtomicU64);

impl Rests {
    /// How long to rest before the next look; `None`: not at all.
    fn next(&self, now: Duration) -> Option<Duration> {
        let due = self.due().max(now.saturating_sub(REST * FREE)) + REST;
        // Five centuries fit.
        let nanos = u64::try_from(due.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
        due.checked_sub(now).filter(|rest| !rest.is_zero())
    }

    fn due(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks within a second, `gap` after each other, and the longest rest.
    fn looks(rests: &Rests, gap: Duration) -> (u32, Duration) {
        let mut now = Duration::from_secs(3600);
        let end = now + Duration::from_secs(1);
        let (mut looks, mut longest) = (0, Duration::ZERO);
        while now < end {
            let rest = rests.next(now).unwrap_or_default();
            longest = longest.max(rest);
            now += rest + gap;
            looks += 1;
        }
        (looks, longest)
    }

    #[test]
    fn who_has_little_to_do_never_rests() {
        let gap = REST + Duration::from_micros(1);
        assert_eq!(looks(&Rests::default(), gap).1, Duration::ZERO);
    }

    #[test]
    fn who_is_busy_looks_at_a_rate_and_rests_no_longer_than_that() {
        for gap in [0, 1, 100, 400] {
            let (looks, longest) = looks(&Rests::default(), Duration::from_micros(gap));
            assert!((2000..=2000 + FREE).contains(&looks), "{looks} looks");
            assert!(longest <= REST);
        }
    }

    #[test]
    fn after_a_pause_looks_are_free_again() {
        let rests = Rests::default();
        looks(&rests, Duration::ZERO);
        let later = Duration::from_secs(3602);
        for _ in 0..FREE {
            assert_eq!(rests.next(later), None);
        }
        assert_eq!(rests.next(later), Some(REST));
    }

    #[test]
    fn a_runtime_rests_until_it_may_look() {
        let rests = Arc::new(Rests::default());
        let start = Instant::now();
        let runtime = resting_by(rests.clone()).unwrap();
        runtime.block_on(async {
            for _ in 0..100_000 {
                if rests.due() > REST * FREE {
                    break;
                }
                // Woken by another thread: mostly this one has parked.
                tokio::task::spawn_blocking(|| ()).await.unwrap();
            }
        });
        let due = rests.due();
        assert!(due > REST * FREE);
        assert!(start.elapsed() >= due - REST);
    }
}
