//! What is asked of a group, done.

use client::{ChangeError, Client, Code, Conversation, GroupId, LogEntry, PAGE_MAX, Range, Which};

use super::GroupNotice;
use super::command::Ask;

/// The most pages of members: those of a group of 10,000.
const PAGES_MAX: usize = 20;

/// Does what is asked of a group; what there is to show then.
pub async fn ask(
    client: &Client,
    group: &GroupId,
    ask: Ask,
) -> Result<Vec<GroupNotice>, ChangeError> {
    match ask {
        Ask::Do(ref action) => {
            let done = client.change_group(group, action.clone()).await;
            let group = group.clone();
            match done {
                Ok(()) => Ok(vec![GroupNotice::Done { group, ask }]),
                Err(ChangeError::Refused(Code::Applied)) => Ok(vec![GroupNotice::Waits { group }]),
                Err(error) => Err(error),
            }
        }
        Ask::Members(which) => members(client, group, which).await,
        Ask::History(count) => {
            let entries = last(client, group, count).await?;
            Ok(past(group, entries))
        }
    }
}

async fn members(
    client: &Client,
    group: &GroupId,
    which: Which,
) -> Result<Vec<GroupNotice>, ChangeError> {
    let mut notices = Vec::new();
    let mut after = None;
    let mut total = None;
    for _ in 0..PAGES_MAX {
        let page = client.members(group, which, after.as_ref()).await?;
        // That of the first page counts everybody once.
        total = total.or(Some(page.total));
        after = page.members.last().map(|last| last.user.clone());
        notices.extend(page.members.into_iter().map(|entry| GroupNotice::Member {
            group: group.clone(),
            entry,
        }));
        if !page.more || after.is_none() {
            break;
        }
    }
    notices.push(GroupNotice::Count {
        group: group.clone(),
        which,
        total: total.unwrap_or_default(),
    });
    Ok(notices)
}

/// The newest entries, at most so many.
pub async fn last(
    client: &Client,
    group: &GroupId,
    count: usize,
) -> Result<Vec<LogEntry>, ChangeError> {
    let of = Conversation::Group(group.clone());
    let mut entries: Vec<LogEntry> = Vec::new();
    let mut before = 0;
    while entries.len() < count {
        let wanted = (count - entries.len()).min(PAGE_MAX);
        let range = Range::Before(before);
        let mut page = client.history(of.clone(), range, wanted).await?;
        let Some(first) = page.entries.first() else {
            break;
        };
        before = first.seq;
        let is_all = before <= page.first;
        page.entries.append(&mut entries);
        entries = page.entries;
        if is_all {
            break;
        }
    }
    Ok(entries)
}

/// Entries that were there before.
pub fn past(group: &GroupId, entries: Vec<LogEntry>) -> Vec<GroupNotice> {
    let past = entries.into_iter().map(|entry| GroupNotice::Past {
        group: group.clone(),
        entry,
    });
    past.collect()
}
