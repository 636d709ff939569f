//! A gateway in the registry: where clients may go.
//!
//! Owns how often that is said. Must not know what a gateway does.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::client::{Place, Registry};
use crate::keep::every;

/// How long a gateway that stops tries to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// A public address that the registry is told of, again and again.
#[derive(Debug)]
pub struct Announced {
    place: Place,
    address: String,
    telling: JoinHandle<()>,
}

impl Announced {
    /// Clients may come to this address from now on.
    pub fn begin(place: Place, address: String) -> Self {
        let telling = tokio::spawn(tell(place.clone(), address.clone()));
        Self {
            place,
            address,
            telling,
        }
    }

    /// Clients may come no more; if that does not get through, it is known
    /// after a lease.
    pub async fn end(self) {
        self.telling.abort();
        let mut registry = Registry::new(&self.place, FAREWELL);
        let said = timeout(FAREWELL, registry.withdraw(&self.address)).await;
        if !matches!(said, Ok(Ok(()))) {
            warn!(address = %self.address, "the registry is not told that clients may not come");
        }
    }
}

async fn tell(place: Place, address: String) {
    let pause = every(place.lease);
    let mut registry = Registry::new(&place, pause);
    let mut is_told = true;
    loop {
        let said = registry.announce(&address).await;
        if let Err(error) = &said
            && is_told
        {
            warn!(address, %error, "the registry does not know that clients may come");
        }
        is_told = said.is_ok();
        sleep(pause).await;
    }
}
