//! Groups in the conversation: what happened in them, and what is asked of them.

use std::io;

use client::{ChangeError, Event, GroupId};
use tokio::sync::oneshot;

use super::{Chat, Outcome};
use crate::groups::command::{Ask, shown};
use crate::groups::{GroupNotice, ask, listed};
use crate::notice::Notice;
use crate::whom::Whom;

impl Chat {
    /// Something about a group, or nothing that is shown.
    pub(super) fn group_event(&mut self, event: Event) -> io::Result<()> {
        let mut is_first = false;
        match &event {
            Event::Group(group) => {
                is_first = self.groups.insert(group.state.group.clone());
                self.groups_may_be_known();
            }
            Event::GroupLeft { group, .. } => {
                self.groups.remove(group);
            }
            Event::GroupEntry(entry) => {
                // Refused only at the end, or by a group just left.
                let _ = self.client.mark_group_read(&entry.group, entry.read_to());
            }
            _ => {}
        }
        match GroupNotice::of(event, is_first) {
            Some(notice) => self.screen.show(&Notice::Group(notice)),
            None => Ok(()),
        }
    }

    /// Whoever waits for the list of groups goes on, if it is there.
    pub(super) fn groups_may_be_known(&mut self) {
        if self.knows_groups()
            && let Some(awaited) = self.groups_awaited.take()
        {
            // Given up meanwhile, nobody waits.
            let _ = awaited.send(());
        }
    }

    fn knows_groups(&self) -> bool {
        self.logged_in.is_some() && self.client.groups_awaited() == 0
    }

    /// A pipe says its first lines before the groups can be known.
    pub(super) fn groups(&mut self) -> io::Result<()> {
        if self.knows_groups() {
            return self.show_groups();
        }
        if self.screen.is_person() {
            return self.fail("groups".into(), "they have not all come yet".into());
        }
        let (known, knows) = oneshot::channel();
        self.groups_awaited = Some(known);
        self.begin(async move {
            // Dropped, it says that the session is over: then what is known is
            // shown.
            let _ = knows.await;
            Outcome::GroupsKnown
        });
        Ok(())
    }

    pub(super) fn show_groups(&mut self) -> io::Result<()> {
        let list: Vec<Notice> = listed(&self.client)
            .into_iter()
            .map(Notice::Group)
            .collect();
        self.show_all(&list)
    }

    pub(super) fn ask_group(&mut self, group: Option<GroupId>, what: Ask) -> io::Result<()> {
        let open = self.conversation.as_ref().and_then(Whom::group);
        let Some(group) = group.or(open.cloned()) else {
            let how = "name it, as in #choir, or say /to #choir first";
            return self.fail("which group".into(), how.into());
        };
        let client = self.client.clone();
        self.begin(async move {
            let result = ask(&client, &group, what.clone()).await;
            let ask = what;
            Outcome::Group { group, ask, result }
        });
        Ok(())
    }

    pub(super) fn group_asked(
        &mut self,
        group: &GroupId,
        ask: &Ask,
        result: Result<Vec<GroupNotice>, ChangeError>,
    ) -> io::Result<()> {
        match result {
            Ok(notices) => {
                let notices: Vec<Notice> = notices.into_iter().map(Notice::Group).collect();
                self.show_all(&notices)
            }
            Err(error) => self.refused(format!("{} #{group}", shown(ask)), &error),
        }
    }
}
