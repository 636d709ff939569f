//! What happens in groups.

use client::{Event, Group, GroupEntry, GroupId, History, Logged, UserId};

use super::talk::Source;
use super::{App, Now, TYPING_TIME, Wish};
use crate::groups::friendly::{left, left_out, told};
use crate::groups::{GroupNotice, text};
use crate::notice::Notice;
use crate::whom::Whom;

/// The entries of a page of history.
pub const PAGE: usize = 100;

impl App {
    pub(super) fn group_event(&mut self, event: Event, now: Now) {
        match event {
            Event::Group(group) => self.group(group),
            Event::GroupEntry(entry) => self.group_entry(&entry, now),
            Event::GroupSkipped(skipped) => {
                self.groups.skipped(&skipped);
                let text = format!("{}; /history shows them", left_out(&skipped));
                self.tell_in(&skipped.group, &text, now);
            }
            Event::GroupAnew { group, .. } => {
                self.groups.begins_anew(&group);
                if let Some(talk) = self.talks.get_mut(&Whom::Group(group.clone())) {
                    talk.held = None;
                }
                self.tell_in(&group, "the group begins anew", now);
            }
            Event::GroupTransient(transient) if transient.kind == client::TRANSIENT_TYPING => {
                let whom = Whom::Group(transient.group);
                if let Some(talk) = self.talks.get_mut(&whom) {
                    talk.typing_until = Some(now.at + TYPING_TIME);
                    talk.typing_by = Some(transient.from);
                }
            }
            Event::GroupLeft { group, change } => {
                self.groups.left(&group);
                let text = left(&group, change.as_ref());
                self.flash(&text, now);
                self.tell_in(&group, &text, now);
            }
            Event::GroupInvited { group, by } => {
                self.groups.invited(group.clone(), by.clone());
                self.notify(&GroupNotice::Invited { group, by }, now);
            }
            Event::GroupApplied { group, user } => {
                let text = format!("{user} asks to come in: /group admit {user}, or deny");
                self.tell_in(&group, &text, now);
                self.notify(&GroupNotice::Applied { group, user }, now);
            }
            // Signals of other applications, and what later versions tell.
            _ => {}
        }
    }

    fn group(&mut self, group: Group) {
        let id = group.state.group.clone();
        let is_new = self.groups.get(&id).is_none();
        self.groups.told(group);
        let whom = Whom::Group(id.clone());
        if is_new && self.talks.open() == Some(&whom) {
            self.enter_group(&whom);
        }
        let is_read = self
            .groups
            .get(&id)
            .is_some_and(|known| known.unread() == 0);
        if is_read && let Some(talk) = self.talks.get_mut(&whom) {
            // On another device.
            talk.unread = 0;
        }
        if self.cursor.is_none() {
            self.cursor = Some(whom);
        }
    }

    fn group_entry(&mut self, told_of: &GroupEntry, now: Now) {
        self.groups.heard(told_of);
        let (entry, whom) = (&told_of.entry, Whom::Group(told_of.group.clone()));
        let is_looked_at = self.is_looked_at(&whom);
        let at = self.local(entry.stamp);
        let is_own = entry.from == self.user;
        let talk = self.talks.with(&whom);
        if !talk.holds_now(entry.seq) || told_of.is_echo {
            return;
        }
        let Some(text) = text(entry) else {
            let text = told(entry).unwrap_or_default();
            return talk.push(at, Source::Notice, &text);
        };
        let (from, mentions_me) = (entry.from.clone(), told_of.mentions_me);
        let source = Source::Member { from, mentions_me };
        if is_own {
            return talk.push(at, source, &text);
        }
        talk.heard(at, source, &text, is_looked_at);
        self.ring(is_looked_at, now);
    }

    /// A notice in a group's conversation, if there is one.
    fn tell_in(&mut self, group: &GroupId, text: &str, now: Now) {
        let at = self.zone.to_datetime(now.wall);
        if let Some(talk) = self.talks.get_mut(&Whom::Group(group.clone())) {
            talk.push(at, Source::Notice, text);
        }
    }

    fn notify(&mut self, notice: &GroupNotice, now: Now) {
        let text = crate::groups::friendly::lines(notice).unwrap_or_default();
        let text = text.trim_start_matches(['*', ' ']);
        self.flash(text, now);
        if self.talks.open().is_none() {
            let at = self.zone.to_datetime(now.wall);
            self.home.push(at, Source::Notice, text);
        }
    }

    /// A group's conversation was opened: what was there before is fetched, and
    /// who is here.
    pub(super) fn enter_group(&mut self, whom: &Whom) {
        let Some(group) = whom.group().cloned() else {
            return;
        };
        if self.groups.get(&group).is_none() {
            return;
        }
        self.question(Wish::Here(group.clone()));
        if !self.talks.with(whom).is_fetched {
            self.fetch(&group);
        }
    }

    /// Asks for the page of history before what is held.
    pub(super) fn fetch(&mut self, group: &GroupId) {
        let last = self.groups.get(group).map_or(0, |known| known.last.seq);
        let talk = self.talks.with(&Whom::Group(group.clone()));
        talk.is_fetched = true;
        let before = talk.held.map_or(last + 1, |(first, _)| first);
        let group = group.clone();
        self.question(Wish::Fetch { group, before });
    }

    /// A page of history came.
    pub(super) fn fetched(&mut self, group: &GroupId, history: &History) {
        let whom = Whom::Group(group.clone());
        let zone = self.zone.clone();
        let Some(talk) = self.talks.get_mut(&whom) else {
            return;
        };
        for entry in history.entries.iter().rev() {
            if !talk.holds_then(entry.seq) {
                continue;
            }
            let at = super::local(&zone, entry.stamp);
            match (text(entry), told(entry)) {
                (Some(text), _) => {
                    let source = Source::Member {
                        from: entry.from.clone(),
                        mentions_me: mentions(&entry.what, &self.user),
                    };
                    talk.push_before(at, source, &text);
                }
                (None, told) => {
                    talk.push_before(at, Source::Notice, &told.unwrap_or_default());
                }
            }
        }
    }

    /// What there is to show of what was asked of a group.
    pub(super) fn group_asked(&mut self, notices: Vec<GroupNotice>, now: Now) {
        for notice in notices {
            if let GroupNotice::Count {
                group,
                which,
                total,
            } = &notice
                && *which == client::Which::Online
            {
                self.groups.here(group, *total);
            }
            self.show(&Notice::Group(notice), now);
        }
    }
}

fn mentions(what: &Logged, user: &UserId) -> bool {
    match what {
        Logged::Message { mentions, .. } => mentions.contains(user),
        Logged::Change(_) => false,
    }
}
