//! The way to a Redis, whatever its layout.
//!
//! Owns which server is asked. Must not know what is asked.

use std::sync::Arc;

use crate::address::{Host, Layout};
use crate::cluster::Cluster;
use crate::command::{Command, Script};
use crate::failure::{Failure, Reply};
use crate::hash;
use crate::life::Life;
use crate::pause::Pause;
use crate::sentinel;
use crate::server::{Placed, Server, Terms};
use crate::settings::Settings;

/// A Redis. It connects when it is asked for the first time.
#[derive(Debug)]
pub struct Redis {
    pub(crate) servers: Servers,
    terms: Arc<Terms>,
}

#[derive(Debug)]
pub(crate) enum Servers {
    One(Server),
    Watched {
        sentinels: Vec<Host>,
        name: String,
        primary: Option<Server>,
        pause: Pause,
    },
    Many(Cluster),
}

impl Redis {
    /// Every script that is ever asked for is among `scripts`: each server is
    /// told them before it is asked for anything.
    pub fn new(settings: &Settings, scripts: Vec<Script>) -> Self {
        let terms = Terms::new(settings, scripts);
        let mut hosts = settings.address.hosts.clone();
        let servers = match &settings.address.layout {
            // An address has at least one host.
            Layout::Standalone => Servers::One(Server::new(hosts.swap_remove(0), terms.clone())),
            Layout::Cluster => Servers::Many(Cluster::new(hosts, terms.clone())),
            Layout::Sentinel(name) => Servers::Watched {
                sentinels: hosts,
                name: name.clone(),
                primary: None,
                pause: Pause::new(),
            },
        };
        Self { servers, terms }
    }

    /// The life of the server that has a key, as far as is known: after
    /// [`carry_out`](Self::carry_out) that in which a command of this key was
    /// carried out.
    pub fn life_of(&self, key: impl AsRef<[u8]>) -> Option<Life> {
        let server = match &self.servers {
            Servers::One(server) => Some(server),
            Servers::Watched { primary, .. } => primary.as_ref(),
            Servers::Many(cluster) => cluster.server_of(hash::slot(key.as_ref())),
        };
        server.and_then(Server::life).cloned()
    }

    /// Carries commands out and waits for what comes of them: a reply for each,
    /// in the order of the commands.
    pub async fn carry_out(&mut self, commands: Vec<Command>) -> Vec<Reply> {
        if commands.is_empty() {
            return Vec::new();
        }
        let placed = commands.into_iter().enumerate();
        let mut placed: Vec<Placed> = placed.map(|(at, command)| (at, command, false)).collect();
        match &mut self.servers {
            Servers::One(server) => server.carry_out(&mut placed).await,
            Servers::Many(cluster) => cluster.carry_out(placed).await,
            Servers::Watched {
                sentinels,
                name,
                primary,
                pause,
            } => {
                if let Some(server) = primary.as_mut().filter(|server| server.is_connected()) {
                    return server.carry_out(&mut placed).await;
                }
                if !pause.is_over() {
                    let failure = Failure::lost("the primary was lost, and is looked for soon");
                    return vec![Err(failure); placed.len()];
                }
                match sentinel::primary(&self.terms, sentinels, name).await {
                    Ok(host) => {
                        pause.succeeded();
                        let server = primary.insert(Server::new(host, self.terms.clone()));
                        let replies = server.carry_out(&mut placed).await;
                        if !server.is_connected() {
                            pause.failed();
                        }
                        replies
                    }
                    Err(failure) => {
                        tracing::warn!(%failure, "no primary of Redis is found");
                        pause.failed();
                        vec![Err(failure); placed.len()]
                    }
                }
            }
        }
    }
}
