//! The daemons of a cluster, as they are asked.
//!
//! Owns where they are, and that all are asked at once. Must not know what.

use anyhow::{Context, bail};
use proto::codes::Code;
use registry::admin::AdminAt;
use registry::client::Registry;
use service::admin::{Answer, AskError, Question, ask, wire};
use service::tls::LinkTls;
use tokio::task::JoinSet;

/// Where `imd` and a single daemon are, unless something else is said.
const DEFAULT: &str = "127.0.0.1:7190";

/// Where daemons are.
#[derive(Debug)]
pub struct Daemons {
    at: Vec<AdminAt>,
    /// What is shown to those that speak TLS.
    tls: Option<LinkTls>,
}

/// What one of them says.
#[derive(Debug)]
pub struct Said {
    /// Its admin address.
    pub admin: String,
    /// Who it is, and what its parts say.
    pub answers: Result<wire::Answers, AskError>,
}

impl Daemons {
    /// At these admin addresses; without any, where one is by default.
    pub fn at(mut addresses: Vec<String>, tls: Option<LinkTls>) -> Self {
        if addresses.is_empty() {
            addresses.push(DEFAULT.to_owned());
        }
        let at = |address| AdminAt {
            address,
            host: None,
        };
        Self {
            at: addresses.into_iter().map(at).collect(),
            tls,
        }
    }

    /// Those that the registry knows.
    ///
    /// # Errors
    /// It does not answer, or knows none.
    pub async fn of(registry: &mut Registry, tls: Option<LinkTls>) -> anyhow::Result<Self> {
        let at = registry.daemons().await?;
        if at.is_empty() {
            bail!("the registry names no daemon; --admin does");
        }
        Ok(Self { at, tls })
    }

    /// One of them.
    pub fn only(&self, admin: String) -> Self {
        Self::at(vec![admin], self.tls.clone())
    }

    /// Asks all of them; what they say, in the order of their addresses.
    pub async fn ask(&self, question: &Question) -> Vec<Said> {
        let mut asked = JoinSet::new();
        for (place, at) in self.at.iter().enumerate() {
            let (at, tls, question) = (at.clone(), self.tls.clone(), question.clone());
            asked.spawn(async move {
                let answers = match at.is_reached() {
                    true => ask(&at.address, tls.as_ref(), &question).await,
                    false => Err(AskError::Elsewhere(at.to_string())),
                };
                let admin = at.address;
                (place, Said { admin, answers })
            });
        }
        let mut said = asked.join_all().await;
        said.sort_by_key(|(place, _)| *place);
        said.into_iter().map(|(_, said)| said).collect()
    }

    /// What the one shard says that has the user.
    ///
    /// # Errors
    /// No shard has, of those that answer.
    pub async fn ask_one<T>(
        &self,
        question: &Question,
        pick: impl Fn(Answer) -> Option<T>,
    ) -> anyhow::Result<T> {
        let said = self.ask(question).await;
        let mut silent = Vec::new();
        for said in said {
            match said.answers {
                Ok(answers) => {
                    silent.extend(answers.silent);
                    let whole = answers.answers.into_iter();
                    if let Some(found) = whole.filter_map(|a| a.answer).find_map(&pick) {
                        return Ok(found);
                    }
                }
                Err(error) => silent.push(error.to_string()),
            }
        }
        let user = question.user().map(ToString::to_string);
        let user = user.unwrap_or_default();
        match silent.is_empty() {
            true => bail!("none of these daemons has the shard of {user}"),
            false => bail!("nobody answers for {user}; silent: {}", silent.join("; ")),
        }
    }
}

/// What a daemon's number of a code says; 0 is none.
///
/// # Errors
/// The code, for a person.
pub fn done(number: u32) -> anyhow::Result<()> {
    if number == 0 {
        return Ok(());
    }
    let code = Code::from_number(number);
    bail!("{}", code.context("an unknown code")?)
}
