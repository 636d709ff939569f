//! What an operator asks of a gateway.
//!
//! Owns how it is told. Must not know who asks.

use std::rc::Rc;

use connd_core::operator::{Connected, Stand};
use proto::ids::MessageId;
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
                Question::Trace(id) => self.traced(*id),
                Question::Kick(..)
                | Question::Mailbox(_)
                | Question::Friends(_)
                | Question::ChangeFriend(_)
                | Question::Leave(_)
                | Question::Backup(_) => Vec::new(),
            };
            asked.answer(answers);
        }
    }

    fn traced(&self, id: MessageId) -> Vec<Answer> {
        let stands = self.core.borrow().stands(id);
        let stands: Vec<_> = stands.into_iter().map(stand).collect();
        let steps = self.trail.borrow().of(id);
        if stands.is_empty() && steps.is_empty() {
            return Vec::new();
        }
        vec![Answer::Traced(wire::Traced {
            part: self.id.to_string(),
            steps,
            stands,
        })]
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

fn stand(stand: Stand) -> wire::Stand {
    let what = match stand.written {
        true => "written to a device, not acknowledged",
        false => "in its sender's window, not answered",
    };
    wire::Stand {
        what: what.to_owned(),
        from: stand.from.to_string(),
        to: stand.to.to_string(),
        device: stand.device.to_string(),
        stamp_us: 0,
    }
}
