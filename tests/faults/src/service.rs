//! Who is served: when the messages of each stream were handed over, and when
//! they were acknowledged.
//!
//! Owns those moments. Must not know what happened to the cluster.

use std::time::{Duration, Instant};

/// The moments of one stream.
#[derive(Debug, Default)]
struct Moments {
    /// When the newest message that has an acknowledgement was handed over.
    newest: Option<Instant>,
    acknowledged: Vec<Instant>,
}

/// The account of the service.
#[derive(Debug, Default)]
pub struct Service {
    streams: Vec<Moments>,
    sent: Vec<Instant>,
    acknowledged: Vec<Instant>,
}

/// How long streams were without service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outage {
    /// Of how many streams.
    pub streams: usize,
    /// Half of them had a shorter one.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Service {
    /// For so many streams.
    pub fn of(streams: usize) -> Self {
        let streams = (0..streams).map(|_| Moments::default());
        Self {
            streams: streams.collect(),
            sent: Vec::new(),
            acknowledged: Vec::new(),
        }
    }

    /// A message is handed over.
    pub fn sent(&mut self, now: Instant) {
        self.sent.push(now);
    }

    /// A message is acknowledged.
    pub fn acknowledged(&mut self, stream: usize, sent: Instant, now: Instant) {
        let moments = &mut self.streams[stream];
        moments.newest = moments.newest.max(Some(sent));
        moments.acknowledged.push(now);
        self.acknowledged.push(now);
    }

    /// Those of these streams that have no acknowledgement of what was handed
    /// over since then.
    pub fn unserved(&self, streams: &[usize], since: Instant) -> Vec<usize> {
        let is_served = |stream: &&usize| {
            let newest = self.streams[**stream].newest;
            newest.is_some_and(|newest| newest >= since)
        };
        streams.iter().filter(|s| !is_served(s)).copied().collect()
    }

    /// How many messages were acknowledged from then to then.
    pub fn acknowledged_within(&self, from: Instant, to: Instant) -> usize {
        within(&self.acknowledged, from, to).len()
    }

    /// The longest time from then to then in which nobody had an
    /// acknowledgement.
    pub fn silence(&self, from: Instant, to: Instant) -> Duration {
        longest_pause(&self.acknowledged, from, to)
    }

    /// How many messages were handed over from then to then.
    pub fn sent_within(&self, from: Instant, to: Instant) -> usize {
        within(&self.sent, from, to).len()
    }

    /// For how long each of these streams had no acknowledgement, at the
    /// longest, from then to then.
    pub fn outage(&self, streams: &[usize], from: Instant, to: Instant) -> Outage {
        let mut longest: Vec<Duration> = streams
            .iter()
            .map(|stream| longest_pause(&self.streams[*stream].acknowledged, from, to))
            .collect();
        longest.sort_unstable();
        Outage {
            streams: longest.len(),
            median: longest.get(longest.len() / 2).copied().unwrap_or_default(),
            longest: longest.last().copied().unwrap_or_default(),
        }
    }
}

fn within(moments: &[Instant], from: Instant, to: Instant) -> &[Instant] {
    let after = moments.partition_point(|at| *at < from);
    let before = moments.partition_point(|at| *at < to);
    &moments[after..before.max(after)]
}

fn longest_pause(moments: &[Instant], from: Instant, to: Instant) -> Duration {
    let within = within(moments, from, to);
    let ends = within.iter().copied().chain([to]);
    let begins = [from].into_iter().chain(within.iter().copied());
    let pauses = begins.zip(ends).map(|(begin, end)| end - begin);
    pauses.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_the_longest_pause_within_the_time() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let secs = Duration::from_secs;
        let mut service = Service::of(3);
        for now in [1, 2, 3] {
            service.sent(at(now));
            service.acknowledged(0, at(now), at(now));
        }
        service.acknowledged(1, at(2), at(6));
        for now in [7, 8, 9, 20] {
            service.sent(at(now));
            service.acknowledged(0, at(now), at(now));
        }
        let outage = service.outage(&[0, 1], at(2), at(9));
        assert_eq!((outage.median, outage.longest), (secs(4), secs(4)));
        let outage = service.outage(&[0, 2], at(0), at(30));
        assert_eq!((outage.streams, outage.longest), (2, secs(30)));
        assert_eq!(service.outage(&[0], at(0), at(30)).longest, secs(11));
        assert_eq!(service.unserved(&[0, 1, 2], at(3)), [1, 2]);
        assert!(service.unserved(&[0, 1], at(2)).is_empty());
        assert_eq!(service.acknowledged_within(at(2), at(7)), 3);
        assert_eq!(service.silence(at(1), at(9)), secs(3));
        assert_eq!(service.sent_within(at(2), at(9)), 4);
    }
}
