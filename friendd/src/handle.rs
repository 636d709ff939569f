//! The way into the friend service, for those in the same process.
//!
//! Owns the bounded queue of questions. Must not know the graph.

use std::pin::Pin;
use std::task::{Context, Poll};

use proto::graph::{GraphAnswer, GraphRequest};
use tokio::sync::{mpsc, oneshot};

use crate::metrics::Metrics;

/// Asks the friend service. Clones share its queue; they may be used from any
/// thread and any runtime, also a current-thread one.
#[derive(Debug, Clone)]
pub struct FriendHandle {
    questions: mpsc::Sender<Question>,
    metrics: Metrics,
}

/// A request, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) request: GraphRequest,
    pub(crate) answer: oneshot::Sender<GraphAnswer>,
}

impl FriendHandle {
    pub(crate) fn new(queue_max: usize, metrics: Metrics) -> (Self, mpsc::Receiver<Question>) {
        let (questions, queue) = mpsc::channel(queue_max);
        (Self { questions, metrics }, queue)
    }

    /// Asks at once, in the order of the calls; the future waits for the
    /// answer. Dropping the future does not take the question back.
    ///
    /// The answer is [`GraphAnswer::Unavailable`] if the queue is full or the
    /// service has stopped. There is no deadline: a stalled store stalls the
    /// answer, and who asks has a patience of their own.
    pub fn request(
        &self,
        request: GraphRequest,
    ) -> impl Future<Output = GraphAnswer> + Send + Unpin + 'static {
        self.metrics.asked(&request);
        let (answer, answered) = oneshot::channel();
        let sent = self.questions.try_send(Question { request, answer });
        if sent.is_err() {
            self.metrics.answered(&GraphAnswer::Unavailable);
        }
        // A question that was not sent is dropped, and so is one that the
        // service held when it stopped: either ends the wait.
        Answered(answered)
    }

    /// Asks all of another process's request for lists, once there is room;
    /// the waits for the answers, in the order of the questions.
    pub(crate) async fn request_lists(
        &self,
        requests: Vec<GraphRequest>,
    ) -> Vec<impl Future<Output = GraphAnswer> + Send + Unpin + 'static> {
        self.metrics.list_requests.inc();
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            self.metrics.asked(&request);
            let (answer, answered) = oneshot::channel();
            let sent = self.questions.send(Question { request, answer }).await;
            if sent.is_err() {
                self.metrics.answered(&GraphAnswer::Unavailable);
            }
            answers.push(Answered(answered));
        }
        answers
    }
}

/// The wait for an answer.
struct Answered(oneshot::Receiver<GraphAnswer>);

impl Future for Answered {
    type Output = GraphAnswer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<GraphAnswer> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|answer| answer.unwrap_or(GraphAnswer::Unavailable))
    }
}
