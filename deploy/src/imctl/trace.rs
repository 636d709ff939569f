//! `imctl trace`: where a message is, and where it came by.
//!
//! Owns how that is put in order. Must not know what a step means.

use std::str::FromStr;

use anyhow::{Context, bail};
use proto::codes::Code;
use proto::ids::MessageId;
use serde::Serialize;
use service::admin::{Answer, Question, wire};

use crate::daemons::Daemons;
use crate::output::{Output, ago, table};

/// A message's id, in hexadecimal digits; hyphens may stand between them.
#[derive(Debug, Clone, Copy)]
pub struct Id(MessageId);

impl FromStr for Id {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let number = u128::from_str_radix(&digits, 16).ok();
        let number = number.filter(|_| digits.len() == 32);
        let number = number.context("an id has 32 hexadecimal digits")?;
        Ok(Self(MessageId::from_bytes(number.to_be_bytes())))
    }
}

/// What is known of a message.
#[derive(Debug, Default, Serialize)]
struct Traced {
    id: String,
    stands: Vec<Stand>,
    steps: Vec<Step>,
    silent: Vec<String>,
}

/// Where it is now, or what became of it.
#[derive(Debug, Serialize)]
struct Stand {
    /// A shard, or the number of a gateway.
    at: String,
    admin: String,
    what: String,
    from: String,
    to: String,
    device: Option<String>,
    stamp_us: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Step {
    at_us: u64,
    /// A shard, or the number of a gateway.
    at: String,
    what: String,
    gateway: Option<String>,
    session: Option<String>,
    code: Option<String>,
}

/// Asks all; steps are shown in the order of the daemons' clocks.
///
/// # Errors
/// Nobody knows the message.
pub async fn trace(daemons: &Daemons, id: Id, output: Output) -> anyhow::Result<()> {
    let mut traced = Traced {
        id: id.0.to_string(),
        ..Traced::default()
    };
    for said in daemons.ask(&Question::Trace(id.0)).await {
        let answers = match said.answers {
            Ok(answers) => answers,
            Err(error) => {
                traced.silent.push(error.to_string());
                continue;
            }
        };
        for answer in answers.answers {
            if let Some(Answer::Traced(found)) = answer.answer {
                traced.take(&said.admin, found);
            }
        }
    }
    if traced.stands.is_empty() && traced.steps.is_empty() {
        let silent = traced.silent.join("; ");
        match silent.is_empty() {
            true => bail!("none of these daemons knows the message, or any more"),
            false => bail!("nobody knows the message; silent: {silent}"),
        }
    }
    traced.steps.sort_by_key(|step| step.at_us);
    output.show(&traced, Traced::text)
}

impl Traced {
    fn take(&mut self, admin: &str, found: wire::Traced) {
        let at = found.part;
        self.stands
            .extend(found.stands.into_iter().map(|stand| Stand {
                at: at.clone(),
                admin: admin.to_owned(),
                what: stand.what,
                from: stand.from,
                to: stand.to,
                device: Some(stand.device).filter(|device| !device.is_empty()),
                stamp_us: (stand.stamp_us > 0).then_some(stand.stamp_us),
            }));
        let hexadecimal = |number: u64| (number > 0).then(|| format!("{number:x}"));
        self.steps.extend(found.steps.into_iter().map(|step| Step {
            at_us: step.at_us,
            at: at.clone(),
            what: step.what,
            gateway: hexadecimal(step.gateway).filter(|gateway| *gateway != at),
            session: hexadecimal(step.session),
            code: Code::from_number(step.code).map(|code| code.to_string()),
        }));
    }

    fn text(&self) -> String {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let row = |stand: &Stand| {
            [
                stand.what.clone(),
                stand.from.clone(),
                stand.to.clone(),
                or_none(&stand.device),
                stand.stamp_us.map_or_else(|| "-".to_owned(), ago),
                format!("{} {}", stand.at, stand.admin),
            ]
        };
        let rows: Vec<_> = self.stands.iter().map(row).collect();
        let heads = ["it is", "from", "to", "device", "accepted", "where"];
        let mut tables = vec![table(heads, &rows)];
        let first = self.steps.first().map(|step| step.at_us);
        let row = |step: &Step| {
            let after = step.at_us - first.unwrap_or_default();
            [
                format!("+{:.3} ms", after as f64 / 1_000.0),
                step.at.clone(),
                step.what.clone(),
                or_none(&step.gateway),
                or_none(&step.session),
                or_none(&step.code),
            ]
        };
        let rows: Vec<_> = self.steps.iter().map(row).collect();
        let heads = ["when", "at", "what", "gateway", "session", "code"];
        tables.push(table(heads, &rows));
        tables.retain(|table| !table.is_empty());
        let mut text = tables.join("\n");
        for silent in &self.silent {
            text += &format!("silent: {silent}\n");
        }
        text
    }
}
