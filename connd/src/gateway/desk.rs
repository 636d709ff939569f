//! What an operator asks of a gateway.
//!
//! Owns how it is told. Must not know who asks.

use std::rc::Rc;

use connd_core::operator::Connected;
use service::admin::{Answer, Question, Questions, wire};

use super::Gateway;

impl Gateway {
    /// Answers an operator's questions, until nobody can ask any more.
    pub async fn answer_operator(self: Rc<Self>, mut questions: Questions) {
        while let Some(asked) = questions.recv().await {
            let answers = match &asked.question {
                Question::Status => vec![Answer::Gateway(self.status())],
                Question::Where(user) => {
                    let connected = self.core.borrow().connected(user);
                    let shown = connected.into_iter().map(|one| self.connected(one));
                    shown.map(Answer::Connected).collect()
                }
                Question::Kick(..)
                | Question::Mailbox(_)
                | Question::Friends(_)
                | Question::ChangeFriend(_)
                | Question::Leave(_) => Vec::new(),
            };
            asked.answer(answers);
        }
    }

    fn status(&self) -> wire::GatewayStatus {
        let core = self.core.borrow();
        let counters = core.counters();
        let link = |(shard, up): (&proto::ids::ShardId, bool)| wire::LinkStatus {
            shard: shard.to_string(),
            up,
        };
        wire::GatewayStatus {
            gateway: self.id.0,
            epoch: core.epoch().0,
            sessions: core.sessions() as u64,
            leaving: core.is_leaving(),
            links: core.links().map(link).collect(),
            logins: counters.logins,
            submitted: counters.submitted,
            delivered: counters.delivered,
            fate_unknown: counters.fate_unknown,
        }
    }

    fn connected(&self, connected: Connected) -> wire::Connected {
        wire::Connected {
            gateway: self.id.0,
            session: connected.session.0,
            device: connected.device.to_string(),
            address: connected.address.to_string(),
            unanswered: connected.unanswered as u32,
            unacknowledged: connected.unacknowledged as u32,
        }
    }
}
