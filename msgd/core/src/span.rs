//! Between which two times it may be, where the wall clock was set while the
//! process ran.
//!
//! Ids carry the time at which clients minted them, and clients go by what the
//! clock said when they logged in. So after a step neither side of it may be
//! called wrong. Owns how late and how early it may be. Must not know what is
//! decided by it.

use std::time::Duration;

use proto::clock::Now;
use proto::ids::Stamp;

/// The latest and the earliest time, each as if its clock had run evenly on.
#[derive(Debug, Default)]
pub struct Span(Option<(Now, Now)>);

impl Span {
    /// How early and how late it may be. The two are the same as long as
    /// nobody sets the clock.
    pub fn look(&mut self, now: Now) -> (Stamp, Stamp) {
        let (early, late) = self.0.get_or_insert((now, now));
        if now.wall <= run_on(*early, now) {
            *early = now;
        }
        if now.wall >= run_on(*late, now) {
            *late = now;
        }
        (run_on(*early, now), run_on(*late, now))
    }
}

/// What a clock that was right then says now.
fn run_on(then: Now, now: Now) -> Stamp {
    let run: Duration = now.moment.since(then.moment);
    let run = u64::try_from(run.as_micros()).unwrap_or(u64::MAX);
    Stamp(then.wall.0.saturating_add(run))
}

#[cfg(test)]
mod tests {
    use proto::clock::Moment;

    use super::*;

    fn at(moment: u64, wall: u64) -> Now {
        Now {
            moment: Moment(moment),
            wall: Stamp(wall),
        }
    }

    #[test]
    fn it_is_what_the_clock_says_while_that_runs_evenly() {
        let mut span = Span::default();
        for n in 0..5 {
            let now = at(7 + n, 1_000 + n);
            assert_eq!(span.look(now), (now.wall, now.wall));
        }
    }

    #[test]
    fn after_a_step_both_times_are_possible_and_run_on() {
        let mut span = Span::default();
        span.look(at(0, 1_000));
        assert_eq!(span.look(at(10, 510)), (Stamp(510), Stamp(1_010)));
        assert_eq!(span.look(at(20, 1_020)), (Stamp(520), Stamp(1_020)));
        assert_eq!(span.look(at(30, 9_000)), (Stamp(530), Stamp(9_000)));
        assert_eq!(span.look(at(40, 1_040)), (Stamp(540), Stamp(9_010)));
    }
}
