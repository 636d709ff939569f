//! Servers asked one by one.
//!
//! Owns which there are. Must not know what they are asked.

use crate::address::Host;
use crate::client::{Redis, Servers};
use crate::command::Command;
use crate::failure::{Failure, Reply};

/// A server that keeps data: the only one, the primary, or one of a Cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary(Option<Host>);

impl Redis {
    /// Those that keep data.
    ///
    /// # Errors
    /// No server of a Cluster tells which there are.
    pub async fn primaries(&mut self) -> Result<Vec<Primary>, Failure> {
        let Servers::Many(cluster) = &mut self.servers else {
            return Ok(vec![Primary(None)]);
        };
        let hosts = cluster.hosts().await;
        if hosts.is_empty() {
            return Err(Failure::lost("no server tells of the Cluster"));
        }
        let primary = |host| Primary(Some(host));
        Ok(hosts.into_iter().map(primary).collect())
    }

    /// Has one of them carry out commands that are about it and not about a
    /// key; a reply for each, in their order.
    pub async fn carry_out_at(&mut self, server: &Primary, commands: Vec<Command>) -> Vec<Reply> {
        match (&mut self.servers, &server.0) {
            (Servers::Many(cluster), Some(host)) => cluster.carry_out_at(host, commands).await,
            _ => self.carry_out(commands).await,
        }
    }
}
