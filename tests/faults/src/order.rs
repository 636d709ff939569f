//! Messages of one stream that were shown after a later one.
//!
//! Owns which came late, and when each was on its way. Must not know why.

use std::collections::HashMap;
use std::time::Instant;

use client::DeviceId;

/// From when to when something was out of order.
pub type Window = (Instant, Instant);

/// A message that was shown after a later one of the same sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Which stream.
    pub stream: usize,
    /// Which of its messages, from 0.
    pub number: usize,
    /// When it was handed over, and when it was shown.
    pub under_way: Window,
}

/// The account of the order.
#[derive(Debug, Default)]
pub struct Order {
    highest: HashMap<(usize, DeviceId), usize>,
    late: Vec<Late>,
}

impl Order {
    /// A message of a stream is shown on a device for the first time.
    pub fn shown(&mut self, stream: usize, device: &DeviceId, number: usize, under_way: Window) {
        let highest = self.highest.entry((stream, device.clone())).or_default();
        if number < *highest {
            self.late.push(Late {
                stream,
                number,
                under_way,
            });
        }
        *highest = number.max(*highest);
    }

    /// Who came late, with no fault while they were under way.
    pub fn unexplained<'a>(&'a self, faults: &'a [Window]) -> impl Iterator<Item = &'a Late> {
        self.late.iter().filter(|late| {
            let (from, to) = late.under_way;
            let meets = |(begin, end): &Window| from <= *end && *begin <= to;
            !faults.iter().any(meets)
        })
    }

    /// How many came late, whyever.
    pub fn late(&self) -> usize {
        self.late.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_comes_late_needs_a_fault_while_under_way() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let phone: DeviceId = "phone".parse().unwrap();
        let mut order = Order::default();
        for (number, from, to) in [(0, 1, 2), (2, 2, 3), (1, 2, 4), (3, 9, 10), (1, 5, 8)] {
            order.shown(0, &phone, number, (at(from), at(to)));
        }
        // Another device and another stream have their own order.
        order.shown(0, &"desk".parse().unwrap(), 0, (at(1), at(2)));
        order.shown(1, &phone, 0, (at(1), at(2)));
        assert_eq!(order.late(), 2);
        let unexplained = |faults: &[Window]| {
            let late = order.unexplained(faults);
            late.map(|late| late.under_way.0).collect::<Vec<_>>()
        };
        assert_eq!(unexplained(&[]), [at(2), at(5)]);
        assert!(unexplained(&[(at(4), at(5))]).is_empty());
        assert_eq!(unexplained(&[(at(3), at(4))]), [at(5)]);
        assert_eq!(unexplained(&[(at(9), at(10))]), [at(2), at(5)]);
    }
}
