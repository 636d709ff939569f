//! What a service brings: how its requests are executed.

use crate::{Failure, Transaction, Unreadable};

/// A value that lives on the committer thread and executes requests there.
///
/// It may keep caches of what is in its keyspaces: nobody else writes them.
pub trait Service: Send + 'static {
    /// What is asked.
    type Request: Send + 'static;
    /// What the asker knows its request by; handed back with the outcome.
    type Ticket: Send + 'static;
    /// What came of a request, delivered when it is durable. Refusals that
    /// are the service's business ("mailbox full") are outcomes too.
    type Outcome: Send + 'static;

    /// Executes one request. Must not wait for anything but the transaction.
    ///
    /// # Errors
    /// The [`Unreadable`] that the transaction returned: this request fails,
    /// and its group goes on without it. What it has written by then stays in
    /// the group, and what it has cached stays: so read first, then write.
    fn execute(
        &mut self,
        request: Self::Request,
        transaction: &mut Transaction<'_>,
    ) -> Result<Self::Outcome, Unreadable>;

    /// The group failed: whether what was executed since the last delivered
    /// outcome is in the store is unknown. Drop every cache.
    fn rolled_back(&mut self);
}

/// What came of one request.
#[derive(Debug)]
pub struct Completion<Ticket, Outcome> {
    /// As submitted with the request.
    pub ticket: Ticket,
    /// Durable if `Ok`.
    pub outcome: Result<Outcome, Failure>,
}

/// The completions of one group for one service, in the order submitted.
pub type Completions<'a, S> =
    std::vec::Drain<'a, Completion<<S as Service>::Ticket, <S as Service>::Outcome>>;
