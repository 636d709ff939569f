//! When the messages of an open loop are to be sent.
//!
//! Owns the plan, which does not depend on how fast the server is: what is
//! late is counted from its planned time. Must not know a clock.

/// Evenly spaced messages; one of several threads takes each `threads`-th.
#[derive(Debug, Clone)]
pub struct Schedule {
    per_second: f64,
    /// Of all threads.
    messages: u64,
    next: u64,
    threads: u64,
}

impl Schedule {
    /// `per_second` messages of all threads for `seconds`; this is the part of
    /// thread number `thread`, counted from 0.
    pub fn new(per_second: f64, seconds: f64, thread: usize, threads: usize) -> Self {
        Self {
            per_second,
            messages: (per_second * seconds).round() as u64,
            next: thread as u64,
            threads: threads as u64,
        }
    }

    /// How many messages are left to this thread.
    pub fn messages(&self) -> u64 {
        self.messages
            .saturating_sub(self.next)
            .div_ceil(self.threads)
    }

    /// When the next message is to be sent, in nanoseconds since the window's
    /// start; `None` after the last.
    pub fn next_ns(&self) -> Option<u64> {
        // From the number each time: a sum of rounded gaps would drift.
        let at = |number: u64| (number as f64 * 1e9 / self.per_second) as u64;
        (self.next < self.messages).then(|| at(self.next))
    }

    /// Takes one message that is due, and returns when it was to be sent.
    pub fn take_due(&mut self, now_ns: u64) -> Option<u64> {
        let intended_ns = self.next_ns().filter(|at| *at <= now_ns)?;
        self.next += self.threads;
        Some(intended_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut schedule: Schedule) -> Vec<u64> {
        std::iter::from_fn(|| schedule.take_due(u64::MAX)).collect()
    }

    #[test]
    fn messages_are_evenly_spaced_and_end_with_the_window() {
        let times = all(Schedule::new(5_000.0, 10.0, 0, 1));
        assert_eq!(times.len(), 50_000);
        assert_eq!(times[..3], [0, 200_000, 400_000]);
        assert_eq!(times[49_999], 9_999_800_000);
    }

    #[test]
    fn an_odd_rate_does_not_drift() {
        let times = all(Schedule::new(3_000.0, 100.0, 0, 1));
        assert_eq!(times.len(), 300_000);
        assert_eq!(times[299_997], 99_999_000_000);
    }

    #[test]
    fn nothing_is_due_before_its_time_and_what_is_late_keeps_it() {
        let mut schedule = Schedule::new(1_000.0, 1.0, 0, 1);
        assert_eq!(schedule.take_due(0), Some(0));
        assert_eq!(schedule.take_due(999_999), None);
        assert_eq!(schedule.next_ns(), Some(1_000_000));
        // A stall of three messages: each is counted from its own time.
        assert_eq!(schedule.take_due(3_500_000), Some(1_000_000));
        assert_eq!(schedule.take_due(3_500_000), Some(2_000_000));
        assert_eq!(schedule.take_due(3_500_000), Some(3_000_000));
        assert_eq!(schedule.take_due(3_500_000), None);
    }

    #[test]
    fn threads_share_one_plan() {
        let whole = all(Schedule::new(700.0, 1.0, 0, 1));
        let of_thread = |thread| Schedule::new(700.0, 1.0, thread, 3);
        assert_eq!((0..3).map(|t| of_thread(t).messages()).sum::<u64>(), 700);
        let mut parts: Vec<u64> = (0..3).flat_map(|thread| all(of_thread(thread))).collect();
        parts.sort_unstable();
        assert_eq!(parts, whole);
    }
}
