//! A gateway in the registry: where clients may go.
//!
//! Owns how often that is said. Must not know what a gateway does.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::client::{Place, Registry};
use crate::keep::every;

/// How long a gateway that stops tries to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// Says for ever that clients may come to this public address.
pub async fn announce(place: Place, address: String) {
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

/// Says that clients may come no more; if it does not get through, that is
/// known after a lease.
pub async fn withdraw(place: &Place, address: &str) {
    let mut registry = Registry::new(place, FAREWELL);
    let said = timeout(FAREWELL, registry.withdraw(address)).await;
    if !matches!(said, Ok(Ok(()))) {
        warn!(
            address,
            "the registry is not told that clients may come no more"
        );
    }
}
