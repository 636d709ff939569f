//! The friend services that can be asked.
//!
//! Owns where they are, the connections to them, and which of them have
//! answered lately. Must not know what is asked.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use node::shards::is_host_and_port;
use service::tls::LinkTls;
use service::wire::friends_client::FriendsClient;
use tokio::net::lookup_host;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};
use tonic::transport::{Channel, Endpoint};
use tracing::{info, warn};

use super::AddressError;

/// For a connection to be there.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// A service that is silent for so long is asked whether it lives, and given
/// up after as long again.
const SILENCE: Duration = Duration::from_secs(5);
/// How often it is looked up which addresses a name has.
const LOOK_UP: Duration = Duration::from_secs(5);
/// One that did not answer is avoided for so long at first, and at most.
const AVOIDED: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(8)];

/// All services behind the names that an operator has given.
pub(super) struct Ways {
    names: Vec<String>,
    tls: Option<LinkTls>,
    ways: RefCell<Vec<Rc<Way>>>,
    /// Whose turn it is.
    turn: Cell<usize>,
}

/// One service.
pub(super) struct Way {
    /// The name that led to it.
    name: String,
    address: SocketAddr,
    client: FriendsClient<Channel>,
    /// Until when it is avoided, and for how long that is, if it did not answer.
    avoided: Cell<Option<(Instant, Duration)>>,
}

impl Ways {
    /// `names` are `HOST:PORT`, with commas between them.
    pub(super) fn new(names: &str, tls: Option<&LinkTls>) -> Result<Rc<Self>, AddressError> {
        let names: Vec<String> = names
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        let ways = Rc::new(Self {
            names,
            tls: tls.cloned(),
            ways: RefCell::default(),
            turn: Cell::new(fastrand::usize(..1024)),
        });
        let mut is_fixed = true;
        for name in &ways.names {
            let wrong = || AddressError(name.clone());
            let fixed = name.parse::<SocketAddr>().ok();
            is_fixed &= fixed.is_some();
            let anywhere = SocketAddr::from(([127, 0, 0, 1], 1));
            // What is wrong with a name, or with certificates, is known at once.
            let way = ways.way(name, fixed.unwrap_or(anywhere));
            let way = way.filter(|_| is_host_and_port(name)).ok_or_else(wrong)?;
            if fixed.is_some() {
                ways.ways.borrow_mut().push(way);
            }
        }
        if !is_fixed {
            spawn_local(look_up(Rc::downgrade(&ways)));
        }
        Ok(ways)
    }

    /// Who is to be asked next, but for those that were: by turns one of those
    /// that answer, else the one that has been avoided longest.
    pub(super) fn choose(&self, tried: &[SocketAddr]) -> Option<Rc<Way>> {
        let ways = self.ways.borrow();
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let from = turn.checked_rem(ways.len()).unwrap_or(0);
        let by_turns = ways[from..].iter().chain(&ways[..from]);
        let left = by_turns.filter(|way| !tried.contains(&way.address));
        let good = left.clone().find(|way| way.avoided.get().is_none());
        let way = good.or_else(|| left.min_by_key(|way| way.avoided.get()));
        way.cloned()
    }

    /// Whether there are others than those that were asked.
    pub(super) fn has_more(&self, tried: &[SocketAddr]) -> bool {
        let ways = self.ways.borrow();
        ways.iter().any(|way| !tried.contains(&way.address))
    }

    /// One that was avoided for long enough to be tried again, if there is one
    /// and others answer. Until it answers it is avoided for twice as long.
    pub(super) fn overdue(&self, now: Instant) -> Option<Rc<Way>> {
        let ways = self.ways.borrow();
        if ways.iter().all(|way| way.avoided.get().is_some()) {
            return None;
        }
        let is_over = |way: &&Rc<Way>| way.avoided.get().is_some_and(|(until, _)| until <= now);
        let way = ways.iter().find(is_over)?;
        let [first, longest] = AVOIDED;
        let before = way.avoided.get().map_or(first, |(_, pause)| pause);
        let pause = longest.min(2 * before);
        way.avoided.set(Some((now + pause, pause)));
        Some(way.clone())
    }

    /// A name's addresses by now; those of before stay if they are still there.
    fn found(&self, name: &str, addresses: &[SocketAddr]) {
        let mut ways = self.ways.borrow_mut();
        ways.retain(|way| way.name != name || addresses.contains(&way.address));
        for address in addresses {
            if !ways.iter().any(|way| way.address == *address) {
                info!(name, %address, "a friend service is found");
                ways.extend(self.way(name, *address));
            }
        }
    }

    /// `None`: the name or the certificates are none.
    fn way(&self, name: &str, address: SocketAddr) -> Option<Rc<Way>> {
        let uri = LinkTls::uri(self.tls.as_ref(), &address.to_string());
        let mut endpoint = Endpoint::from_shared(uri)
            .ok()?
            .connect_timeout(CONNECT_PATIENCE)
            .http2_keep_alive_interval(SILENCE)
            .keep_alive_timeout(SILENCE)
            .tcp_nodelay(true);
        if let Some(tls) = &self.tls {
            let (host, _) = name.rsplit_once(':')?;
            let host = host.trim_matches(['[', ']']);
            endpoint = endpoint.tls_config(tls.client().domain_name(host)).ok()?;
        }
        Some(Rc::new(Way {
            name: name.to_owned(),
            address,
            client: FriendsClient::new(endpoint.connect_lazy()),
            avoided: Cell::new(None),
        }))
    }
}

/// Looks names up for as long as somebody may ask.
async fn look_up(ways: Weak<Ways>) {
    while let Some(names) = ways.upgrade().map(|ways| ways.names.clone()) {
        for name in names {
            let found = lookup_host(&name).await;
            let Some(ways) = ways.upgrade() else {
                return;
            };
            match found {
                Ok(addresses) => ways.found(&name, &addresses.collect::<Vec<_>>()),
                // Those of before may still be there.
                Err(error) => warn!(name, %error, "a friend service is not found"),
            }
        }
        sleep(LOOK_UP).await;
    }
}

impl Way {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn client(&self) -> FriendsClient<Channel> {
        self.client.clone()
    }

    pub(super) fn answered(&self) {
        if self.avoided.take().is_some() {
            info!(address = %self.address, "the friend service answers again");
        }
    }

    pub(super) fn failed(&self, error: &str) {
        let [first, longest] = AVOIDED;
        let now = Instant::now();
        let pause = match self.avoided.get() {
            None => {
                warn!(address = %self.address, error, "the friend service does not answer");
                first
            }
            // Others had asked it too.
            Some((until, _)) if until > now => return,
            Some((_, pause)) => longest.min(2 * pause),
        };
        self.avoided.set(Some((now + pause, pause)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, last], 7300))
    }

    fn addresses(ways: &Ways) -> Vec<SocketAddr> {
        ways.ways.borrow().iter().map(|way| way.address).collect()
    }

    /// What connections are made on.
    fn run(scene: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(tokio::runtime::LocalOptions::default());
        runtime.unwrap().block_on(scene);
    }

    #[test]
    fn those_that_answer_are_asked_by_turns_and_others_when_there_is_nobody_else() {
        run(async {
            let ways = Ways::new("127.0.0.1:7300, 127.0.0.2:7300,127.0.0.3:7300", None).unwrap();
            let chosen = |tried: &[SocketAddr]| ways.choose(tried).map(|way| way.address);
            let mut three: Vec<_> = (0..3).map(|_| chosen(&[]).unwrap()).collect();
            three.sort();
            assert_eq!(three, [address(1), address(2), address(3)]);
            ways.choose(&[address(1), address(3)]).unwrap().failed("no");
            for _ in 0..6 {
                assert_ne!(chosen(&[]), Some(address(2)));
            }
            assert!(ways.has_more(&[address(1), address(3)]));
            assert_eq!(chosen(&[address(1), address(3)]), Some(address(2)));
            assert_eq!(chosen(&three), None);
            assert!(!ways.has_more(&three));
        });
    }

    #[test]
    fn one_that_was_avoided_long_enough_is_tried_beside_the_others() {
        run(async {
            let now = Instant::now();
            let later = now + AVOIDED[1];
            let ways = Ways::new("127.0.0.1:7300,127.0.0.2:7300", None).unwrap();
            assert!(ways.overdue(later).is_none());
            let way = ways.choose(&[address(1)]).unwrap();
            way.failed("no");
            assert!(ways.overdue(now).is_none(), "too early");
            assert_eq!(ways.overdue(later).unwrap().address, address(2));
            assert!(ways.overdue(later).is_none(), "it is being tried");
            way.answered();
            let chosen: Vec<_> = (0..2).map(|_| ways.choose(&[]).unwrap().address).collect();
            assert!(chosen.contains(&address(2)));
            // Nobody else is there: it is asked anyway.
            ways.choose(&[address(1)]).unwrap().failed("no");
            ways.choose(&[address(2)]).unwrap().failed("no");
            assert!(ways.overdue(later + AVOIDED[1]).is_none());
        });
    }

    #[test]
    fn a_name_leads_to_whoever_it_names_by_now() {
        run(async {
            let ways = Ways::new("127.0.0.9:7300,friends.invalid:7300", None).unwrap();
            assert_eq!(addresses(&ways), [address(9)]);
            ways.found("friends.invalid:7300", &[address(1), address(2)]);
            let kept = ways.choose(&[address(9), address(1)]).unwrap();
            ways.found("friends.invalid:7300", &[address(3), address(2)]);
            assert_eq!(addresses(&ways), [address(9), address(2), address(3)]);
            let now = ways.choose(&[address(9), address(3)]).unwrap();
            assert!(Rc::ptr_eq(&kept, &now), "its connection stays");
        });
    }

    #[test]
    fn what_is_no_name_is_told_at_once() {
        run(async {
            for names in ["", "box", "box:none", "box:7300,", ":7300", "a b:7300"] {
                assert!(Ways::new(names, None).is_err(), "{names}");
            }
        });
    }
}
