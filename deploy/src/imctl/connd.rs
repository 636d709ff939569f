//! `imctl connd`: a connd is emptied, its clients going elsewhere.
//!
//! Owns how long that is waited for. Must not know how clients move.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use proto::codes::Code;
use serde::Serialize;
use service::admin::{Answer, Question};
use tokio::time::{Instant, sleep};

use crate::daemons::Daemons;
use crate::output::Output;

/// Between two looks at who is left.
const LOOK: Duration = Duration::from_millis(500);

/// For the last client to have moved, after the moment at which it should.
const GRACE: Duration = Duration::from_secs(3);

/// What may be done with a connd.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Asks its clients to move to another one, lets no more come, and waits
    /// until it is empty. It runs on, and is not taken back into use but by a
    /// new start.
    Drain {
        /// Where its clients connect, as `imctl status` shows it.
        listens: String,
        /// How many a second are to move.
        #[arg(long, value_name = "CLIENTS", default_value_t = 100)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        rate: u32,
    },
}

/// A connd that is empty.
#[derive(Debug, Serialize)]
struct Drained {
    listens: String,
    moved: u64,
    seconds: f64,
}

/// Carries it out.
///
/// # Errors
/// There is no such connd, it is being emptied already, or some stay.
pub async fn connd(daemons: &Daemons, order: Order, output: Output) -> anyhow::Result<()> {
    let Order::Drain { listens, rate } = order;
    let admin = find(daemons, &listens).await?;
    let connd = daemons.only(admin);
    let began = Instant::now();
    let pick = |answer| match answer {
        Answer::Leaving(leaving) => Some(leaving),
        _ => None,
    };
    let said = connd.ask(&Question::Leave(rate)).await;
    let answers = said.into_iter().filter_map(|said| said.answers.ok());
    let mut answers = answers.flat_map(|answers| answers.answers);
    let leaving = answers.find_map(|answer| pick(answer.answer?));
    let leaving = leaving.context("it does not say that it is left")?;
    if Code::from_number(leaving.code).is_some() {
        bail!("it is being emptied already, or this would take it more than ten minutes");
    }
    let until = began + Duration::from_millis(leaving.longest_ms) + GRACE;
    loop {
        let left = sessions(&connd).await?;
        if left == 0 {
            break;
        }
        if Instant::now() > until {
            bail!("{left} clients have not moved; they are served until it stops");
        }
        sleep(LOOK).await;
    }
    let drained = Drained {
        listens,
        moved: leaving.sessions,
        seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    };
    output.show(&drained, |drained| {
        let Drained {
            listens,
            moved,
            seconds,
        } = drained;
        format!("{listens} is empty: {moved} clients have moved in {seconds} s\n")
    })
}

/// The admin address of the connd that listens there.
async fn find(daemons: &Daemons, listens: &str) -> anyhow::Result<String> {
    let mut found = Vec::new();
    for said in daemons.ask(&Question::Status).await {
        let daemon = said.answers.ok().and_then(|answers| answers.daemon);
        if daemon.is_some_and(|daemon| daemon.program == "connd" && daemon.listen == listens) {
            found.push(said.admin);
        }
    }
    match &found[..] {
        [admin] => Ok(admin.clone()),
        [] => bail!("none of these daemons is a connd that listens on {listens}"),
        several => bail!(
            "{} say that they listen on {listens}: name one by --admin",
            several.join(", ")
        ),
    }
}

/// How many clients it has.
async fn sessions(connd: &Daemons) -> anyhow::Result<u64> {
    let mut sessions = 0;
    for said in connd.ask(&Question::Status).await {
        for answer in said.answers?.answers {
            if let Some(Answer::Gateway(gateway)) = answer.answer {
                sessions += gateway.sessions;
            }
        }
    }
    Ok(sessions)
}
