//! The shard's place on the ring: by a list that stands, or by a lease.
//!
//! Owns what news of the registry mean to the shard. Must not know how they
//! come.

use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use msgd::shard::Shard;
use node::metrics::Metrics;
use node::shards::ring;
use proto::ids::Incarnation;
use proto::ring::Ring;
use registry::metrics::Metrics as RegistryMetrics;
use registry::seat::{News, Seat};
use registry::watch::{Watched, Watching, watch};
use shared::Trust;
use tracing::{error, info};

use crate::settings::Settings;

/// Incarnations are 40 bits, drawn at every start.
const INCARNATION_BITS: u32 = 40;

/// What follows from news.
pub enum Follows {
    /// The shard is to give up what it has and end.
    Stop,
    /// It has dropped everything.
    Lost,
}

/// A place on the ring.
pub enum Placed {
    /// By a list.
    Fixed(Arc<Ring>, Incarnation),
    /// By a lease, with the ring at the beginning.
    Leased(Arc<Ring>, Box<Seat>),
}

impl Placed {
    /// Takes the place; with a registry it waits until there is one.
    ///
    /// # Errors
    /// The list is no ring.
    pub async fn take(
        settings: &Settings,
        trust: &Trust,
        metrics: &Metrics,
    ) -> anyhow::Result<Self> {
        let Some((place, candidate)) = settings.registry(trust) else {
            let ring = Arc::new(ring(&settings.shards)?);
            let incarnation = Incarnation(fastrand::u64(..1 << INCARNATION_BITS));
            return Ok(Self::Fixed(ring, incarnation));
        };
        let shown = RegistryMetrics::default();
        metrics.register(|registry| shown.register(registry));
        let (tell, watched) = tokio::sync::watch::channel(Watched::default());
        let watching = Watching::new(&place);
        let watch = watch(place.clone(), watching.clone(), shown.clone(), tell);
        tokio::spawn(watch);
        let seat = Seat::take(place, candidate, (watching, shown), watched).await;
        let view = seat.view().context("no ring")?;
        Ok(Self::Leased(view.ring().clone(), Box::new(seat)))
    }

    /// This life of the shard.
    pub fn incarnation(&self) -> Incarnation {
        match self {
            Self::Fixed(_, incarnation) => *incarnation,
            Self::Leased(_, seat) => seat.incarnation(),
        }
    }

    /// The ring to begin with.
    pub fn ring(&self) -> Arc<Ring> {
        match self {
            Self::Fixed(ring, _) | Self::Leased(ring, _) => ring.clone(),
        }
    }

    /// Until when the lease may be counted on, if it hangs on one.
    pub fn lease(&self) -> Option<Instant> {
        match self {
            Self::Fixed(..) => None,
            Self::Leased(_, seat) => Some(seat.lease()),
        }
    }

    /// Tells the shard what the registry says, until it is to end.
    pub async fn follow(&mut self, shard: &Rc<Shard>) -> Follows {
        let Self::Leased(_, seat) = self else {
            return pending().await;
        };
        let holder = seat.holder();
        loop {
            let news = tokio::select! {
                () = shard.fenced() => return Follows::Lost,
                news = seat.news() => news,
                (gateway, pledge) = shard.pledges().next() => {
                    match seat.pledged(&pledge) {
                        Some(promise) => shard.answer(gateway, promise),
                        None => shard.lease(seat.lease()),
                    }
                    continue;
                }
                questions = holder.questions() => {
                    shard.ask(seat.asks(questions));
                    continue;
                }
            };
            match news {
                News::Ring(view) => {
                    // Who has come has promised nothing yet.
                    shard.lease(seat.lease());
                    shard.ring_changed(view.ring().clone());
                }
                News::Lease(until) => shard.lease(until),
                News::Over => {
                    shard.lease_over();
                    return Follows::Lost;
                }
                News::Removed => {
                    info!("the shard was taken off the ring");
                    return Follows::Stop;
                }
                News::Replaced => {
                    error!("another process has the shard's name, and its place");
                    return Follows::Stop;
                }
            }
        }
    }

    /// Others may have the slots once the shard has given them up.
    pub async fn leave(&self, shard: &Rc<Shard>) {
        if let Self::Leased(_, seat) = self {
            seat.leave().await;
            shard.lease(seat.lease());
        }
    }

    /// The shard holds nothing any more.
    pub async fn end(self) {
        if let Self::Leased(_, seat) = self {
            seat.end().await;
        }
    }
}
