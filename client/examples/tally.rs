//! Counts who writes how much in a group, and tells who mentions it.
//!
//! `cargo run -p client --example tally -- 127.0.0.1:7100 tally choir`

use std::collections::BTreeMap;
use std::error::Error;

use client::{
    Action, ChangeError, Client, Code, Event, GroupEntry, GroupId, Logged, SendError, Settings,
    UserId,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(user), Some(group)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: tally NAME:PORT USER GROUP".into());
    };
    let group: GroupId = group.parse()?;
    let settings = Settings::open(address, user.parse()?, "tally".parse()?);
    let (client, mut events) = Client::connect(settings)?;
    match client.change_group(&group, Action::Join).await {
        Ok(()) | Err(ChangeError::Refused(Code::Applied)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut counts: BTreeMap<UserId, u64> = BTreeMap::new();
    while let Some(event) = events.next().await {
        match event {
            Event::GroupEntry(told) if told.group == group => {
                count(&client, &told, &mut counts).await?;
            }
            Event::GroupSkipped(skipped) => {
                println!(
                    "entries {} to {} are not counted",
                    skipped.first, skipped.last
                );
            }
            Event::GroupLeft { group: left, .. } if left == group => break,
            _ => {}
        }
    }
    Ok(())
}

async fn count(
    client: &Client,
    told: &GroupEntry,
    counts: &mut BTreeMap<UserId, u64>,
) -> Result<(), Box<dyn Error>> {
    client.mark_group_read(&told.group, told.read_to())?;
    if told.is_echo || !matches!(told.entry.what, Logged::Message { .. }) {
        return Ok(());
    }
    *counts.entry(told.entry.from.clone()).or_default() += 1;
    if told.mentions_me {
        answer(client, told, counts).await?;
    }
    Ok(())
}

async fn answer(
    client: &Client,
    told: &GroupEntry,
    counts: &BTreeMap<UserId, u64>,
) -> Result<(), SendError> {
    let lines = counts
        .iter()
        .map(|(user, count)| format!("{user}: {count}"));
    let text = lines.collect::<Vec<String>>().join(", ");
    let mentions = vec![told.entry.from.clone()];
    let fate = client.send_to_group(&told.group, mentions, text).await?;
    println!("{:?}", fate.await);
    Ok(())
}
