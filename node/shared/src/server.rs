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
use crate::failure::{Failure, Reply};
use crate::pause::Pause;
use crate::settings::{Confirm, Settings, Trust};

/// For a connection to be there, TLS and log-in included.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// The least version of Redis; Valkey tells one above.
const VERSION_MIN: u32 = 7;

/// What servers are to be told and shown, the same for all of them.
#[derive(Debug)]
pub(crate) struct Terms {
    login: RedisConnectionInfo,
    tls: Option<Trust>,
    patience: Duration,
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
            ..
        } = &settings.address;
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
            .set_connection_timeout(Some(CONNECT_PATIENCE))
            .set_response_timeout(Some(self.patience));
        let client = client.map_err(|error| Failure::driver(&error))?;
        let connected = client.get_multiplexed_async_connection_with_config(&config);
        connected.await.map_err(|error| Failure::driver(&error))
    }

    /// A connection to a server that keeps data, ready to be asked.
    pub(crate) async fn prepare(&self, host: &Host) -> Result<MultiplexedConnection, Failure> {
        let mut connection = self.connect(host, false).await?;
        let mut pipeline = redis::pipe();
        pipeline.cmd("INFO").arg("server");
        for script in &self.scripts {
            pipeline.cmd("SCRIPT").arg("LOAD").arg(script.text);
        }
        let replies = exchange(&mut connection, &pipeline).await?;
        for reply in &replies {
            if let Value::ServerError(error) = reply {
                return Err(Failure::said(error));
            }
        }
        check_version(replies.first())?;
        Ok(connection)
    }
}

fn check_version(info: Option<&Value>) -> Result<(), Failure> {
    let text = match info {
        Some(Value::BulkString(text)) => String::from_utf8_lossy(text).into_owned(),
        Some(Value::VerbatimString { text, .. }) => text.clone(),
        _ => String::new(),
    };
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("redis_version:"))
        .unwrap_or("unknown");
    let major: Option<u32> = version.split('.').next().and_then(|text| text.parse().ok());
    match major {
        Some(major) if major >= VERSION_MIN => Ok(()),
        _ => Err(Failure::lost(format!(
            "version {version}, {VERSION_MIN} or later is needed"
        ))),
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
    pause: Pause,
}

impl Server {
    pub(crate) fn new(host: Host, terms: Arc<Terms>) -> Self {
        Self {
            host,
            terms,
            connection: None,
            pause: Pause::new(),
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Carries commands out in their order; a reply for each, in that order.
    /// The words of a command are used up, unless the server said anything
    /// against it.
    pub(crate) async fn carry_out(&mut self, commands: &mut [Placed]) -> Vec<Reply> {
        let writes = commands.iter().any(|(_, command, _)| command.writes);
        let mut pipeline = redis::Pipeline::with_capacity(commands.len() + 1);
        for (_, command, asking) in &mut *commands {
            if *asking {
                pipeline.cmd("ASKING");
            }
            pipeline.add_command(command.inner.take());
        }
        let confirm = self.terms.confirm.filter(|_| writes);
        if let Some(confirm) = confirm {
            pipeline
                .cmd("WAIT")
                .arg(confirm.replicas)
                .arg(confirm.patience.as_millis() as u64);
        }
        let exchanged = self.try_exchange(&pipeline).await;
        let mut values = match exchanged {
            Ok(values) => values,
            Err(failure) => return vec![Err(failure); commands.len()],
        };
        let unconfirmed = confirm.and_then(|confirm| unconfirmed(confirm, values.pop()));
        let mut answered = pipeline.cmd_iter().zip(values);
        let mut replies = Vec::with_capacity(commands.len());
        for (_, command, asking) in commands {
            if *asking {
                answered.next();
            }
            replies.push(match answered.next() {
                Some((sent, Value::ServerError(error))) => {
                    command.inner = sent.clone();
                    Err(Failure::said(&error))
                }
                Some((_, value)) => unconfirmed.clone().map_or(Ok(value), Err),
                None => Err(Failure::lost("too few replies")),
            });
        }
        let is_away = |reply: &Reply| reply.as_ref().is_err_and(Failure::is_lost);
        if replies.iter().any(is_away) {
            self.connection = None;
        }
        replies
    }

    async fn try_exchange(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, Failure> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                if !self.pause.is_over() {
                    return Err(Failure::lost("it was lost, and is tried again soon"));
                }
                let prepared = self
                    .terms
                    .prepare(&self.host)
                    .await
                    .inspect_err(|failure| {
                        let (host, port) = &self.host;
                        tracing::warn!(%host, port, %failure, "Redis cannot be used");
                        self.pause.failed();
                    })?;
                self.pause.succeeded();
                self.connection.insert(prepared)
            }
        };
        let exchanged = exchange(connection, pipeline).await;
        if let Err(failure) = &exchanged {
            let (host, port) = &self.host;
            tracing::warn!(%host, port, %failure, "the connection to Redis is lost");
            self.connection = None;
        }
        exchanged
    }
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
