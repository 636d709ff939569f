//! One server and the connection to it.
//!
//! Owns one pipeline out and the replies back, and that scripts are known there
//! before anything else is asked. Must not know of other servers.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, TlsCertificates, Value,
};

use crate::address::{Address, Host};
use crate::command::{Command, Script};
use crate::failure::{ASK, Failure, Reply};
use crate::life::{Life, life};
use crate::pause::Pause;
use crate::settings::{Confirm, Settings, Trust};

/// What servers are to be told and shown, the same for all of them.
#[derive(Debug)]
pub(crate) struct Terms {
    login: RedisConnectionInfo,
    tls: Option<Trust>,
    patience: Duration,
    /// For a connection to be there, TLS and log-in included: each of the hosts
    /// that are named can be tried within the patience for replies.
    connect_patience: Duration,
    confirm: Option<Confirm>,
    scripts: Vec<Script>,
}

impl Terms {
    pub(crate) fn new(settings: &Settings, scripts: Vec<Script>) -> Arc<Self> {
        let Address {
            user,
            password,
            database,
            tls,
            hosts,
            ..
        } = &settings.address;
        let tries = u32::try_from(hosts.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let mut login = RedisConnectionInfo::default()
            .set_db(*database)
            .set_skip_set_lib_name();
        if let Some(user) = user {
            login = login.set_username(user);
        }
        if let Some(password) = password {
            login = login.set_password(password);
        }
        Arc::new(Self {
            login,
            tls: tls.then(|| settings.trust.clone()),
            patience: settings.patience,
            connect_patience: settings.patience / tries,
            confirm: settings.confirm,
            scripts,
        })
    }

    /// A connection to any server there, logged in. A Sentinel has users of its
    /// own.
    pub(crate) async fn connect(
        &self,
        (host, port): &Host,
        sentinel: bool,
    ) -> Result<MultiplexedConnection, Failure> {
        let (host, port) = (host.clone(), *port);
        let login = match sentinel {
            true => RedisConnectionInfo::default().set_skip_set_lib_name(),
            false => self.login.clone(),
        };
        let address = match self.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
        };
        let info = address
            .into_connection_info()
            .map_err(|error| Failure::driver(&error))?
            .set_redis_settings(login)
            // Batches are made before they get here.
            .set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = match &self.tls {
            None => Client::open(info),
            Some(trust) => Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: trust.own.as_ref().map(|(chain, key)| ClientTlsConfig {
                        client_cert: chain.clone(),
                        client_key: key.clone(),
                    }),
                    root_cert: trust.authority.clone(),
                },
            ),
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_patience))
            .set_response_timeout(Some(self.patience));
        let client = client.map_err(|error| Failure::driver(&error))?;
        let connected = client.get_multiplexed_async_connection_with_config(&config);
        connected.await.map_err(|error| Failure::driver(&error))
    }

    /// A connection to a server that keeps data, ready to be asked.
    async fn prepare(&self, host: &Host) -> Result<(MultiplexedConnection, Life), Failure> {
        let mut connection = self.connect(host, false).await?;
        let mut pipeline = redis::pipe();
        pipeline.cmd("INFO").arg("server").arg("replication");
        for script in &self.scripts {
            pipeline.cmd("SCRIPT").arg("LOAD").arg(script.text);
        }
        let replies = exchange(&mut connection, &pipeline).await?;
        for reply in &replies {
            if let Value::ServerError(error) = reply {
                return Err(Failure::said(error));
            }
        }
        let life = life(replies.first())?;
        Ok((connection, life))
    }
}

/// Sends what is there and waits for the replies; errors are among them.
pub(crate) async fn exchange(
    connection: &mut MultiplexedConnection,
    pipeline: &Pipeline,
) -> Result<Vec<Value>, Failure> {
    let replies = connection.send_packed_commands(pipeline, 0, pipeline.len());
    replies.await.map_err(|error| Failure::driver(&error))
}

/// A command, the place of its reply, and whether the server is to be told that
/// it was sent on to it.
pub(crate) type Placed = (usize, Command, bool);

/// A server that keeps data.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) host: Host,
    terms: Arc<Terms>,
    connection: Option<MultiplexedConnection>,
    /// That to which it was connected last.
    life: Option<Life>,
    pause: Pause,
}

impl Server {
    pub(crate) fn new(host: Host, terms: Arc<Terms>) -> Self {
        Self {
            host,
            terms,
            connection: None,
            life: None,
            pause: Pause::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// That to which it was connected last.
    pub(crate) fn life(&self) -> Option<&Life> {
        self.life.as_ref()
    }

    /// Carries commands out in their order; a reply for each, in that order.
    /// The words of a command are used up, unless the server said anything
    /// against it, or against another that is to be asked elsewhere.
    pub(crate) async fn carry_out(&mut self, commands: &mut [Placed]) -> Vec<Reply> {
        let mut connection = match self.connected().await {
            Ok(connection) => connection,
            Err(failure) => return vec![Err(failure); commands.len()],
        };
        let life = self.life.clone();
        let mut writes = false;
        let mut pipeline = redis::Pipeline::with_capacity(commands.len() + 1);
        for placed in &mut *commands {
            if !is_meant(placed, &life) {
                continue;
            }
            let (_, command, asking) = placed;
            if *asking {
                pipeline.cmd("ASKING");
            }
            writes |= command.writes;
            pipeline.add_command(command.inner.take());
        }
        if pipeline.is_empty() {
            return vec![Err(Failure::Another); commands.len()];
        }
        let confirm = self.terms.confirm.filter(|_| writes);
        if let Some(confirm) = confirm {
            pipeline
                .cmd("WAIT")
                .arg(confirm.replicas)
                .arg(confirm.patience.as_millis() as u64);
        }
        let mut values = match exchange(&mut connection, &pipeline).await {
            Ok(values) => values,
            Err(failure) => {
                self.lost(&failure);
                return vec![Err(failure); commands.len()];
            }
        };
        let unconfirmed = confirm.and_then(|confirm| unconfirmed(confirm, values.pop()));
        let replies = replies(commands, &life, (&pipeline, values), unconfirmed.as_ref());
        let is_away = |reply: &Reply| {
            let failed = reply.as_ref().err();
            failed.is_some_and(|failure| failure.is_lost() && *failure != Failure::Another)
        };
        if replies.iter().any(is_away) {
            self.connection = None;
        }
        replies
    }

    fn lost(&mut self, failure: &Failure) {
        let (host, port) = &self.host;
        tracing::warn!(%host, port, %failure, "the connection to Redis is lost");
        self.connection = None;
    }

    /// The connection, made if there is none.
    async fn connected(&mut self) -> Result<MultiplexedConnection, Failure> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        if !self.pause.is_over() {
            return Err(Failure::lost("it was lost, and is tried again soon"));
        }
        let prepared = self.terms.prepare(&self.host).await;
        let (connection, life) = prepared.inspect_err(|failure| {
            let (host, port) = &self.host;
            tracing::warn!(%host, port, %failure, "Redis cannot be used");
            self.pause.failed();
        })?;
        self.pause.succeeded();
        self.life = Some(life);
        Ok(self.connection.insert(connection).clone())
    }
}

/// Whether a command is for this life of the server. What is sent on is asked of
/// who is about to get the key from another that has it still.
fn is_meant((_, command, asking): &Placed, life: &Option<Life>) -> bool {
    *asking || command.life.is_none() || command.life == *life
}

/// A reply for each command, of those that were sent and what was said to them.
fn replies(
    commands: &mut [Placed],
    life: &Option<Life>,
    (pipeline, values): (&Pipeline, Vec<Value>),
    unconfirmed: Option<&Failure>,
) -> Vec<Reply> {
    let is_ask = |value: &Value| matches!(value, Value::ServerError(error) if error.code() == ASK);
    let some_moved = values.iter().any(is_ask);
    let mut answered = pipeline.cmd_iter().zip(values);
    let mut replies = Vec::with_capacity(commands.len());
    for placed in commands {
        if !is_meant(placed, life) {
            replies.push(Err(Failure::Another));
            continue;
        }
        let (_, command, asking) = placed;
        if *asking {
            answered.next();
        }
        replies.push(match answered.next() {
            Some((sent, Value::ServerError(error))) => {
                command.inner = sent.clone();
                Err(Failure::said(&error))
            }
            Some((sent, value)) => {
                // It may have to be asked again.
                if some_moved && !command.writes {
                    command.inner = sent.clone();
                }
                unconfirmed.cloned().map_or(Ok(value), Err)
            }
            None => Err(Failure::lost("too few replies")),
        });
    }
    replies
}

fn unconfirmed(confirm: Confirm, reply: Option<Value>) -> Option<Failure> {
    let acknowledged = match reply {
        Some(Value::Int(count)) => u32::try_from(count).unwrap_or(0),
        _ => 0,
    };
    (acknowledged < confirm.replicas).then_some(Failure::Unconfirmed {
        acknowledged,
        wanted: confirm.replicas,
    })
}
