//! How long a test waits for what must come.
//!
//! Owns the deadline and the pause between two looks. Must not know what is
//! waited for.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Far above what any step of a test takes, and above the time after which a
/// gateway says that a fate is unknown: who waits this long waits for ever.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// The pause between two looks at what nobody announces.
const LOOK: Duration = Duration::from_millis(5);

/// Waits for a future.
///
/// # Panics
/// It is not there in time; the text says what was waited for.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

/// Looks again and again until there is something.
///
/// # Panics
/// There is nothing in time; the text says what was waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(LOOK).await;
    }
}
