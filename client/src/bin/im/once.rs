//! `im group`, `im send` and `im history`: one thing asked, without a
//! conversation.
//!
//! Owns the questions. Must not know how they are typed.

use std::error::Error;

use client::{
    ChangeError, Client, Conversation, Event, Events, Fate, GroupId, LogEntry, PAGE_MAX, Range,
    Settings, Stamp,
};

use crate::groups::command::Ask;
use crate::groups::{GroupNotice, ask, friendly, last, listed, past};
use crate::post::post;
use crate::visit::{self, visit};
use crate::whom::Whom;

/// The most pages of a history since a time.
const PAGES_MAX: usize = 20;

type Lines = Result<Vec<String>, Box<dyn Error>>;

/// Asks something of a group; without one, lists all. The lines to print.
pub async fn group(settings: Settings, asked: Option<(GroupId, Ask)>) -> Lines {
    let asked = |client: Client, mut events: Events| async move {
        let notices = match asked {
            Some((group, what)) => visit::watched(&mut events, ask(&client, &group, what)).await?,
            None => list(&client, &mut events).await?,
        };
        Ok(notices.iter().filter_map(friendly::lines).collect())
    };
    visit(settings, asked).await
}

/// What was written and done in a group, since a time or the last entries.
pub async fn history(
    settings: Settings,
    group: GroupId,
    since: Option<Stamp>,
    count: usize,
) -> Lines {
    let asked = |client: Client, mut events: Events| async move {
        let read = async {
            match since {
                Some(since) => all_since(&client, &group, since).await,
                None => last(&client, &group, count).await,
            }
        };
        let entries = visit::watched(&mut events, read).await?;
        let notices = past(&group, entries);
        Ok(notices.iter().filter_map(friendly::lines).collect())
    };
    visit(settings, asked).await
}

/// Sends a text; says what became of it.
pub async fn send(settings: Settings, to: Whom, text: String) -> Lines {
    let asked = |client: Client, mut events: Events| async move {
        let sent = async {
            let handle = post(&client, &to, text, None).await;
            Ok(handle.map_err(|error| error.to_string())?.await)
        };
        match visit::watched::<_, String>(&mut events, sent).await? {
            Fate::Logged { place, .. } => Ok(vec![format!("sent to {to} as {}", place.seq)]),
            Fate::Stored { .. } => Ok(vec![format!("stored for {to}")]),
            Fate::Delivered { device, .. } => Ok(vec![format!("delivered to {to} ({device})")]),
            Fate::Rejected { code, text } => Err(crate::friendly::told(code, &text)),
            Fate::Unknown { code } => Err(format!("it may not have arrived: {code}")),
        }
    };
    visit(settings, asked).await
}

/// The groups, when all that the log-in named are known, and the invitations.
async fn list(client: &Client, events: &mut Events) -> Result<Vec<GroupNotice>, String> {
    let mut is_connected = false;
    while !is_connected || client.groups_awaited() > 0 {
        match events.next().await {
            Some(Event::Connected(_)) => is_connected = true,
            Some(event) => visit::well(event)?,
            None => return Err(visit::CLOSED.into()),
        }
    }
    Ok(listed(client))
}

async fn all_since(
    client: &Client,
    group: &GroupId,
    since: Stamp,
) -> Result<Vec<LogEntry>, ChangeError> {
    let of = Conversation::Group(group.clone());
    let mut entries: Vec<LogEntry> = Vec::new();
    let mut range = Range::Since(since);
    for _ in 0..PAGES_MAX {
        let page = client.history(of.clone(), range, PAGE_MAX).await?;
        let Some(newest) = page.entries.last().map(|entry| entry.seq) else {
            break;
        };
        entries.extend(page.entries);
        if newest >= page.last {
            break;
        }
        range = Range::After(newest);
    }
    Ok(entries)
}
