//! `im devices`: where a user is logged in, without a conversation.
//!
//! Owns the question. Must not know how it is typed.

use std::error::Error;

use client::{ChangeError, Client, DeviceEntry, DeviceId, Events, Settings};

use crate::friendly;
use crate::notice::Notice;
use crate::visit::{visit, watched};

/// Lists the devices, or logs one of them out; the lines to print. This
/// program is a device too while it asks, and is left out.
pub async fn run(
    settings: Settings,
    end: Option<&DeviceId>,
) -> Result<Vec<String>, Box<dyn Error>> {
    let asked = |client: Client, mut events: Events| async move {
        let notices = watched(&mut events, ask(&client, end)).await?;
        Ok(notices.iter().filter_map(friendly::lines).collect())
    };
    visit(settings, asked).await
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
