//! One service with its queue and its sink, of whatever types they are.

use std::sync::Arc;

use crate::queue::Queue;
use crate::{Completion, Completions, Failure, Service, Transaction, Unreadable};

/// What the committer does with a service without knowing its types.
pub(crate) trait Lane: Send {
    /// No request waits.
    fn is_empty(&self) -> bool;

    /// Executes the next request and keeps its outcome. `None`: there is none.
    fn execute_next(&mut self, transaction: &mut Transaction<'_>)
    -> Option<Result<(), Unreadable>>;

    /// Fails the next request unexecuted, if there is one.
    fn refuse_next(&mut self) -> bool;

    /// The group failed: so has every outcome kept, and caches are worthless.
    fn roll_back(&mut self, failure: &Failure);

    /// Hands the outcomes kept to the sink.
    fn deliver(&mut self);
}

pub(crate) struct ServiceLane<S: Service, Sink> {
    service: S,
    queue: Arc<Queue<S>>,
    sink: Sink,
    /// Bounded by the size of a group.
    kept: Vec<Completion<S::Ticket, S::Outcome>>,
}

impl<S: Service, Sink> ServiceLane<S, Sink> {
    pub(crate) fn new(service: S, queue: Arc<Queue<S>>, sink: Sink) -> Self {
        Self {
            service,
            queue,
            sink,
            kept: Vec::new(),
        }
    }
}

impl<S, Sink> Lane for ServiceLane<S, Sink>
where
    S: Service,
    Sink: FnMut(Completions<'_, S>) + Send,
{
    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn execute_next(
        &mut self,
        transaction: &mut Transaction<'_>,
    ) -> Option<Result<(), Unreadable>> {
        let (ticket, request) = self.queue.pop()?;
        let outcome = self.service.execute(request, transaction);
        let executed = outcome.as_ref().map(drop).map_err(Clone::clone);
        let outcome = outcome.map_err(Failure::Unreadable);
        self.kept.push(Completion { ticket, outcome });
        Some(executed)
    }

    fn refuse_next(&mut self) -> bool {
        let Some((ticket, _)) = self.queue.pop() else {
            return false;
        };
        let outcome = Err(Failure::Closed);
        self.kept.push(Completion { ticket, outcome });
        true
    }

    fn roll_back(&mut self, failure: &Failure) {
        self.service.rolled_back();
        for completion in &mut self.kept {
            completion.outcome = Err(failure.clone());
        }
    }

    fn deliver(&mut self) {
        if !self.kept.is_empty() {
            (self.sink)(self.kept.drain(..));
        }
    }
}
