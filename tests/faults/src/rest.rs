//! All comes to rest, and the accounts are closed.
//!
//! Owns what is waited for at the end, and the words for what was broken. Must
//! not know which faults there were.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use client::{Availability, Client, Conversation, GroupId, LogEntry, Range, UserId};
use cluster::ledger::Breach;
use tokio::task::JoinError;
use tokio::time::{sleep, timeout};

use crate::presence::ghosts;
use crate::report::{Breaches, Report};
use crate::rooms::Log;
use crate::run::{LOOK, Run, millis};
use crate::service::Service;

/// For every message to be answered, and for every mailbox to be emptied.
const ANSWERED: Duration = Duration::from_secs(180);
const EMPTIED: Duration = Duration::from_secs(90);
/// Entries of a log that are asked for at a time.
const PAGE: usize = 500;
/// Breaches of one kind that are told in words.
const EXAMPLES: usize = 5;

impl Run {
    /// All comes to rest, and the accounts are closed.
    pub async fn ends(mut self, logs: Option<&PathBuf>) -> Result<Report> {
        self.stop.send_replace(true);
        let mut examples = Vec::new();
        let answered = timeout(ANSWERED, async {
            let mut tasks = Vec::new();
            while let Some(ended) = self.streams.join_next().await {
                tasks.push(ended?);
            }
            while let Some(ended) = self.others.join_next().await {
                tasks.push(ended?);
            }
            while let Some(device) = self.visitors.join_next().await {
                tasks.push(device?.map(|device| self.cast.devices.push(device)));
            }
            Ok::<_, JoinError>(tasks)
        });
        match answered.await {
            Ok(tasks) => {
                let failed = tasks?.into_iter().filter_map(Result::err);
                examples.extend(failed.map(|error| format!("somebody failed: {error:#}")));
            }
            Err(_) => examples.push("not all is answered in time".to_owned()),
        }
        let end = Instant::now() + EMPTIED;
        while !self.books.open().ledger.is_settled() && Instant::now() < end {
            sleep(LOOK).await;
        }
        let logs_of_rooms = self.logs().await?;
        let truth = self.some_vanish().await;
        let looked = ghosts(&self.cast.devices, &self.cast.friends, &truth).await;
        let (ghosts, views, right_after) = looked;
        let shown = ghosts
            .iter()
            .take(EXAMPLES)
            .map(|ghost| format!("{ghost:?}"));
        examples.extend(shown);
        let mut report = self.close(examples, &logs_of_rooms);
        report.ledger.ghosts_in_presence = ghosts.len();
        (report.views, report.views_right_after_ms) = (views, millis(right_after));
        if let Some(folder) = logs {
            std::fs::create_dir_all(folder)?;
            for (name, log) in self.stage.logs().await {
                std::fs::write(folder.join(format!("{name}.log")), log)?;
            }
        }
        Ok(report)
    }

    /// The logs of all rooms, when every member was told all of them or had time
    /// enough.
    async fn logs(&self) -> Result<Vec<Log>> {
        let end = Instant::now() + EMPTIED;
        let mut logs = Vec::new();
        for (group, member) in self.cast.rooms()? {
            let log = read(&member.client, group).await?;
            while !self.books.open().rooms.is_told(&log) && Instant::now() < end {
                sleep(LOOK).await;
            }
            logs.push(log);
        }
        Ok(logs)
    }

    /// Every other visitor vanishes. Gives what everybody is then.
    async fn some_vanish(&mut self) -> BTreeMap<UserId, Availability> {
        let stay = self
            .cast
            .with_one_device()
            .map(|device| device.user.clone());
        let stay: BTreeSet<UserId> = stay.collect();
        let mut truth = self
            .truth
            .lock()
            .map(|truth| truth.clone())
            .unwrap_or_default();
        let mut kept = Vec::new();
        let mut vanish = false;
        for device in self.cast.devices.drain(..) {
            let is_visitor = !truth.contains_key(&device.user) && !stay.contains(&device.user);
            vanish = is_visitor && !vanish;
            if vanish {
                device.vanishes().await;
                continue;
            }
            if is_visitor {
                truth.insert(device.user.clone(), Availability::Online);
            }
            kept.push(device);
        }
        self.cast.devices = kept;
        truth
    }

    /// The longest silence while there was no fault.
    fn calm_silence(&self, service: &Service) -> Option<Duration> {
        let pairs = self.windows.windows(2);
        let calms = pairs.map(|pair| service.silence(pair[0].1, pair[1].0));
        calms.max()
    }

    fn close(&self, mut examples: Vec<String>, logs: &[Log]) -> Report {
        let accounts = self.books.open();
        let mut ledger = Breaches::default();
        let breaches = accounts.ledger.breaches();
        examples.extend(breaches.iter().take(EXAMPLES).map(ToString::to_string));
        for breach in breaches {
            *match breach {
                Breach::Lost(..) => &mut ledger.acknowledged_and_lost,
                Breach::ShownTwice(..) => &mut ledger.shown_twice,
                Breach::RefusedAndShown(_) => &mut ledger.refused_and_shown,
                Breach::NeverSent(_) => &mut ledger.shown_and_never_sent,
                Breach::ToldTwice(_) => &mut ledger.answered_twice,
            } += 1;
        }
        let late: Vec<_> = accounts.order.unexplained(&self.windows).collect();
        let words = late.iter().take(EXAMPLES).map(|late| {
            let route = &self.books.routes()[late.stream];
            let (sent, shown) = late.under_way;
            let (sent, shown) = (sent - self.began, shown - self.began);
            let number = late.number;
            format!("late: {number} of {route:?}, sent at {sent:?}, shown at {shown:?}")
        });
        examples.extend(words);
        let through = accounts.blocks.through();
        let words = through.iter().take(EXAMPLES);
        examples.extend(words.map(|(from, to)| format!("through a block: {from} to {to}")));
        let for_no_reason = &accounts.refused_for_no_reason;
        let words = for_no_reason.iter().take(EXAMPLES);
        examples.extend(words.map(|(from, to, code)| format!("{from} to {to}: {code:?}")));
        examples.extend(accounts.closed.iter().take(EXAMPLES).cloned());
        let wrong = accounts.rooms.wrong(logs);
        for words in [&wrong.lost, &wrong.twice, &wrong.mistold] {
            examples.extend(words.iter().take(EXAMPLES).cloned());
        }
        ledger.logged_and_lost = wrong.lost.len();
        ledger.logged_twice = wrong.twice.len();
        ledger.entries_not_told_once_in_order = wrong.mistold.len();
        let balance = accounts.ledger.balance();
        ledger.delivered_after_a_block = through.len();
        ledger.out_of_order_without_a_fault = late.len();
        ledger.refused_for_no_reason = for_no_reason.len();
        ledger.sessions_ended = accounts.closed.len();
        let sent = accounts.sent();
        let answered = balance.delivered + balance.stored + balance.rejected;
        let answered = answered + accounts.rooms.answered();
        ledger.never_answered = sent - answered - accounts.doubtful;
        Report {
            seed: 0,
            secs: 0,
            fsync: "",
            messages: sent,
            delivered: balance.delivered,
            stored: balance.stored,
            logged: accounts.rooms.messages(),
            entries: accounts.rooms.entries(),
            refused: accounts.refused.clone(),
            doubtful: accounts.doubtful,
            blocks: accounts.blocks.set(),
            views: 0,
            views_right_after_ms: 0,
            calm_silence_ms: self.calm_silence(&accounts.service).map_or(0, millis),
            out_of_order_in_faults: accounts.order.late() - late.len(),
            ledger,
            examples,
            faults: Vec::new(),
        }
    }
}

/// All of the log of a group.
async fn read(client: &Client, group: GroupId) -> Result<Log> {
    let mut entries = Vec::new();
    loop {
        let of = Conversation::Group(group.clone());
        let last = entries.last().map_or(0, |entry: &LogEntry| entry.seq);
        let page = client.history(of, Range::After(last), PAGE).await?;
        entries.extend(page.entries);
        if entries.last().is_none_or(|entry| entry.seq >= page.last) {
            return Ok(Log {
                group,
                epoch: page.epoch,
                entries,
            });
        }
    }
}
