//! Streams of empty mailboxes go.
//!
//! Owns what becomes of a mailbox whose time in the queue is over. Must not
//! know for how long that is.

use shared::{Failure, Value};

use super::keeper::Keeper;

impl Keeper {
    /// Removes the streams of mailboxes that were empty for a while.
    pub(super) async fn close_empties(&mut self) {
        let mut closed = Vec::new();
        let mut commands = Vec::new();
        for empty in self.empties.due() {
            if !self.claims.is_held(empty.claim) {
                continue;
            }
            if let Some(mailbox) = self.mailboxes.known(empty.claim, &empty.user) {
                mailbox.queued = false;
                if !mailbox.is_empty() {
                    continue;
                }
                // It was filled and emptied again meanwhile.
                if std::mem::take(&mut mailbox.used) {
                    mailbox.queued = true;
                    self.empties.push(empty.claim, empty.user);
                    continue;
                }
            }
            let scripts = &self.mailboxes.scripts;
            let close = scripts.close(empty.claim, &empty.user);
            commands.push(close.only_in(self.claims.life(empty.claim)));
            closed.push(empty);
        }
        let replies = self.redis.carry_out(commands).await;
        for (empty, reply) in closed.into_iter().zip(replies) {
            let known = self.mailboxes.known(empty.claim, &empty.user);
            match (reply, known) {
                (Ok(Value::Int(1)), Some(mailbox)) => mailbox.stream = false,
                (Ok(Value::Int(1)), None) => {}
                (Ok(Value::Int(0)), _) => self.claims.lost(empty.claim),
                // What is known of it may be wrong; who asks for it is told.
                (Ok(_) | Err(Failure::Another), _) => self.mailboxes.forget(&empty.user),
                (Err(failure), _) => {
                    self.mailboxes.forget(&empty.user);
                    self.tell(&failure.into());
                }
            }
        }
    }
}
