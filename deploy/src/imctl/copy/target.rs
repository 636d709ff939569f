//! The Redis that a copy goes to.
//!
//! Owns whether it may be filled, and the mark that stands in it until it is
//! whole. Must not know what is copied.

use std::time::Duration;

use anyhow::{anyhow, bail};
use msgd::transfer::Key;
use shared::mark::{self, MARK};
use shared::{Address, Command, Life, Redis, Settings, Trust, Value};

/// What all our keys begin with.
const OURS: &str = "im:*";

/// Keys looked at by one question.
const PAGE: usize = 1_000;

/// A server that writes to a slow disk may take so long for a batch.
const PATIENCE: Duration = Duration::from_secs(20);

/// Before a Redis is asked again that did not answer; longer than it is left
/// alone after one failure.
const PAUSE: Duration = Duration::from_secs(1);

/// A Redis, and how it is asked.
pub struct Target {
    pub redis: Redis,
}

/// What is in it already.
#[derive(Debug, Default)]
struct Found {
    /// A slot that a shard has had.
    slot: Option<String>,
    /// Something of users.
    kept: Option<String>,
    /// A copy that is not finished.
    marked: bool,
}

impl Target {
    pub fn new(address: &Address, trust: Trust) -> Self {
        let settings = Settings {
            address: address.clone(),
            trust,
            patience: PATIENCE,
            confirm: None,
        };
        Self {
            redis: Redis::new(&settings, Vec::new()),
        }
    }

    /// # Errors
    /// It keeps something already, or shards have used it.
    pub async fn may_be_filled(&mut self, again: bool) -> anyhow::Result<()> {
        let found = self.find().await?;
        if let Some(slot) = found.slot {
            bail!(
                "shards have used this Redis: {slot} is there; take one that they have not, or \
                 another of its databases"
            );
        }
        match (found.marked, again) {
            (true, true) => Ok(()),
            (true, false) => bail!(
                "a copy into this Redis was not finished, or is being made; --again erases what it \
                 wrote, and begins anew"
            ),
            (false, true) => bail!("no copy into this Redis was broken off"),
            (false, false) => match found.kept {
                Some(key) => bail!("something is kept in this Redis already: {key} is there"),
                None => Ok(()),
            },
        }
    }

    /// Marks it, and makes it empty after a copy that was broken off.
    pub async fn begin(&mut self, again: bool) -> anyhow::Result<()> {
        if again {
            return self.erase().await;
        }
        let mark = Command::write("SET", MARK).arg("not finished").arg("NX");
        match self.ask(mark).await? {
            Value::Okay => Ok(()),
            _ => bail!("another copy into this Redis has just begun"),
        }
    }

    /// Takes the mark away, if nobody has used it meanwhile.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        if let Some(slot) = self.find().await?.slot {
            bail!("a shard was started on it while it was filled: {slot} is there");
        }
        let held = self.ask(mark::look()).await?;
        let life = self.redis.life_of(MARK);
        match self.ask(Command::write("DEL", MARK)).await {
            Ok(_) => Ok(()),
            Err(_) if held == Value::Int(1) && self.has_gone(life).await => Ok(()),
            Err(failure) => Err(failure.context(format!("{MARK} may be there or not"))),
        }
    }

    /// What an operator is to do when the copy has failed.
    pub async fn advice(&mut self) -> &'static str {
        match self.find().await {
            Ok(Found { slot: Some(_), .. }) => {
                "the copy is not finished, and shards have used this Redis meanwhile: stop the \
                 daemons, empty this Redis (FLUSHALL), copy again"
            }
            _ => "the copy is not finished; --again erases what it wrote, and begins anew",
        }
    }

    /// Whether the mark is gone from the server that had it. The reply that
    /// would have said so was lost; one that was started anew, or has taken
    /// over, may have forgotten the mark, and more.
    async fn has_gone(&mut self, life: Option<Life>) -> bool {
        if life.is_none() {
            return false;
        }
        // A connection that was lost is not made again at once.
        tokio::time::sleep(PAUSE).await;
        let look = mark::look().only_in(life);
        let reply = self.redis.carry_out(vec![look]).await.pop();
        reply.as_ref().and_then(mark::is_there) == Some(false)
    }

    async fn find(&mut self) -> anyhow::Result<Found> {
        let mut found = Found::default();
        for server in self.redis.primaries().await? {
            let mut cursor = Vec::from(*b"0");
            loop {
                let (next, keys) = self.page(&server, cursor).await?;
                for key in keys {
                    let shown = || String::from_utf8_lossy(&key).into_owned();
                    match Key::of(&key) {
                        Some(Key::Slot) => found.slot = Some(shown()),
                        Some(Key::Kept) => found.kept = Some(shown()),
                        None if friendd::transfer::is_list(&key) => found.kept = Some(shown()),
                        None => found.marked |= key == MARK.as_bytes(),
                    }
                }
                cursor = next;
                if cursor == b"0" {
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn erase(&mut self) -> anyhow::Result<()> {
        for server in self.redis.primaries().await? {
            let mut cursor = Vec::from(*b"0");
            loop {
                let (next, keys) = self.page(&server, cursor).await?;
                let kept = |key: &Vec<u8>| {
                    Key::of(key) == Some(Key::Kept) || friendd::transfer::is_list(key)
                };
                let erase = |key: Vec<u8>| Command::write("UNLINK", key);
                let erased = keys.into_iter().filter(kept).map(erase).collect();
                for reply in self.redis.carry_out(erased).await {
                    reply?;
                }
                cursor = next;
                if cursor == b"0" {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Some keys of a server, and where to go on.
    async fn page(
        &mut self,
        server: &shared::Primary,
        cursor: Vec<u8>,
    ) -> anyhow::Result<(Vec<u8>, Vec<Vec<u8>>)> {
        let scan = Command::read("SCAN", cursor);
        let scan = scan.arg("MATCH").arg(OURS).arg("COUNT").arg(PAGE);
        let reply = self.redis.carry_out_at(server, vec![scan]).await.pop();
        let strange = || anyhow!("the server says what it should not: {reply:?}");
        let Some(Ok(Value::Array(parts))) = &reply else {
            return match reply {
                Some(Err(failure)) => Err(failure.into()),
                _ => Err(strange()),
            };
        };
        let [Value::BulkString(next), Value::Array(keys)] = &parts[..] else {
            return Err(strange());
        };
        let text = |key: &Value| match key {
            Value::BulkString(key) => Some(key.clone()),
            _ => None,
        };
        let keys: Option<Vec<_>> = keys.iter().map(text).collect();
        Ok((next.clone(), keys.ok_or_else(strange)?))
    }

    async fn ask(&mut self, command: Command) -> anyhow::Result<Value> {
        let reply = self.redis.carry_out(vec![command]).await.pop();
        Ok(reply.ok_or_else(|| anyhow!("no reply"))??)
    }
}
