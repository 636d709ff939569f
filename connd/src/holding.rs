//! Clients that are not read from for a while.
//!
//! What they write meanwhile waits in their socket, and then on their own side:
//! who writes far beyond a rate gets answers no faster than that. Must not know
//! what a rate is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proto::ids::SessionId;
use tokio::task::spawn_local;

/// How long a client is held: so short that what its rate allows in that time
/// is still there afterwards (four seconds of it are).
const HOLD: Duration = Duration::from_millis(100);

/// Who is held, with who waits to read from it. Empty as a rule.
#[derive(Debug, Default)]
pub struct Holding(RefCell<HashMap<SessionId, Option<Waker>, ahash::RandomState>>);

impl Holding {
    /// Holds a client, unless it is held already.
    pub fn hold(self: &Rc<Self>, session: SessionId) {
        let mut held = self.0.borrow_mut();
        if held.contains_key(&session) {
            return;
        }
        held.insert(session, None);
        let holding = self.clone();
        spawn_local(async move {
            tokio::time::sleep(HOLD).await;
            let reader = holding.0.borrow_mut().remove(&session);
            reader.flatten().into_iter().for_each(Waker::wake);
        });
    }

    /// Ready when a client is not held.
    pub fn poll_free(&self, session: SessionId, context: &mut Context<'_>) -> Poll<()> {
        match self.0.borrow_mut().get_mut(&session) {
            Some(reader) => {
                *reader = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Instant;

    #[tokio::test]
    async fn who_is_held_is_free_again_after_a_while_and_others_are_all_along() {
        let local = tokio::task::LocalSet::new();
        let test = async {
            let holding = Rc::new(Holding::default());
            let start = Instant::now();
            holding.hold(SessionId(1));
            holding.hold(SessionId(1));
            let mut context = Context::from_waker(Waker::noop());
            assert!(holding.poll_free(SessionId(2), &mut context).is_ready());
            assert!(holding.poll_free(SessionId(1), &mut context).is_pending());
            let free = poll_fn(|context| holding.poll_free(SessionId(1), context));
            tokio::time::timeout(100 * HOLD, free).await.unwrap();
            assert!(start.elapsed() >= HOLD);
            assert!(holding.0.borrow().is_empty());
        };
        local.run_until(test).await;
    }
}
