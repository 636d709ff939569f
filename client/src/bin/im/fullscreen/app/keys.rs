//! What the keys mean.

use std::collections::VecDeque;
use std::time::Duration;

use client::{Action, Availability, FriendAction, Relation};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::composer::Edited;
use super::contacts::Contact;
use super::search::Search;
use super::{App, Link, Mode, Now, Pane, Place, Wish, rows};
use crate::whom::Whom;

/// A typing notice is sent at most this often.
const TYPING_PAUSE: Duration = Duration::from_secs(3);

/// The most texts that can be called back.
const RECALLED_MAX: usize = 50;

/// Texts that were sent, to be called back. Owns which one is shown.
#[derive(Debug, Default)]
pub struct Recall {
    texts: VecDeque<String>,
    /// How far back; and what was being written.
    shown: Option<(usize, String)>,
}

impl Recall {
    pub fn remember(&mut self, text: String) {
        self.shown = None;
        if self.texts.back() != Some(&text) {
            self.texts.push_back(text);
        }
        if self.texts.len() > RECALLED_MAX {
            self.texts.pop_front();
        }
    }

    /// What is shown is edited, or left.
    pub fn forget_place(&mut self) {
        self.shown = None;
    }

    fn older(&mut self, written: &str) -> Option<String> {
        let (back, draft) = match self.shown.take() {
            Some((back, draft)) => (back + 1, draft),
            None => (1, written.to_owned()),
        };
        let back = back.min(self.texts.len());
        let text = self.texts.get(self.texts.len().checked_sub(back)?).cloned();
        self.shown = text.is_some().then_some((back, draft));
        text
    }

    fn newer(&mut self) -> Option<String> {
        let (back, draft) = self.shown.take()?;
        if back <= 1 {
            return Some(draft);
        }
        self.shown = Some((back - 1, draft));
        self.texts.get(self.texts.len() + 1 - back).cloned()
    }
}

impl App {
    pub(super) fn key(&mut self, key: KeyEvent, now: Now) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'q') if control => return self.leave(),
            KeyCode::Char('l') if control => return self.wishes.push(Wish::Redraw),
            KeyCode::Char('z') if control => return self.wishes.push(Wish::Suspend),
            KeyCode::F(3) => return self.turn_bell(now),
            KeyCode::F(1) => {
                let is_open = matches!(self.mode, Mode::Help(_));
                self.mode = if is_open { Mode::Normal } else { Mode::Help(0) };
                return;
            }
            _ => {}
        }
        match self.mode {
            Mode::Help(row) => self.key_in_help(key, row),
            Mode::Search(_) => self.key_in_search(key),
            Mode::Normal => {
                if !self.key_anywhere(key) {
                    match self.pane {
                        Pane::People => self.key_in_people(key, now),
                        Pane::Talk => self.key_in_talk(key, now),
                    }
                }
            }
        }
    }

    fn turn_bell(&mut self, now: Now) {
        self.has_bell = !self.has_bell;
        let is = if self.has_bell { "on" } else { "off" };
        self.flash(&format!("the bell is {is}"), now);
    }

    fn key_in_help(&mut self, key: KeyEvent, row: usize) {
        let page = usize::from(self.size.height).max(2) - 1;
        self.mode = match key.code {
            KeyCode::Esc | KeyCode::Char('q') => Mode::Normal,
            KeyCode::Up => Mode::Help(row.saturating_sub(1)),
            KeyCode::Down => Mode::Help(row + 1),
            KeyCode::PageUp => Mode::Help(row.saturating_sub(page)),
            KeyCode::PageDown => Mode::Help(row + page),
            KeyCode::Home => Mode::Help(0),
            _ => Mode::Help(row),
        };
        let last = super::help::rows(self.size.width.into()).len();
        if let Mode::Help(row) = &mut self.mode {
            *row = (*row).min(last.saturating_sub(page));
        }
    }

    fn key_in_search(&mut self, key: KeyEvent) {
        let Mode::Search(mut search) = std::mem::replace(&mut self.mode, Mode::Normal) else {
            return;
        };
        let has_modifier = key
            .modifiers
            .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Esc => return,
            KeyCode::Char('f') if has_modifier => search.older(self.talk()),
            KeyCode::Char(c) if !has_modifier => {
                search.add(c.encode_utf8(&mut [0; 4]), self.talk())
            }
            KeyCode::Backspace => search.shorten(self.talk()),
            KeyCode::Up | KeyCode::Enter => search.older(self.talk()),
            KeyCode::Down => search.newer(self.talk()),
            _ => {}
        }
        self.searches(search);
    }

    /// What was found comes into sight.
    fn searches(&mut self, search: Search) {
        let page = self.page();
        if let Some(serial) = search.found {
            rows::show(self.talk_mut(), page, serial);
        }
        self.mode = Mode::Search(search);
    }

    /// Keys that mean the same in the list and in the conversation.
    fn key_anywhere(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Tab | KeyCode::BackTab => match self.pane {
                Pane::People => self.pane = Pane::Talk,
                Pane::Talk => self.show_people(),
            },
            KeyCode::Char('n') if control => self.step(1),
            KeyCode::Char('p') if control => self.step(-1),
            KeyCode::Down if alt => self.step(1),
            KeyCode::Up if alt => self.step(-1),
            KeyCode::Char('g') if control => self.open_unread(),
            KeyCode::Char('f') if control => {
                self.pane = Pane::Talk;
                self.mode = Mode::Search(Search::default());
            }
            _ => return false,
        }
        true
    }

    fn key_in_people(&mut self, key: KeyEvent, now: Now) {
        match key.code {
            KeyCode::Up => self.move_cursor(-1),
            KeyCode::Down => self.move_cursor(1),
            KeyCode::PageUp => self.move_cursor(-10),
            KeyCode::PageDown => self.move_cursor(10),
            KeyCode::Home => self.move_cursor(isize::MIN),
            KeyCode::End => self.move_cursor(isize::MAX),
            KeyCode::Enter => {
                if let Some(peer) = self.cursor.clone() {
                    self.recall.forget_place();
                    self.open(&peer);
                }
            }
            KeyCode::Char('a') => self.answer(FriendAction::Accept, now),
            KeyCode::Char('d') => self.answer(FriendAction::Decline, now),
            KeyCode::Char('?') => self.mode = Mode::Help(0),
            KeyCode::Char('/') => {
                self.pane = Pane::Talk;
                self.talk_mut().composer.insert("/");
            }
            KeyCode::Esc => self.pane = Pane::Talk,
            _ => {}
        }
    }

    /// Answers the invitation that is marked.
    fn answer(&mut self, action: FriendAction, now: Now) {
        if let Some(Whom::Group(group)) = &self.cursor
            && self.groups.invited_by(group).is_some()
        {
            let answer = match action {
                FriendAction::Accept => Action::Join,
                _ => Action::Leave,
            };
            return self.answer_group(group.clone(), answer, now);
        }
        let user = self.cursor.as_ref().and_then(Whom::user);
        let entry = user.and_then(|user| self.people.entry(user));
        match entry.map(|entry| (entry.relation, entry.user.clone())) {
            Some((Relation::Invited, peer)) => self.change(action, peer, now),
            _ => self.flash("that is no invitation", now),
        }
    }

    fn move_cursor(&mut self, by: isize) {
        let all: Vec<Whom> = self.contacts().iter().map(Contact::whom).collect();
        let is_marked = |whom| Some(whom) == self.cursor.as_ref();
        let at = all.iter().position(is_marked);
        let to = at.map_or(0, |at| at.saturating_add_signed(by));
        if let Some(whom) = all.get(to.min(all.len().saturating_sub(1))) {
            self.cursor = Some(whom.clone());
        }
    }

    /// Opens the conversation below or above the one that is open.
    fn step(&mut self, by: isize) {
        self.cursor = self.talks.open().cloned().or(self.cursor.take());
        let before = self.talks.open().is_some();
        self.move_cursor(if before { by } else { 0 });
        if let Some(peer) = self.cursor.clone() {
            self.recall.forget_place();
            self.open(&peer);
        }
    }

    fn open_unread(&mut self) {
        let all = self.contacts();
        if let Some(contact) = all.iter().find(|contact| contact.unread() > 0) {
            self.recall.forget_place();
            self.open(&contact.whom());
            self.talk_mut().place = Place::Newest;
        }
    }

    fn key_in_talk(&mut self, key: KeyEvent, now: Now) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = self.page();
        let leaf = isize::try_from(page.rows.max(2) - 1).unwrap_or(isize::MAX);
        match key.code {
            KeyCode::Enter if key.modifiers.is_empty() => self.submit(now),
            KeyCode::PageUp => rows::scroll(self.talk_mut(), page, -leaf),
            KeyCode::PageDown => rows::scroll(self.talk_mut(), page, leaf),
            KeyCode::Home if control => rows::scroll(self.talk_mut(), page, isize::MIN),
            KeyCode::End if control => self.talk_mut().place = Place::Newest,
            KeyCode::Esc => self.talk_mut().place = Place::Newest,
            KeyCode::Up => {
                if !self.talk_mut().composer.up() {
                    let written = self.talk().composer.text().to_owned();
                    let text = self.recall.older(&written);
                    self.recalled(text);
                }
            }
            KeyCode::Down => {
                if !self.talk_mut().composer.down() {
                    let text = self.recall.newer();
                    self.recalled(text);
                }
            }
            _ => {
                if self.talk_mut().composer.key(key) == Edited::Text {
                    self.edited(now);
                }
            }
        }
    }

    fn recalled(&mut self, text: Option<String>) {
        if let Some(text) = text {
            self.talk_mut().composer.set(text);
        }
    }

    pub(super) fn paste(&mut self, text: &str, now: Now) {
        if let Mode::Search(mut search) = self.mode.clone() {
            search.add(text, self.talk());
            return self.searches(search);
        }
        if self.mode != Mode::Normal {
            return;
        }
        self.pane = Pane::Talk;
        if self.talk_mut().composer.insert(text) {
            self.edited(now);
        } else {
            self.flash("that is more than a message can hold", now);
        }
    }

    /// Somebody writes: whoever it is for is told, unless this user is not to
    /// be seen.
    fn edited(&mut self, now: Now) {
        self.recall.forget_place();
        let lately = self.typed.is_some_and(|at| now.at < at + TYPING_PAUSE);
        let is_seen = self.status.availability != Availability::Invisible;
        let text = self.talk().composer.text();
        let is_message = !text.is_empty() && !text.starts_with('/');
        if lately || !is_seen || !is_message || self.link != Link::Online {
            return;
        }
        if let Some(peer) = self.talks.open().cloned() {
            self.typed = Some(now.at);
            self.wishes.push(Wish::Typing(peer));
        }
    }
}
