//! A daemon's addresses in the registry: where clients and operators may go.
//!
//! Owns how often that is said. Must not know what the daemon does.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::admin::AdminAt;
use crate::client::{By, Place, Registry};
use crate::lease::every;

/// How long a daemon that stops tries to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// An address that the registry is told of, again and again.
#[derive(Debug)]
pub struct Announced {
    place: Place,
    by: By,
    address: String,
    telling: JoinHandle<()>,
}

impl Announced {
    /// Operators reach the daemon at this address from now on; those of this
    /// machine, if it is a loopback address.
    pub fn operators(place: Place, address: String) -> Self {
        let address = AdminAt::here(address).to_string();
        Self::begin(place, By::Operators, address)
    }

    /// The daemon can be reached at this address from now on.
    pub fn begin(place: Place, by: By, address: String) -> Self {
        let telling = tokio::spawn(tell(place.clone(), by, address.clone()));
        Self {
            place,
            by,
            address,
            telling,
        }
    }

    /// Likewise [`end`](Self::end) of those that were told of.
    pub async fn end_all(told: impl IntoIterator<Item = Self>) {
        for announced in told {
            announced.end().await;
        }
    }

    /// Nobody is to come any more; if that does not get through, it is known
    /// after a lease.
    pub async fn end(self) {
        self.telling.abort();
        let mut registry = Registry::new(&self.place, FAREWELL);
        let said = timeout(FAREWELL, registry.withdraw(self.by, &self.address)).await;
        if !matches!(said, Ok(Ok(()))) {
            warn!(address = %self.address, "the registry is not told that nobody is to come there");
        }
    }
}

async fn tell(place: Place, by: By, address: String) {
    let pause = every(place.lease);
    let mut registry = Registry::new(&place, pause);
    let mut is_told = true;
    loop {
        let said = registry.announce(by, &address).await;
        if let Err(error) = &said
            && is_told
        {
            warn!(address, %error, "the registry does not know that one may come there");
        }
        is_told = said.is_ok();
        sleep(pause).await;
    }
}
