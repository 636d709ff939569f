//! Slots to links.
//!
//! Owns the ring, and which shards have a link. Must not know sessions or what
//! an envelope says.

use std::sync::Arc;

use proto::ids::{Epoch, ShardId};
use proto::ring::Ring;
use proto::slot::Slot;

/// A link of this gateway, for its whole life: one per shard name ever seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u32);

#[derive(Debug)]
struct Link {
    shard: ShardId,
    up: bool,
}

/// Where a slot's envelopes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By this link.
    Link(LinkId),
    /// Nowhere until this link is up again.
    Down(LinkId),
}

/// The routes of one gateway.
#[derive(Debug)]
pub struct Router {
    ring: Arc<Ring>,
    links: Vec<Link>,
    /// The ring's members as links.
    members: Vec<LinkId>,
}

impl Router {
    /// Routes by this ring; every link is down.
    pub fn new(ring: Arc<Ring>) -> Self {
        let mut router = Self {
            ring: ring.clone(),
            links: Vec::new(),
            members: Vec::new(),
        };
        router.set_ring(ring);
        router
    }

    /// The ring's epoch.
    pub fn epoch(&self) -> Epoch {
        self.ring.epoch()
    }

    /// Routes by this ring from now on.
    pub fn set_ring(&mut self, ring: Arc<Ring>) {
        self.members = ring
            .members()
            .iter()
            .map(|member| self.link(&member.shard))
            .collect();
        self.ring = ring;
    }

    /// The link of a shard, known by its name.
    pub fn link(&mut self, shard: &ShardId) -> LinkId {
        // Links are few, and this runs on changes only.
        if let Some(at) = self.links.iter().position(|link| link.shard == *shard) {
            return LinkId(at as u32);
        }
        self.links.push(Link {
            shard: shard.clone(),
            up: false,
        });
        LinkId((self.links.len() - 1) as u32)
    }

    /// Notes that a shard's link is up or down.
    pub fn set_up(&mut self, link: LinkId, up: bool) {
        self.links[link.0 as usize].up = up;
    }

    /// Whether a link is up.
    pub fn is_up(&self, link: LinkId) -> bool {
        self.links[link.0 as usize].up
    }

    /// The ring's shards, and whether the link of each is up.
    pub fn members(&self) -> impl Iterator<Item = (&ShardId, bool)> {
        let links = self.members.iter().map(|link| &self.links[link.0 as usize]);
        links.map(|link| (&link.shard, link.up))
    }

    /// The link of a slot's owner, up or down.
    pub fn owner(&self, slot: Slot) -> LinkId {
        self.members[self.ring.owner_index(slot)]
    }

    /// Where a slot's envelopes go.
    pub fn route(&self, slot: Slot) -> Route {
        let link = self.owner(slot);
        if self.is_up(link) {
            Route::Link(link)
        } else {
            Route::Down(link)
        }
    }
}
