//! One checker per promise.
//!
//! Owns the list of them. Each file beside this one is one promise; a run that
//! breaks it says which.

mod agrees;
mod block;
mod devices;
mod entries;
mod friends;
mod goes_on;
mod logged;
mod members;
mod moves;
mod once;
mod one_answer;
mod one_holder;
mod order;
mod presence;
mod replaced;
mod roll;
mod safe;
mod waits;

use crate::agenda::Time;
use crate::model::Model;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::store::Store;
use crate::world::World;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which promise, by the name of its checker.
    pub promise: &'static str,
    /// How.
    pub what: String,
}

impl Broken {
    /// Says that a promise was broken.
    pub fn new(promise: &'static str, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { promise, what }
    }
}

/// All checkers that look at every step.
#[derive(Debug)]
pub struct Checks {
    once: once::Once,
    order: order::Order,
    block: block::Block,
    one_answer: one_answer::OneAnswer,
    one_holder: one_holder::OneHolder,
    goes_on: goes_on::GoesOn,
    replaced: replaced::Replaced,
    moves: moves::Moves,
    devices: devices::Devices,
    in_log: logged::InLog,
    entries: entries::Entries,
    members: members::Members,
}

impl Checks {
    /// Checkers for a world.
    pub fn new(plan: &Plan) -> Self {
        Self {
            once: once::Once::new(plan),
            order: order::Order::default(),
            block: block::Block::default(),
            one_answer: one_answer::OneAnswer::default(),
            one_holder: one_holder::OneHolder::default(),
            goes_on: goes_on::GoesOn::new(plan),
            replaced: replaced::Replaced::default(),
            moves: moves::Moves::default(),
            devices: devices::Devices::default(),
            in_log: logged::InLog::default(),
            entries: entries::Entries::default(),
            members: members::Members::default(),
        }
    }

    /// Lets every checker see what happened.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub fn observe(
        &mut self,
        now: Time,
        observed: &Observed<'_>,
        model: &Model,
        store: &Store,
    ) -> Result<(), Broken> {
        agrees::observe(observed, model)?;
        safe::observe(observed, model, store)?;
        self.once.observe(now, observed)?;
        self.order.observe(now, observed, model)?;
        self.block.observe(now, observed, model)?;
        self.one_answer.observe(observed)?;
        self.one_holder.observe(observed)?;
        self.goes_on.observe(observed)?;
        self.replaced.observe(observed)?;
        self.moves.observe(now, observed)?;
        self.devices.observe(observed, model, store)?;
        roll::observe(observed, model)?;
        self.in_log.observe(now, observed, model)?;
        self.entries.observe(observed, model, store)?;
        self.members.observe(observed, model)
    }
}

/// What must be so when the world has settled.
///
/// # Errors
/// The first promise that is broken.
pub fn at_the_end(world: &World) -> Result<(), Broken> {
    waits::at_the_end(world)?;
    safe::at_the_end(world)?;
    friends::at_the_end(world)?;
    devices::at_the_end(world)?;
    presence::at_the_end(world)?;
    logged::at_the_end(world)?;
    members::at_the_end(world)?;
    entries::at_the_end(world)
}
