//! The application's end of what happens: one stream of events.

use std::sync::Arc;

use proto::ids::Identity;

use crate::lease::Lease;
use crate::session::Event;

/// What happens, in order. There is one per session.
///
/// Whoever takes no events is delivered no more messages than the server's
/// window, and misses nothing of them; of everything else several become one,
/// and typing is shed.
#[derive(Debug)]
pub struct Events {
    pub(crate) lease: Arc<Lease>,
}

impl Events {
    /// The next event; `None` after [`Event::Closed`].
    ///
    /// In automatic mode asking counts the message given before as taken: it
    /// is acknowledged. The future may be dropped at any time and loses
    /// nothing.
    pub async fn next(&mut self) -> Option<Event> {
        let shared = self.lease.shared();
        loop {
            let (event, more) = shared.take();
            if event.is_some() || !more {
                return event;
            }
            shared.news.notified().await;
        }
    }

    /// In manual mode: the application has taken this message. It is
    /// acknowledged as soon as all that were delivered before it are taken too.
    /// Messages that do not wait for a confirmation are left alone.
    pub fn confirm(&self, identity: &Identity) {
        self.lease.shared().confirm(identity);
    }
}
