//! The servers of a Cluster.
//!
//! Owns which server has which slot, and what becomes of commands that a server
//! sends on to another. Must not know what commands do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tokio::task::JoinSet;

use crate::address::Host;
use crate::command::Command;
use crate::failure::{ASK, Failure, Reply};
use crate::hash::SLOTS;
use crate::pause::Pause;
use crate::server::{Placed, Server, Terms, exchange};

/// How often a command is sent on at most.
const ROUNDS_MAX: usize = 8;
/// For keys that are being moved to arrive.
const MOVING_PAUSE: Duration = Duration::from_millis(25);

/// A Cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    terms: Arc<Terms>,
    /// As the operator named them.
    named: Vec<Host>,
    /// By slot.
    map: Vec<Option<Host>>,
    servers: HashMap<Host, Server>,
    /// The map may be old.
    stale: bool,
    pause: Pause,
}

impl Cluster {
    pub(crate) fn new(named: Vec<Host>, terms: Arc<Terms>) -> Self {
        Self {
            terms,
            named,
            map: vec![None; usize::from(SLOTS)],
            servers: HashMap::new(),
            stale: true,
            pause: Pause::new(),
        }
    }

    /// The server that has a slot, if it was asked for anything.
    pub(crate) fn server_of(&self, slot: u16) -> Option<&Server> {
        let host = self.map.get(usize::from(slot))?.as_ref()?;
        self.servers.get(host)
    }

    /// All servers that have slots.
    pub(crate) async fn hosts(&mut self) -> Vec<Host> {
        self.refresh().await;
        let hosts: BTreeSet<&Host> = self.map.iter().flatten().collect();
        hosts.into_iter().cloned().collect()
    }

    /// Has one server carry out what is about no key.
    pub(crate) async fn carry_out_at(&mut self, host: &Host, commands: Vec<Command>) -> Vec<Reply> {
        let placed = commands.into_iter().enumerate();
        let placed = placed.map(|(at, command)| (at, command, false)).collect();
        let answered = self.ask_all(BTreeMap::from([(host.clone(), placed)])).await;
        answered.into_iter().map(|(_, reply)| reply).collect()
    }

    pub(crate) async fn carry_out(&mut self, commands: Vec<Placed>) -> Vec<Reply> {
        let unanswered = Failure::lost("the keys are being moved");
        let mut replies: Vec<Reply> = vec![Err(unanswered); commands.len()];
        let mut rest: Vec<(Placed, Option<Host>)> =
            commands.into_iter().map(|placed| (placed, None)).collect();
        let mut again = Vec::new();
        for _ in 0..ROUNDS_MAX {
            self.refresh().await;
            let mut groups: BTreeMap<Host, Vec<Placed>> = BTreeMap::new();
            for (placed, asked) in rest.drain(..) {
                let host = asked.or_else(|| self.map[usize::from(placed.1.slot)].clone());
                match host {
                    Some(host) => groups.entry(host).or_default().push(placed),
                    None => {
                        self.stale = true;
                        replies[placed.0] = Err(Failure::lost("no server has the slot"));
                    }
                }
            }
            let answered = self.ask_all(groups).await;
            again.extend(behind_moved(&answered));
            for (placed, reply) in answered {
                match self.sent_on(&reply) {
                    Some(way) => {
                        let (place, command, _) = placed;
                        let asking = way.is_some();
                        rest.push(((place, command, asking), way));
                    }
                    None => replies[placed.0] = reply,
                }
            }
            if rest.is_empty() {
                break;
            }
            // The order of those that stay together is that of their places.
            rest.sort_by_key(|((place, ..), _)| *place);
            tokio::time::sleep(MOVING_PAUSE).await;
        }
        self.ask_again(again, &mut replies).await;
        replies
    }

    /// Asks once more what is to be as new as what was sent on before it.
    async fn ask_again(&mut self, again: Vec<Placed>, replies: &mut [Reply]) {
        let mut groups: BTreeMap<Host, Vec<Placed>> = BTreeMap::new();
        for placed in again {
            if let Some(host) = &self.map[usize::from(placed.1.slot)] {
                groups.entry(host.clone()).or_default().push(placed);
            }
        }
        for ((place, ..), reply) in self.ask_all(groups).await {
            replies[place] = reply;
        }
    }

    /// Whether the command is to be sent again: to whom has the slot by then,
    /// or once to the host that is named.
    ///
    /// Not one whose keys are here and there, which a server answers with
    /// `TRYAGAIN`: that may last until the whole slot has moved, and others wait
    /// for this call.
    fn sent_on(&mut self, reply: &Reply) -> Option<Option<Host>> {
        let Err(Failure::Said { code, text }) = reply else {
            self.stale |= matches!(reply, Err(Failure::Lost(_)));
            return None;
        };
        let host = || {
            let (host, port) = text.split(' ').nth(1)?.rsplit_once(':')?;
            Some((host.to_owned(), port.parse().ok()?))
        };
        match &**code {
            ASK => Some(host()),
            // Not sent on: after a fail-over the other may not have all that
            // this one had, and who asks must know.
            "MOVED" | "CLUSTERDOWN" => {
                self.stale = true;
                None
            }
            _ => None,
        }
    }

    /// Asks all servers at once.
    async fn ask_all(&mut self, groups: BTreeMap<Host, Vec<Placed>>) -> Vec<(Placed, Reply)> {
        let mut asked = JoinSet::new();
        for (host, mut commands) in groups {
            let server = self.servers.remove(&host);
            let mut server = server.unwrap_or_else(|| Server::new(host, self.terms.clone()));
            asked.spawn(async move {
                let replies = server.carry_out(&mut commands).await;
                (server, commands, replies)
            });
        }
        let mut answered = Vec::new();
        // One that panicked would leave its commands as they were: unanswered.
        while let Some(joined) = asked.join_next().await {
            if let Ok((server, commands, replies)) = joined {
                self.servers.insert(server.host.clone(), server);
                answered.extend(commands.into_iter().zip(replies));
            }
        }
        answered
    }

    /// Asks who has which slot, if that may have changed.
    async fn refresh(&mut self) {
        if !self.stale || !self.pause.is_over() {
            return;
        }
        for host in self.whom_to_ask() {
            if let Ok(map) = self.ask_map(&host).await {
                self.map = map;
                self.stale = false;
                self.pause.succeeded();
                let map = &self.map;
                self.servers
                    .retain(|host, _| map.iter().flatten().any(|known| known == host));
                return;
            }
        }
        tracing::warn!("no server of the Redis Cluster tells who has which slot");
        self.pause.failed();
    }

    /// All that are known: first those that answer, and each once.
    fn whom_to_ask(&self) -> Vec<Host> {
        let answers = |host: &&Host| self.servers.get(*host).is_some_and(Server::is_connected);
        let known: BTreeSet<&Host> = self.servers.keys().chain(&self.named).collect();
        let (answering, silent): (Vec<_>, Vec<_>) = known.into_iter().partition(answers);
        answering.into_iter().chain(silent).cloned().collect()
    }

    async fn ask_map(&self, asked: &Host) -> Result<Vec<Option<Host>>, Failure> {
        let mut connection = self.terms.connect(asked, false).await?;
        let mut question = redis::pipe();
        question.cmd("CLUSTER").arg("SLOTS");
        match exchange(&mut connection, &question).await?.pop() {
            Some(Value::Array(ranges)) => {
                let mut map = vec![None; usize::from(SLOTS)];
                for range in &ranges {
                    put(range, &asked.0, &mut map);
                }
                Ok(map)
            }
            Some(Value::ServerError(error)) => Err(Failure::said(&error)),
            _ => Err(Failure::lost("no map of the slots")),
        }
    }
}

/// What only reads, and was answered before something of the same slot that it
/// stands behind: that is on its way, and is sent on. Nothing is written behind
/// it, which it would see then.
fn behind_moved(answered: &[(Placed, Reply)]) -> Vec<Placed> {
    let mut moved: HashMap<u16, usize> = HashMap::new();
    let asks = answered.iter();
    for ((place, command, _), _) in asks.filter(|(_, reply)| reply.as_ref().is_err_and(is_ask)) {
        let first = moved.entry(command.slot).or_insert(*place);
        *first = (*first).min(*place);
    }
    if moved.is_empty() {
        return Vec::new();
    }
    let mut written: HashMap<u16, usize> = HashMap::new();
    let writes = answered.iter();
    for ((place, command, _), _) in writes.filter(|((_, command, _), _)| command.writes) {
        let last = written.entry(command.slot).or_insert(*place);
        *last = (*last).max(*place);
    }
    let is_behind = |((place, command, _), reply): &&(Placed, Reply)| {
        let behind = |places: &HashMap<u16, usize>| places.get(&command.slot).copied();
        let is_last = behind(&written).is_none_or(|last| last < *place);
        reply.is_ok() && is_last && behind(&moved).is_some_and(|first| first < *place)
    };
    let behind = answered.iter().filter(is_behind);
    behind
        .map(|((place, command, _), _)| (*place, command.clone(), false))
        .collect()
}

fn is_ask(failure: &Failure) -> bool {
    failure.code() == Some(ASK)
}

/// Puts a range of slots on the map: its first, its last, its primary, others.
fn put(range: &Value, asked: &str, map: &mut [Option<Host>]) {
    let Value::Array(parts) = range else {
        return;
    };
    let [
        Value::Int(first),
        Value::Int(last),
        Value::Array(primary),
        ..,
    ] = &parts[..]
    else {
        return;
    };
    let [host, Value::Int(port), ..] = &primary[..] else {
        return;
    };
    let host = match host {
        Value::BulkString(host) if !host.is_empty() => String::from_utf8_lossy(host).into_owned(),
        // It does not know its own name: it is where it was asked.
        _ => asked.to_owned(),
    };
    let (Ok(first), Ok(last), Ok(port)) = (
        usize::try_from(*first),
        usize::try_from(*last),
        u16::try_from(*port),
    ) else {
        return;
    };
    if first <= last && last < map.len() {
        map[first..=last].fill(Some((host, port)));
    }
}
