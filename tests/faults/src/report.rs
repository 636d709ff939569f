//! What a run came to: faults, times without service, and the ledger.
//!
//! Owns how it is shown, to people and to scripts. Must not know how it was
//! found out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

/// A fault, as it happened.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    /// Which kind.
    pub fault: String,
    /// To which part.
    pub part: String,
    /// Milliseconds since the run began.
    pub at_ms: u64,
    /// How long it was to last, in milliseconds.
    pub span_ms: u64,
    /// By what one could tell; none: it was not shown to have happened.
    pub evidence: Option<String>,
    /// Why it was not shown to have happened, or not healed.
    pub trouble: Option<String>,
    /// Whether it began while another one lasted.
    pub is_second: bool,
    /// Messages that were acknowledged in the second before it.
    pub acknowledged_before: usize,
    /// Messages that were handed over while it lasted.
    pub sent_during: usize,
    /// Streams that it concerned.
    pub streams: usize,
    /// Milliseconds without an acknowledgement, half of those streams less.
    pub out_median_ms: u64,
    /// The longest, from its beginning until all are served again.
    pub out_longest_ms: u64,
    /// Milliseconds from its end until all streams were served again; none:
    /// they were not.
    pub served_after_ms: Option<u64>,
}

impl Happened {
    fn was_under_load(&self) -> bool {
        let loaded_before = self.is_second || self.acknowledged_before > 0;
        loaded_before && self.sent_during > 0
    }
}

/// The ledger: each is to be 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Breaches {
    /// Messages that were acknowledged and are nowhere.
    pub acknowledged_and_lost: usize,
    /// Messages that a device was shown twice.
    pub shown_twice: usize,
    /// Messages that were sent after a block was acknowledged, and came.
    pub delivered_after_a_block: usize,
    /// Messages that were shown after a later one, with no fault while they
    /// were on their way.
    pub out_of_order_without_a_fault: usize,
    /// Messages that were told logged, and are not in the log of the group where
    /// that was said.
    pub logged_and_lost: usize,
    /// Messages that are in a log more than once.
    pub logged_twice: usize,
    /// Entries of a group that a member was told twice, out of order, otherwise
    /// than others, or not at all.
    pub entries_not_told_once_in_order: usize,
    /// Friends who are shown as what they are not.
    pub ghosts_in_presence: usize,
    /// Messages that were refused for good, and shown.
    pub refused_and_shown: usize,
    /// Messages that were shown, and nobody sent them.
    pub shown_and_never_sent: usize,
    /// Messages with two answers.
    pub answered_twice: usize,
    /// Messages that never had an answer, though they were sent again.
    pub never_answered: usize,
    /// Messages of friends that were refused for good.
    pub refused_for_no_reason: usize,
    /// Sessions that ended for good.
    pub sessions_ended: usize,
    /// Faults that were not shown to have happened, or did not end.
    pub faults_not_shown: usize,
    /// Faults during which nobody wrote, or before which nobody was served.
    pub faults_without_load: usize,
    /// Faults after which not everybody was served again.
    pub not_served_again: usize,
}

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed of its schedule.
    pub seed: u64,
    /// How long there was a load, in seconds.
    pub secs: u64,
    /// Whether Redis wrote each change to the disk before it answered.
    pub fsync: &'static str,
    /// Messages that were handed over.
    pub messages: usize,
    /// Of those: acknowledged as being on a device, and as being stored.
    pub delivered: usize,
    /// In a mailbox.
    pub stored: usize,
    /// In the log of a group.
    pub logged: usize,
    /// Entries of groups that members were told.
    pub entries: usize,
    /// Refusals by their codes.
    pub refused: BTreeMap<u32, usize>,
    /// Would be refused, and may have come through before (202).
    pub doubtful: usize,
    /// Blocks that were acknowledged.
    pub blocks: usize,
    /// Views of friends that were compared at the end, and when all were right.
    pub views: usize,
    /// Milliseconds after the load.
    pub views_right_after_ms: u64,
    /// The longest silence of all streams together while there was no fault:
    /// what the machine and its disk did to the run.
    pub calm_silence_ms: u64,
    /// Messages that came late while there was a fault.
    pub out_of_order_in_faults: usize,
    /// The ledger.
    pub ledger: Breaches,
    /// Some breaches in words, a few of each kind.
    pub examples: Vec<String>,
    /// All faults.
    pub faults: Vec<Happened>,
}

impl Report {
    /// Enters what the faults themselves tell into the ledger.
    pub fn judge_faults(&mut self) {
        let count = |is_bad: &dyn Fn(&Happened) -> bool| {
            let bad = self.faults.iter().filter(|fault| is_bad(fault));
            bad.count()
        };
        self.ledger.faults_not_shown = count(&|f| f.evidence.is_none() || f.trouble.is_some());
        self.ledger.faults_without_load = count(&|f| !f.was_under_load());
        self.ledger.not_served_again = count(&|f| f.served_after_ms.is_none());
    }

    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.ledger == Breaches::default()
    }

    /// For scripts: one line.
    ///
    /// # Errors
    /// None that is known.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// For people: faults by their kind, and the ledger.
    pub fn table(&self) -> String {
        let mut kinds: BTreeMap<&str, Vec<&Happened>> = BTreeMap::new();
        for fault in &self.faults {
            kinds.entry(&fault.fault).or_default().push(fault);
        }
        let mut text = String::from(
            "| fault | times | without service, ms: median | longest | served again after its end, ms: longest |\n\
             |---|---|---|---|---|\n",
        );
        for (kind, faults) in kinds {
            let mut medians: Vec<u64> = faults.iter().map(|f| f.out_median_ms).collect();
            medians.sort_unstable();
            let longest = faults.iter().map(|f| f.out_longest_ms).max();
            let after = faults.iter().filter_map(|f| f.served_after_ms).max();
            let (times, median) = (faults.len(), medians[medians.len() / 2]);
            let (longest, after) = (longest.unwrap_or_default(), after.unwrap_or_default());
            // Writing into a string does not fail.
            let _ = writeln!(
                text,
                "| {kind} | {times} | {median} | {longest} | {after} |"
            );
        }
        let _ = write!(
            text,
            "\n{} messages in {} s, {} delivered, {} stored, {} logged and told as {} entries, refused {:?}, in doubt {}; {} blocks; \
             {} late while there was a fault; {} views right after {} ms; \
             at most {} ms of silence without a fault\n\n| ledger | |\n|---|---|\n",
            self.messages,
            self.secs,
            self.delivered,
            self.stored,
            self.logged,
            self.entries,
            self.refused,
            self.doubtful,
            self.blocks,
            self.out_of_order_in_faults,
            self.views,
            self.views_right_after_ms,
            self.calm_silence_ms,
        );
        let ledger = serde_json::to_value(&self.ledger).unwrap_or_default();
        for (line, count) in ledger.as_object().into_iter().flatten() {
            let _ = writeln!(text, "| {} | {count} |", line.replace('_', " "));
        }
        for example in &self.examples {
            let _ = writeln!(text, "- {example}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened() -> Happened {
        Happened {
            fault: "redis-killed".to_owned(),
            part: "Redis".to_owned(),
            at_ms: 5_000,
            span_ms: 400,
            evidence: Some("process 7 is gone".to_owned()),
            trouble: None,
            is_second: false,
            acknowledged_before: 500,
            sent_during: 200,
            streams: 52,
            out_median_ms: 600,
            out_longest_ms: 900,
            served_after_ms: Some(700),
        }
    }

    fn report(fault: Happened) -> Report {
        let mut report = Report {
            seed: 1,
            secs: 60,
            fsync: "always",
            messages: 1,
            delivered: 1,
            stored: 0,
            logged: 0,
            entries: 0,
            refused: BTreeMap::new(),
            doubtful: 0,
            blocks: 0,
            views: 0,
            views_right_after_ms: 0,
            calm_silence_ms: 90,
            out_of_order_in_faults: 0,
            ledger: Breaches::default(),
            examples: Vec::new(),
            faults: vec![fault],
        };
        report.judge_faults();
        report
    }

    #[test]
    fn a_fault_counts_if_it_is_shown_under_load_and_healed() {
        assert!(report(happened()).is_clean());
        let with = |change: fn(&mut Happened)| {
            let mut fault = happened();
            change(&mut fault);
            report(fault)
        };
        let not_shown = with(|fault| fault.evidence = None);
        assert_eq!(not_shown.ledger.faults_not_shown, 1);
        let idle = with(|fault| fault.acknowledged_before = 0);
        assert_eq!(idle.ledger.faults_without_load, 1);
        let silent = with(|fault| fault.sent_during = 0);
        assert_eq!(silent.ledger.faults_without_load, 1);
        let wedged = with(|fault| fault.served_after_ms = None);
        assert_eq!(wedged.ledger.not_served_again, 1);
        assert!(!not_shown.is_clean() && !idle.is_clean() && !wedged.is_clean());
        let second = with(|fault| (fault.acknowledged_before, fault.is_second) = (0, true));
        assert!(second.is_clean());
    }

    #[test]
    fn the_table_has_every_line_of_the_ledger() {
        let table = report(happened()).table();
        assert!(table.contains("| redis-killed | 1 | 600 | 900 | 700 |"));
        assert!(table.contains("| ghosts in presence | 0 |"), "{table}");
    }
}
