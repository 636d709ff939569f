//! What the thread that asks Redis does with requests about groups.
//!
//! Owns the outcomes: each request is one script, which looks at the token and
//! does all of it or nothing. Must not know what is in one.

use std::collections::HashSet;

use msgd_core::store::{Claim, Outcome, Outcomes, Request};
use proto::ids::Stamp;
use shared::{Command, Reply, Value};

use super::claims::refused;
use super::group_reply::{opened, page};
use super::keeper::Keeper;
use super::kind::is_of_groups;
use super::plan::{holds, is_held};
use super::settle::Trouble;
use crate::store::fields::Damaged;

/// Bytes that requests bring or take which are under way at once, about.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// What a group takes that is looked at, about.
const GROUP_BYTES: usize = 256 * 1024;

const REPLY: Damaged = Damaged("a group");

impl Keeper {
    /// Carries out requests about users and about groups, each in their order, so
    /// that one does not wait for the reply to another: an answer about a user may
    /// know already what was asked about groups behind it.
    pub(super) async fn serve_all(&mut self, requests: &[Request]) -> Vec<Outcomes> {
        if !requests.iter().any(is_of_groups) {
            return self.serve(requests).await;
        }
        let all = requests.iter().cloned();
        let (of_groups, of_users): (Vec<_>, Vec<_>) = all.partition(is_of_groups);
        let mut of_groups = self.serve_groups(&of_groups).await.into_iter();
        let mut of_users = self.serve(&of_users).await.into_iter();
        let outcome = |request: &Request| match is_of_groups(request) {
            true => of_groups.next(),
            false => of_users.next(),
        };
        requests.iter().filter_map(outcome).collect()
    }

    async fn serve_groups(&mut self, requests: &[Request]) -> Vec<Outcomes> {
        let mut outcomes = Vec::new();
        let mut begin = 0;
        while begin < requests.len() {
            let batch = begin..end_of_batch(requests, begin);
            begin = batch.end;
            outcomes.extend(self.serve_batch(&requests[batch]).await);
        }
        outcomes
    }

    async fn serve_batch(&mut self, requests: &[Request]) -> Vec<Outcomes> {
        let held = |request: &Request| {
            let claim = request.claim()?;
            self.claims.is_held(claim).then_some(claim)
        };
        let claims: Vec<Option<Claim>> = requests.iter().map(held).collect();
        let asked = requests.iter().zip(&claims);
        let asked = asked.filter(|(request, _)| !is_unsound(request));
        let commands = asked
            .filter_map(|(request, claim)| {
                let command = self.command(request)?;
                Some(command.only_in(self.claims.life((*claim)?)))
            })
            .collect();
        let mut replies = self.redis.carry_out(commands).await.into_iter();
        let mut failed: HashSet<Vec<u8>> = HashSet::new();
        let mut outcomes = Vec::with_capacity(requests.len());
        for (request, claim) in requests.iter().zip(claims) {
            let Some(claim) = claim else {
                outcomes.extend(request.claim().map(refused));
                continue;
            };
            if is_unsound(request) {
                // What is not done is answered as what failed.
                outcomes.push(request.failed());
                continue;
            }
            let result = match replies.next() {
                Some(reply) => self.settle_group(request, reply),
                None => Err(REPLY.into()),
            };
            outcomes.push(
                self.conclude_group((request, claim), result, &mut failed)
                    .await,
            );
        }
        outcomes
    }

    fn command(&self, request: &Request) -> Option<Command> {
        let scripts = &self.mailboxes.scripts.groups;
        Some(match request {
            Request::KeepGroups {
                claim,
                user,
                groups,
            } => scripts.keep(*claim, user, groups),
            Request::OpenGroup {
                claim,
                group,
                since,
            } => scripts.open(*claim, group, *since),
            Request::WriteGroup {
                claim,
                group,
                write,
            } => {
                let bounds = (self.oldest(), self.log.log_max);
                scripts.write(*claim, group, write, bounds)
            }
            Request::EndGroup { claim, group } => scripts.end(*claim, group),
            Request::ReadLog {
                claim,
                group,
                range,
                count_max,
                bytes_max,
                ..
            } => scripts.read(*claim, group, *range, (*count_max, *bytes_max)),
            // No other is one about groups.
            _ => return None,
        })
    }

    /// Entries that are older go.
    fn oldest(&self) -> Option<Stamp> {
        let keep = u64::try_from(self.log.keep.as_micros()).unwrap_or(u64::MAX);
        let now = self.mailboxes.now()?;
        Some(Stamp(now.0.saturating_sub(keep)))
    }

    /// What a reply means.
    fn settle_group(&self, request: &Request, reply: Reply) -> Result<Outcomes, Trouble> {
        let reply = reply?;
        if reply == Value::Int(0) {
            return Err(Trouble::Refused);
        }
        let outcome = match (request, &reply) {
            (Request::KeepGroups { claim, user, .. }, Value::Int(1)) => Outcome::GroupsKept {
                claim: *claim,
                user: user.clone(),
                done: true,
            },
            (Request::EndGroup { .. }, Value::Int(1)) => return Ok(Outcomes::new()),
            (Request::OpenGroup { claim, group, .. }, Value::Array(parts)) => {
                Outcome::GroupOpened {
                    claim: *claim,
                    group: group.clone(),
                    found: opened(parts)?,
                }
            }
            (
                Request::WriteGroup {
                    claim,
                    group,
                    write,
                },
                Value::Array(parts),
            ) => {
                let [Value::Int(done), Value::Int(purged)] = parts[..] else {
                    return Err(REPLY.into());
                };
                if done == 1 {
                    self.metrics.logged.inc_by(write.entries.len() as u64);
                    let purged = u64::try_from(purged).unwrap_or(0);
                    self.metrics.log_purged.inc_by(purged);
                }
                Outcome::GroupWritten {
                    claim: *claim,
                    group: group.clone(),
                    done: done == 1,
                }
            }
            (
                Request::ReadLog {
                    claim,
                    group,
                    reader,
                    range,
                    ..
                },
                Value::Array(parts),
            ) => {
                let page = page(parts, *range)?;
                let read = page.as_ref().map_or(0, |page| page.entries.len());
                self.metrics.log_read.inc_by(read as u64);
                Outcome::LogRead {
                    claim: *claim,
                    group: group.clone(),
                    reader: *reader,
                    page,
                }
            }
            _ => return Err(REPLY.into()),
        };
        Ok(Outcomes::from_buf([outcome]))
    }

    /// The outcome of one request. What was asked behind one that failed fails
    /// with it.
    async fn conclude_group(
        &mut self,
        (request, claim): (&Request, Claim),
        result: Result<Outcomes, Trouble>,
        failed: &mut HashSet<Vec<u8>>,
    ) -> Outcomes {
        let is_lost = match &result {
            Err(Trouble::Refused) => true,
            // An error can mean that the slot is another's.
            Err(Trouble::Failure(_)) => self.is_lost(claim).await,
            _ => false,
        };
        if let Err(trouble @ (Trouble::Failure(_) | Trouble::Damaged(_))) = &result {
            self.tell(trouble);
        }
        if is_lost {
            self.claims.lost(claim);
            return refused(claim);
        }
        match result {
            Ok(outcomes) if !failed.contains(&about(request)) => outcomes,
            _ => {
                failed.insert(about(request));
                request.failed()
            }
        }
    }

    async fn is_lost(&mut self, claim: Claim) -> bool {
        let ask = holds(claim.slot).only_in(self.claims.life(claim));
        let reply = self.redis.carry_out(vec![ask]).await.pop();
        reply.and_then(|reply| is_held(claim.token, &reply)) == Some(false)
    }
}

/// Whether it is a write that fits no log.
fn is_unsound(request: &Request) -> bool {
    matches!(request, Request::WriteGroup { write, .. } if !write.is_sound())
}

/// What a request is about: a group, or the groups of a user.
fn about(request: &Request) -> Vec<u8> {
    match request {
        Request::OpenGroup { group, .. }
        | Request::WriteGroup { group, .. }
        | Request::EndGroup { group, .. }
        | Request::ReadLog { group, .. } => [b"g", group.as_bytes()].concat(),
        Request::KeepGroups { user, .. } => [b"u", user.as_bytes()].concat(),
        _ => Vec::new(),
    }
}

/// Requests that are under way at once.
fn end_of_batch(requests: &[Request], begin: usize) -> usize {
    let mut bytes = 0;
    for (at, request) in requests.iter().enumerate().skip(begin) {
        bytes += match request {
            Request::OpenGroup { .. } => GROUP_BYTES,
            Request::ReadLog { bytes_max, .. } => (*bytes_max).min(BYTES_MAX),
            Request::WriteGroup { write, .. } => {
                write.entries.iter().map(|(entry, _)| entry.weight()).sum()
            }
            _ => 0,
        };
        if bytes > BYTES_MAX && at > begin {
            return at;
        }
    }
    requests.len()
}
