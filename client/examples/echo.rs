//! Sends every message back to who sent it, and takes everyone as a friend.
//!
//! `cargo run -p client --example echo -- 127.0.0.1:7100 echo`
//!
//! It confirms a message by hand, once its echo is safe: stopped in between, it
//! is given the message again at its next start.

use std::error::Error;
use std::time::Duration;

use client::{
    Client, Code, Confirmation, Event, Fate, FriendList, Message, Relation, SendError, Settings,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(user)) = (arguments.next(), arguments.next()) else {
        return Err("usage: echo NAME:PORT USER".into());
    };
    let mut settings = Settings::open(address, user.parse()?, "echo".parse()?);
    settings.confirmation = Confirmation::Manual;
    let (client, mut events) = Client::connect(settings)?;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = tokio::signal::ctrl_c() => break,
        };
        match event {
            None => return Ok(()),
            Some(Event::Message(message)) => {
                echo(&client, &message).await?;
                events.confirm(&message.identity());
                client.mark_read(&message.from, message.stamp)?;
            }
            Some(Event::Friends(list)) => accept_all(&client, &list).await,
            Some(Event::Connected(connected)) => println!("connected as {}", connected.user),
            Some(Event::Reconnecting { after, reason }) => {
                println!("{reason}; next try in {} ms", after.as_millis());
            }
            Some(Event::Closed { code, text }) => {
                let number = code.map_or(0, |code| code.number());
                return Err(format!("closed: {number} {text}").into());
            }
            Some(_) => {}
        }
    }
    client.close(Duration::from_secs(5)).await;
    Ok(())
}

/// Returns when the echo is safe, or never will be.
async fn echo(client: &Client, message: &Message) -> Result<(), SendError> {
    let (to, body) = (&message.from, &message.body);
    let mut handle = client.send(to, body.clone()).await?;
    loop {
        let id = handle.id();
        match handle.await {
            Fate::Unknown { code } if code != Code::TooOld => {
                eprintln!("{id}: {code}; again");
                handle = client.send_with_id(id, to, body.clone()).await?;
            }
            fate => {
                println!("{id}: {fate:?}");
                return Ok(());
            }
        }
    }
}

async fn accept_all(client: &Client, list: &FriendList) {
    let asking = list.entries().iter();
    for entry in asking.filter(|entry| entry.relation == Relation::Invited) {
        match client.accept(&entry.user).await {
            Ok(()) => println!("{} is a friend", entry.user),
            Err(error) => eprintln!("{}: {error}", entry.user),
        }
    }
}
