//! What the friend service counts.

use friendd_core::graph::Graph;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use proto::friends::FriendAction;
use proto::graph::{GraphAnswer, GraphRequest};
use service::admin::wire::GraphStatus;

/// One label with one of a few values.
type Kind = [(&'static str, &'static str); 1];

/// Counters of one friend service. Clones count into the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    requests: Family<Kind, Counter>,
    answers: Family<Kind, Counter>,
    pub(crate) list_requests: Counter,
    pub(crate) loads: Counter,
    users: Gauge,
    cache_bytes: Gauge,
    waiting: Gauge,
}

impl Metrics {
    /// Names the counters in `registry`, with the prefix `friendd_`.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let friendd = registry.sub_registry_with_prefix("friendd");
        friendd.register(
            "requests",
            "Questions asked, by kind",
            self.requests.clone(),
        );
        friendd.register(
            "list_requests",
            "Requests of other processes for lists, each with one or more",
            self.list_requests.clone(),
        );
        friendd.register("answers", "Answers given, by kind", self.answers.clone());
        friendd.register(
            "loads",
            "Friend lists read from the store",
            self.loads.clone(),
        );
        friendd.register(
            "users",
            "Users whose list is in memory or under way",
            self.users.clone(),
        );
        friendd.register(
            "cache_bytes",
            "Bytes of lists kept in memory that nobody uses at the moment",
            self.cache_bytes.clone(),
        );
        friendd.register(
            "waiting",
            "Questions that wait for the store or for their turn",
            self.waiting.clone(),
        );
    }

    /// What an operator is shown.
    pub(crate) fn status(&self) -> GraphStatus {
        let count = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or_default();
        GraphStatus {
            users: count(&self.users),
            waiting: count(&self.waiting),
            loads: self.loads.get(),
        }
    }

    pub(crate) fn asked(&self, request: &GraphRequest) {
        self.requests
            .get_or_create(&[("kind", request_kind(request))])
            .inc();
    }

    pub(crate) fn answered(&self, answer: &GraphAnswer) {
        self.answers
            .get_or_create(&[("kind", answer_kind(answer))])
            .inc();
    }

    pub(crate) fn show(&self, graph: &Graph) {
        self.users.set(gauge(graph.users()));
        self.cache_bytes.set(gauge(graph.cache_bytes()));
        self.waiting(graph.waiting());
    }

    pub(crate) fn waiting(&self, questions: usize) {
        self.waiting.set(gauge(questions));
    }
}

fn gauge(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn request_kind(request: &GraphRequest) -> &'static str {
    match request {
        GraphRequest::Get { .. } => "get",
        GraphRequest::Change(change) => match change.action {
            FriendAction::Request => "request",
            FriendAction::Accept => "accept",
            FriendAction::Decline => "decline",
            FriendAction::Remove => "remove",
            FriendAction::Block => "block",
            FriendAction::Unblock => "unblock",
        },
    }
}

fn answer_kind(answer: &GraphAnswer) -> &'static str {
    match answer {
        GraphAnswer::List(_) => "list",
        GraphAnswer::NotModified { .. } => "not_modified",
        GraphAnswer::Changed { .. } => "changed",
        GraphAnswer::Conflict { .. } => "conflict",
        GraphAnswer::Refused { .. } => "refused",
        GraphAnswer::Unavailable => "unavailable",
    }
}
