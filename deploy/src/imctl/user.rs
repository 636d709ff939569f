//! `imctl user`: where a user is, what waits for them, the end of their
//! devices.
//!
//! Owns what is shown. Must not know who finds it out.

use std::collections::BTreeMap;

use anyhow::Context;
use clap::Subcommand;
use proto::codes::Code;
use proto::ids::{DeviceId, UserId};
use serde::Serialize;
use service::admin::{Answer, Question, wire};

use crate::daemons::{Daemons, done};
use crate::output::{Output, ago, table};

/// What may be done about a user.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Shows the user's shard and devices.
    Where {
        /// Who.
        user: UserId,
    },
    /// Logs the user's devices out; who has a valid token may come again.
    Kick {
        /// Who.
        user: UserId,
        /// Only this device. Default: all.
        #[arg(long)]
        device: Option<DeviceId>,
    },
    /// Shows what waits for the user.
    Mailbox {
        /// Who.
        user: UserId,
    },
}

/// Carries it out.
///
/// # Errors
/// The user's shard does not answer, or refuses.
pub async fn user(daemons: &Daemons, order: Order, output: Output) -> anyhow::Result<()> {
    match order {
        Order::Where { user } => output.show(&find(daemons, user).await?, Found::text),
        Order::Kick { user, device } => kick(daemons, user, device, output).await,
        Order::Mailbox { user } => {
            let question = Question::Mailbox(user.clone());
            let pick = |answer| match answer {
                Answer::Mailbox(mailbox) => Some(mailbox),
                _ => None,
            };
            let mailbox = daemons.ask_one(&question, pick).await?;
            done(mailbox.code)?;
            output.show(&Mailbox::of(&user, mailbox), Mailbox::text)
        }
    }
}

/// Where a user is.
#[derive(Debug, Serialize)]
struct Found {
    user: String,
    shard: String,
    slot: u32,
    /// What friends see; empty: nobody has asked for the user lately.
    status: String,
    devices: Vec<Device>,
}

/// A connection, as its gateway and the shard know it.
#[derive(Debug, Serialize)]
struct Device {
    device: String,
    /// The shard has it.
    known: bool,
    since_us: Option<u64>,
    /// Where clients of its gateway connect; none: no such gateway answers.
    connd: Option<String>,
    session: String,
    address: Option<String>,
    unanswered: Option<u32>,
    unacknowledged: Option<u32>,
}

async fn find(daemons: &Daemons, user: UserId) -> anyhow::Result<Found> {
    let mut known = None;
    let mut connected = Vec::new();
    let mut silent = Vec::new();
    for said in daemons.ask(&Question::Where(user.clone())).await {
        let answers = match said.answers {
            Ok(answers) => answers,
            Err(error) => {
                silent.push(error.to_string());
                continue;
            }
        };
        let listen = answers.daemon.map(|daemon| daemon.listen);
        for answer in answers.answers {
            match answer.answer {
                Some(Answer::Known(found)) => known = Some(found),
                Some(Answer::Connected(found)) => connected.push((found, listen.clone())),
                _ => {}
            }
        }
    }
    let known = known.with_context(|| match silent.is_empty() {
        true => format!("none of these daemons has the shard of {user}"),
        false => format!("nobody answers for {user}; silent: {}", silent.join("; ")),
    })?;
    Ok(Found {
        user: user.to_string(),
        devices: devices(known.sessions, connected),
        shard: known.shard,
        slot: known.slot,
        status: known.shown,
    })
}

/// Each once, whoever knows it.
fn devices(
    known: Vec<wire::KnownSession>,
    connected: Vec<(wire::Connected, Option<String>)>,
) -> Vec<Device> {
    let mut devices = BTreeMap::new();
    for (found, listen) in connected {
        let device = Device {
            device: found.device,
            known: false,
            since_us: None,
            connd: listen,
            session: format!("{:x}", found.session),
            address: Some(found.address),
            unanswered: Some(found.unanswered),
            unacknowledged: Some(found.unacknowledged),
        };
        devices.insert((found.gateway, found.session), device);
    }
    for session in known {
        let at = (session.gateway, session.session);
        let device = devices.entry(at).or_insert_with(|| Device {
            device: session.device,
            known: true,
            since_us: None,
            connd: None,
            session: format!("{:x}", session.session),
            address: None,
            unanswered: None,
            unacknowledged: None,
        });
        device.known = true;
        device.since_us = Some(session.since_us);
    }
    devices.into_values().collect()
}

impl Found {
    fn text(&self) -> String {
        let status = match self.status.as_str() {
            "" => "not in memory",
            status => status,
        };
        let (user, slot, shard) = (&self.user, self.slot, &self.shard);
        let mut text = format!("{user}: slot {slot}, shard {shard}, {status}\n");
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let count = |count: Option<u32>| count.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let row = |device: &Device| {
            [
                device.device.clone(),
                match device.since_us {
                    Some(since) => ago(since),
                    None => "not announced".to_owned(),
                },
                shown(&device.connd),
                device.session.clone(),
                shown(&device.address),
                count(device.unanswered),
                count(device.unacknowledged),
            ]
        };
        let rows: Vec<_> = self.devices.iter().map(row).collect();
        let heads = [
            "device",
            "since",
            "connd",
            "session",
            "from",
            "unanswered",
            "unacknowledged",
        ];
        text += &table(heads, &rows);
        text
    }
}

/// Devices that are logged out.
#[derive(Debug, Serialize)]
struct Kicked {
    user: String,
    devices: Vec<String>,
    /// What went wrong with others.
    failed: Option<String>,
}

async fn kick(
    daemons: &Daemons,
    user: UserId,
    device: Option<DeviceId>,
    output: Output,
) -> anyhow::Result<()> {
    let pick = |answer| match answer {
        Answer::Kicked(kicked) => Some(kicked),
        _ => None,
    };
    let question = Question::Kick(user.clone(), device);
    let kicked = daemons.ask_one(&question, pick).await?;
    let failed = Code::from_number(kicked.code).map(|code| code.to_string());
    let shown = Kicked {
        user: user.to_string(),
        devices: kicked.devices,
        failed,
    };
    output.show(&shown, |kicked| {
        let devices = kicked.devices.iter();
        devices
            .map(|device| format!("logged out: {device}\n"))
            .collect()
    })?;
    done(kicked.code)
}

/// What waits for a user.
#[derive(Debug, Serialize)]
struct Mailbox {
    user: String,
    shard: String,
    stored: u64,
    cursor: u64,
    end: u64,
    pending: u64,
    pending_bytes: u64,
    last_seen_us: Option<u64>,
}

impl Mailbox {
    fn of(user: &UserId, mailbox: wire::MailboxStatus) -> Self {
        let seen = mailbox.last_seen_us;
        Self {
            user: user.to_string(),
            shard: mailbox.shard,
            stored: mailbox.waiting,
            cursor: mailbox.cursor,
            end: mailbox.end,
            pending: mailbox.pending,
            pending_bytes: mailbox.pending_bytes,
            last_seen_us: (seen > 0).then_some(seen),
        }
    }

    fn text(&self) -> String {
        let row = [
            self.user.clone(),
            self.shard.clone(),
            self.stored.to_string(),
            self.cursor.to_string(),
            self.pending.to_string(),
            self.pending_bytes.to_string(),
            self.last_seen_us.map_or_else(|| "-".to_owned(), ago),
        ];
        let heads = [
            "user",
            "shard",
            "stored",
            "from position",
            "in memory",
            "bytes",
            "last seen",
        ];
        table(heads, &[row])
    }
}
