//! A session for one question, that nobody should notice.
//!
//! Owns its begin and end. Must not know the question.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use client::{ChangeError, Client, Confirmation, Event, Events, Settings};

use crate::friendly;
use crate::notice::Notice;

/// How long the log-out may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why nothing more comes.
pub const CLOSED: &str = "the session is closed";

/// Asks, and logs out.
pub async fn visit<F: Future<Output = Result<Vec<String>, String>>>(
    mut settings: Settings,
    ask: impl FnOnce(Client, Events) -> F,
) -> Result<Vec<String>, Box<dyn Error>> {
    // Messages that come meanwhile are for somebody who reads them.
    settings.confirmation = Confirmation::Manual;
    // Nor is what others see of this user its to change.
    settings.account.status = None;
    let (client, events) = Client::connect(settings)?;
    let lines = ask(client.clone(), events).await?;
    client.close(PATIENCE).await;
    Ok(lines)
}

/// Waits for an answer, unless the connection goes wrong first.
pub async fn watched<T, E: Told>(
    events: &mut Events,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    tokio::select! {
        biased;
        why = trouble(events) => Err(why),
        answer = answer => answer.map_err(Told::told),
    }
}

/// Why something was not done, for people.
pub trait Told: fmt::Debug {
    fn told(self) -> String;
}

impl Told for ChangeError {
    fn told(self) -> String {
        match self {
            Self::Refused(code) => friendly::told(code, ""),
            Self::Unanswered | Self::Request(_) => self.to_string(),
        }
    }
}

impl Told for String {
    fn told(self) -> String {
        self
    }
}

/// The first thing that goes wrong with the connection.
async fn trouble(events: &mut Events) -> String {
    while let Some(event) = events.next().await {
        if let Err(why) = well(event) {
            return why;
        }
    }
    CLOSED.into()
}

/// Whether an event leaves the connection well; else why not.
pub fn well(event: Event) -> Result<(), String> {
    match event {
        Event::Reconnecting { reason, .. } => Err(reason.to_string()),
        Event::TokenExpired => Err(friendly::lines(&Notice::TokenExpired).unwrap_or_default()),
        Event::Closed { code, text } => {
            Err(code.map_or(text.to_string(), |code| friendly::told(code, &text)))
        }
        _ => Ok(()),
    }
}
