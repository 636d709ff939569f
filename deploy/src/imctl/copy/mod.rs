//! `imctl store copy`: what daemons keep in directories goes into a Redis.
//!
//! Owns the order of it: count, refuse, write, compare. Must not know rows and
//! keys: those are the services'.

mod target;

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use msgd::transfer::{Groups, Kept, Mailboxes, OfGroup};
use serde::Serialize;
use shared::transfer::{Thing, transfer};
use shared::{Address, Trust};
use store::{Settings, Unused};

use crate::output::{Output, table};
use target::Target;

/// What is copied where.
#[derive(Debug, Args)]
pub struct Order {
    /// The data directories of daemons that do not run: that of imd, or those of
    /// all msgds and friendd.
    #[arg(required = true)]
    from: Vec<PathBuf>,
    /// A Redis that keeps no mailboxes and no friend lists yet, as
    /// redis://HOST:PORT.
    #[arg(long, value_name = "URL")]
    to: Address,
    /// Erases what a copy wrote that was broken off, and begins anew.
    #[arg(long)]
    again: bool,
    /// Reads everything and writes nothing.
    #[arg(long)]
    check: bool,
}

/// What there is to copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Counts {
    users: u64,
    mailboxes: u64,
    messages: u64,
    bytes: u64,
    receipts: u64,
    groups: u64,
    members: u64,
    entries: u64,
    friend_lists: u64,
    friends: u64,
}

/// What was done.
#[derive(Debug, Serialize)]
struct Copied {
    to: String,
    /// It is there, and was compared.
    done: bool,
    #[serde(flatten)]
    counts: Counts,
}

/// Carries it out.
///
/// # Errors
/// A directory is in use or damaged, the target is in use, or what is there
/// afterwards is not what was to be.
pub async fn copy(order: Order, trust: Trust, output: Output) -> anyhow::Result<()> {
    let open = |from: &PathBuf| Unused::open(from, &Settings::least());
    let sources: Result<Vec<Unused>, _> = order.from.iter().map(open).collect();
    let sources = sources?;
    let mut target = Target::new(&order.to, trust);
    // Reading all of it may take long.
    target.may_be_filled(order.again).await?;
    let counts = count(order.from.iter().zip(&sources))?;
    if !order.check {
        target.begin(order.again).await?;
        if let Err(error) = fill(&sources, &mut target).await {
            return Err(error.context(target.advice().await));
        }
    }
    let copied = Copied {
        to: order.to.to_string(),
        done: !order.check,
        counts,
    };
    output.show(&copied, Copied::text)
}

/// Reads all of it.
fn count<'a>(sources: impl Iterator<Item = (&'a PathBuf, &'a Unused)>) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    for (path, source) in sources {
        let mut found = false;
        if let Some(mailboxes) = Mailboxes::of(source)? {
            found = true;
            for kept in mailboxes {
                counts.add(&kept?);
            }
        }
        for kept in Groups::of(source).into_iter().flatten() {
            counts.add_of_group(&kept?);
        }
        if let Some(lists) = friendd::transfer::lists(source) {
            found = true;
            for list in lists {
                counts.friend_lists += 1;
                counts.friends += list?.entries() as u64;
            }
        }
        if !found {
            bail!(
                "there are neither mailboxes nor friend lists in {}",
                path.display()
            );
        }
    }
    Ok(counts)
}

async fn fill(sources: &[Unused], target: &mut Target) -> anyhow::Result<()> {
    for source in sources {
        let redis = &mut target.redis;
        if let Some(mailboxes) = Mailboxes::of(source)? {
            transfer(redis, mailboxes, Thing::writes).await?;
        }
        if let Some(groups) = Groups::of(source) {
            transfer(redis, groups, Thing::writes).await?;
        }
        if let Some(lists) = friendd::transfer::lists(source) {
            transfer(redis, lists, Thing::writes).await?;
        }
    }
    for source in sources {
        let redis = &mut target.redis;
        if let Some(mailboxes) = Mailboxes::of(source)? {
            transfer(redis, mailboxes, Thing::looks).await?;
        }
        if let Some(groups) = Groups::of(source) {
            transfer(redis, groups, Thing::looks).await?;
        }
        if let Some(lists) = friendd::transfer::lists(source) {
            transfer(redis, lists, Thing::looks).await?;
        }
    }
    target.end().await
}

impl Counts {
    fn add(&mut self, kept: &Kept) {
        match kept {
            Kept::Letter { body_bytes, .. } => {
                self.messages += 1;
                self.bytes += body_bytes;
            }
            Kept::User {
                messages, receipts, ..
            } => {
                self.users += 1;
                self.mailboxes += u64::from(*messages > 0);
                self.receipts += receipts.len() as u64;
            }
            Kept::Recent { .. } => {}
        }
    }

    fn add_of_group(&mut self, kept: &OfGroup) {
        match kept {
            OfGroup::Entry { .. } => self.entries += 1,
            OfGroup::Member { .. } => self.members += 1,
            OfGroup::Group { .. } => self.groups += 1,
        }
    }
}

impl Copied {
    fn text(&self) -> String {
        let counts = self.counts;
        let heads = [
            "users",
            "mailboxes",
            "messages",
            "bytes",
            "receipts",
            "groups",
            "members",
            "entries",
            "friend lists",
            "friends",
        ];
        let row = [
            counts.users,
            counts.mailboxes,
            counts.messages,
            counts.bytes,
            counts.receipts,
            counts.groups,
            counts.members,
            counts.entries,
            counts.friend_lists,
            counts.friends,
        ];
        let shown = table(heads, &[row.map(|count| count.to_string())]);
        let end = match self.done {
            true => format!("all of it is in {}, and was compared", self.to),
            false => format!("nothing is written; {} may be filled", self.to),
        };
        format!("{shown}\n{end}\n")
    }
}
