//! A cluster whose shards hold leases: two gateways, shards that come and go,
//! two friend services that serve one graph, and a Redis in which they find each
//! other, and keep mail and the graph.
//!
//! Owns them and their directory. Must not know what a test does with them.

use std::sync::Arc;
use std::time::Duration;

use client::UserId;
use proto::slot::Slot;
use redis_stage::Server;
use registry::Trust;
use registry::client::{Place, Registry};
use registry::look::{Found, Sign};
use registry::view::View;
use tempfile::TempDir;

use crate::admin;
use crate::daemon::Daemon;
use crate::patience::until;
use crate::person::Person;

/// For the registry to answer a test.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long leases are, as the daemons are told.
pub const LEASE: Duration = Duration::from_secs(3);

/// Daemons that find each other.
#[derive(Debug)]
pub struct Leased<R = Server> {
    /// The gateways.
    pub connds: Vec<Daemon>,
    /// The shards, in the order in which they were started.
    pub msgds: Vec<Daemon>,
    /// The registry and the store.
    pub redis: R,
    url: String,
    replicas: usize,
    /// The friend services.
    pub friendds: Vec<Daemon>,
    /// Goes when all processes have ended.
    home: TempDir,
}

impl Leased {
    /// Two gateways, and shards of these names, over one server; all ready.
    pub async fn start(shards: &[&str]) -> Self {
        let redis = Server::start();
        let url = redis.url();
        Self::start_on(shards, (redis, url, 0)).await
    }
}

impl<R> Leased<R> {
    /// The same over any Redis at this URL, of which so many replicas confirm.
    pub async fn start_on(shards: &[&str], (redis, url, replicas): (R, String, usize)) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let confirmed = replicas.to_string();
        let friendds = (1..=2).map(|number| {
            let flags = [
                "--store",
                &url,
                "--replicas",
                &confirmed,
                "--registry",
                &url,
            ];
            let flags = flags.map(str::to_owned).to_vec();
            Daemon::start(&format!("friendd-{number}"), home.path(), flags)
        });
        let friendds = friendds.collect();
        let connds = (1..=2).map(|number| {
            let flags = ["--registry".to_owned(), url.clone()];
            Daemon::start(&format!("connd-{number}"), home.path(), flags.to_vec())
        });
        let mut cluster = Self {
            connds: connds.collect(),
            msgds: Vec::new(),
            redis,
            url,
            replicas,
            friendds,
            home,
        };
        for friendd in &mut cluster.friendds {
            friendd.ready().await;
        }
        for name in shards {
            cluster.add(name);
        }
        for daemon in cluster.msgds.iter_mut().chain(&mut cluster.connds) {
            daemon.ready().await;
        }
        cluster
    }

    /// Starts one more shard; it need not be ready yet.
    pub fn add(&mut self, name: &str) {
        self.add_by(name, &self.url.clone());
    }

    /// The same for one with a way of its own to Redis.
    pub fn add_by(&mut self, name: &str, url: &str) {
        let friendds: Vec<String> = self.friendds.iter().map(Daemon::address).collect();
        let friendds = friendds.join(",");
        let replicas = self.replicas.to_string();
        let flags = [
            ["--name", name],
            ["--friendd", &friendds],
            ["--registry", url],
            ["--store", url],
            ["--replicas", &replicas],
            ["--policy", "open"],
        ];
        let flags = flags.concat().into_iter().map(str::to_owned).collect();
        let msgd = Daemon::start(&format!("msgd-{name}"), self.home.path(), flags);
        self.msgds.push(msgd);
    }

    /// The shard of this name.
    ///
    /// # Panics
    /// There is none.
    pub fn msgd(&mut self, name: &str) -> &mut Daemon {
        let name = format!("msgd-{name}");
        let mut msgds = self.msgds.iter_mut();
        msgds.find(|msgd| msgd.name() == name).expect("a shard")
    }

    /// A way to the registry.
    pub fn registry(&self) -> Registry {
        let place = Place {
            address: self.url.parse().expect("an address"),
            trust: Trust::default(),
            lease: LEASE,
        };
        Registry::new(&place, PATIENCE)
    }

    /// Waits until exactly these shards have slots.
    pub async fn ring_of(&self, names: &[&str]) -> Arc<View> {
        let mut registry = self.registry();
        until(&format!("a ring of {names:?}"), async || {
            let view = View::build(&registry.look().await.ok()?).ok()?;
            let members = view.ring().members().iter();
            let members: Vec<&str> = members.map(|m| m.shard.as_str()).collect();
            (members == names).then(|| Arc::new(view.clone()))
        })
        .await
    }

    /// Waits until each shard has told in a renewal that it knows this ring: who
    /// has not is not called dead before long.
    pub async fn all_tell(&self, view: &View) {
        let epoch = view.ring().epoch();
        let mut registry = self.registry();
        until("all shards to tell that they know the ring", async || {
            let look = registry.look().await.ok()?;
            let tells = |found: &Found| match found.sign {
                Sign::Renewed { known, .. } => known >= epoch,
                Sign::Lost | Sign::Over => false,
            };
            look.found.iter().all(tells).then_some(())
        })
        .await;
    }

    /// Waits until everybody has heard of a ring, but who is down.
    pub async fn all_know(&self, view: &View, down: &[&str]) {
        let epoch = view.ring().epoch().0;
        for daemon in self.connds.iter().chain(&self.msgds) {
            if !down.contains(&daemon.name()) {
                admin::risen(daemon.admin(), "im_registry_epoch", epoch).await;
            }
        }
    }
}

/// A user of this shard whose name begins like this.
///
/// # Panics
/// There is no such shard.
pub fn user_of(view: &View, shard: &str, begin: &str) -> UserId {
    let names = (0..10_000).map(|number| format!("{begin}-{number}"));
    let mut users = names.map(|name| name.parse().expect("a name"));
    let here = |user: &UserId| view.ring().owner(Slot::of(user)).as_str() == shard;
    users.find(here).expect("each shard has users")
}

/// A user of each shard whose name begins like this, by turns at one gateway
/// and the other.
pub async fn people<R>(cluster: &Leased<R>, view: &View, begin: &str) -> Vec<Person> {
    let mut people = Vec::new();
    for (at, member) in view.ring().members().iter().enumerate() {
        let user = user_of(view, member.shard.as_str(), begin);
        let address = cluster.connds[at % 2].address();
        people.push(Person::comes(&address, user.as_str(), "phone").await);
    }
    people
}

/// Everybody writes to everybody, and is read.
///
/// # Panics
/// A message is not delivered, or not read.
pub async fn chat(people: &[Person], about: &str) {
    for from in people {
        for to in people.iter().filter(|to| to.user != from.user) {
            let text = format!("{about}: {} to {}", from.user, to.user);
            from.tells(&to.user, text.clone()).await;
            to.reads(&text).await;
        }
    }
}
