//! A mixed load at a steady pace: messages, people who come and go, and
//! statuses that change.
//!
//! Owns when what is due. Must not know restarts, or what is measured.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::Result;
use proto::status::{Availability, Status};

use crate::post::Post;

/// Visits of people who else are away, per second, and how long each lasts.
const VISITS_PER_SECOND: f64 = 20.0;
const STAY: Duration = Duration::from_secs(2);
/// Who cannot leave yet, for they are not quite there, tries again.
const STAY_LONGER: Duration = Duration::from_millis(200);
/// Changes of status, per second.
const STATUSES_PER_SECOND: f64 = 10.0;

/// A mixed load.
pub struct Bustle {
    began: Instant,
    messages_per_second: f64,
    messages: u64,
    visitors: Range<usize>,
    /// Who is there, and until when.
    visiting: VecDeque<(Instant, usize)>,
    /// Visits so far.
    pub visits: u64,
    chatters: usize,
    /// Changes of status so far.
    pub statuses: u64,
}

impl Bustle {
    /// Begins now; the first so many clients change their status.
    pub fn new(messages_per_second: u32, chatters: usize, visitors: Range<usize>) -> Self {
        Self {
            began: Instant::now(),
            messages_per_second: f64::from(messages_per_second),
            messages: 0,
            visitors,
            visiting: VecDeque::new(),
            visits: 0,
            chatters,
            statuses: 0,
        }
    }

    /// Does what is due.
    pub fn turn(&mut self, post: &mut Post) -> Result<()> {
        let elapsed = self.began.elapsed();
        let due = |per_second: f64| (elapsed.as_secs_f64() * per_second) as u64;
        let messages = due(self.messages_per_second);
        post.write_more(messages - self.messages)?;
        self.messages = messages;
        while self.visits < due(VISITS_PER_SECOND) {
            let visitor = self.visitors.start + self.visits as usize % self.visitors.len();
            if post.is_away(visitor) {
                post.enter(visitor)?;
                self.visiting.push_back((Instant::now() + STAY, visitor));
            }
            self.visits += 1;
        }
        while self.statuses < due(STATUSES_PER_SECOND) {
            let round = self.statuses as usize / self.chatters;
            let status = match round % 2 {
                0 => Availability::Busy,
                _ => Availability::Online,
            };
            let who = self.statuses as usize % self.chatters;
            post.set_status(who, Status::plain(status));
            self.statuses += 1;
        }
        self.see_off(post);
        Ok(())
    }

    /// Whether all visitors have left; nobody comes any more.
    pub fn is_over(&mut self, post: &mut Post) -> bool {
        self.see_off(post);
        self.visiting.is_empty() && self.visitors.clone().all(|at| post.is_away(at))
    }

    fn see_off(&mut self, post: &mut Post) {
        let now = Instant::now();
        while let Some((until, visitor)) = self.visiting.front().copied()
            && until <= now
        {
            self.visiting.pop_front();
            if post.is_there(visitor) {
                post.leave(visitor);
            } else {
                self.visiting.push_back((now + STAY_LONGER, visitor));
            }
        }
    }
}
