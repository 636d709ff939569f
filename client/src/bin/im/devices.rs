//! `im devices`: where a user is logged in, without a conversation.
//!
//! Owns the question and its end. Must not know how it is typed.

use std::error::Error;
use std::time::Duration;

use client::{ChangeError, Client, Confirmation, DeviceEntry, DeviceId, Event, Events, Settings};

use crate::friendly;
use crate::notice::Notice;

/// How long the log-out may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lists the devices, or logs one of them out; the lines to print. This
/// program is a device too while it asks, and is left out.
pub async fn run(
    settings: Settings,
    end: Option<&DeviceId>,
) -> Result<Vec<String>, Box<dyn Error>> {
    // Messages that come meanwhile are for somebody who reads them.
    let mut settings = settings;
    settings.confirmation = Confirmation::Manual;
    // Nor is what others see of this user its to change.
    settings.account.status = None;
    let (client, mut events) = Client::connect(settings)?;
    let notices = tokio::select! {
        biased;
        why = trouble(&mut events) => return Err(why.into()),
        asked = ask(&client, end) => asked.map_err(told)?,
    };
    client.close(PATIENCE).await;
    Ok(notices.iter().filter_map(friendly::lines).collect())
}

async fn ask(client: &Client, end: Option<&DeviceId>) -> Result<Vec<Notice>, ChangeError> {
    if let Some(device) = end {
        client.end_device(device).await?;
        let device = device.clone();
        return Ok(vec![Notice::Ended { device }]);
    }
    let devices = client.devices().await?;
    let others = devices.into_iter().filter(|entry: &DeviceEntry| !entry.own);
    Ok(others.map(Notice::Device).collect())
}

/// The first thing that goes wrong with the connection.
async fn trouble(events: &mut Events) -> String {
    while let Some(event) = events.next().await {
        match event {
            Event::Reconnecting { reason, .. } => return reason.to_string(),
            Event::TokenExpired => {
                return friendly::lines(&Notice::TokenExpired).unwrap_or_default();
            }
            Event::Closed { code, text } => {
                return code.map_or(text.to_string(), |code| friendly::told(code, &text));
            }
            _ => {}
        }
    }
    "the session is closed".into()
}

fn told(error: ChangeError) -> String {
    match error {
        ChangeError::Refused(code) => friendly::told(code, ""),
        ChangeError::Unanswered | ChangeError::Request(_) => error.to_string(),
    }
}
