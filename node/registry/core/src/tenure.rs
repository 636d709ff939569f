//! How long a shard may serve: its lease, as the registry renews it, and what
//! the other members promise while it is away.
//!
//! Owns until when the lease may be counted on, and when others are asked. Must
//! not know how anything is asked, nor what the shard does.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation, ShardId};

use crate::lease::{counted, outage};
use crate::view::View;

type Others = BTreeMap<Incarnation, (ShardId, Option<Moment>)>;

/// Which shard is to be asked, by name and life, and the number of the question.
pub type Question = (ShardId, Incarnation, u64);

/// A shard's hold on its place.
#[derive(Debug)]
pub struct Tenure {
    lease: Duration,
    own: Incarnation,
    /// The ring with which the shard came. Until it has heard of it, it does not
    /// know whom to ask.
    joined: Epoch,
    /// When the renewal was asked for that was answered last.
    renewed: Moment,
    /// How many renewals were asked for.
    number: u64,
    /// The newest ring of which the shard has heard.
    known: Epoch,
    /// The others on it, and when that was asked which each has promised last;
    /// none before the ring is known.
    others: Option<Others>,
    /// When the others were asked last.
    asked: Option<Moment>,
}

impl Tenure {
    /// A shard came with this ring, as it asked at this moment.
    pub fn new(lease: Duration, own: Incarnation, joined: Epoch, asked: Moment) -> Self {
        Self {
            lease,
            own,
            joined,
            renewed: asked,
            number: 0,
            known: joined,
            others: None,
            asked: None,
        }
    }

    /// Whose it is.
    pub fn own(&self) -> Incarnation {
        self.own
    }

    /// There is a ring, of which the next renewal tells.
    pub fn knows(&mut self, view: &View) {
        if view.ring().epoch() < self.joined {
            return;
        }
        let mut former = self.others.take().unwrap_or_default();
        let mut others = Others::new();
        for (name, record) in view.shards() {
            let incarnation = record.incarnation;
            // Who has no slots calls nobody dead, and cannot be asked.
            if incarnation != self.own && record.weight > 0 {
                let promised = former.remove(&incarnation).and_then(|(_, at)| at);
                others.insert(incarnation, (name.clone(), promised));
            }
        }
        self.others = Some(others);
        self.known = view.ring().epoch();
    }

    /// What a renewal says that is asked for now: its number, and the ring.
    pub fn asks(&mut self) -> (u64, Epoch) {
        self.number += 1;
        (self.number, self.known)
    }

    /// The registry has renewed, as it was asked to at this moment.
    pub fn renewed(&mut self, asked: Moment) {
        self.renewed = self.renewed.max(asked);
    }

    /// Until when the lease may be counted on.
    pub fn until(&self) -> Moment {
        let by_registry = self.renewed + counted(self.lease);
        let Some(others) = &self.others else {
            return by_registry;
        };
        let end = self.renewed + outage(self.lease);
        let each = others.values().map(|(_, asked)| match asked {
            Some(asked) => *asked + counted(self.lease),
            None => Moment::default(),
        });
        by_registry.max(each.min().unwrap_or(end).min(end))
    }

    /// Whether the shard goes on without the registry.
    pub fn is_degraded(&self, now: Moment) -> bool {
        now.since(self.renewed) >= counted(self.lease)
    }

    /// Whom to ask now, if it is time, and the number of the question.
    pub fn questions(&mut self, now: Moment) -> Vec<Question> {
        if now < self.next_questions() {
            return Vec::new();
        }
        self.asked = Some(now);
        let others = self.others.iter().flatten();
        others
            .map(|(incarnation, (name, _))| (name.clone(), *incarnation, now.0))
            .collect()
    }

    /// When the others are to be asked: if the registry is silent, and then
    /// several times in a lease, since questions may be lost.
    pub fn next_questions(&self) -> Moment {
        let silent = self.renewed + self.lease * 2 / 5;
        match self.asked {
            Some(asked) => silent.max(asked + self.lease / 6),
            None => silent,
        }
    }

    /// Another member has promised what the question of this number asked for.
    /// That counts from when it was asked.
    pub fn promised(&mut self, by: Incarnation, number: u64) {
        let asked = Moment(number);
        if self.asked.is_none_or(|last| asked > last) {
            // Nobody asked that.
            return;
        }
        if let Some((_, promised)) = self.others.as_mut().and_then(|others| others.get_mut(&by)) {
            *promised = (*promised).max(Some(asked));
        }
    }
}
