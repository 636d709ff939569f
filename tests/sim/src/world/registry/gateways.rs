//! A gateway watches the registry: for the ring.

use std::sync::Arc;
use std::time::Duration;

use connd_core::Event;
use proto::ids::{Epoch, GatewayId};
use registry_core::view::View;
use registry_core::watcher::Watcher;

use super::{Turn, Who, Wish, Word};
use crate::agenda::{MS, Time};
use crate::plan::LEASE;
use crate::world::{Step, World};

/// What a gateway's process knows of the registry.
#[derive(Debug)]
pub struct Watching {
    watcher: Watcher,
    pub(super) next_look: u64,
    term: u64,
    /// The newest ring that it has heard of.
    pub view: Option<Arc<View>>,
}

impl Watching {
    pub(super) fn new() -> Self {
        Self {
            watcher: Watcher::new(Duration::from_micros(LEASE)),
            next_look: 0,
            term: 0,
            view: None,
        }
    }
}

impl World {
    /// A gateway's process starts, and begins when it knows a ring.
    pub(in crate::world) fn watching_begins(&mut self, gateway: usize, boot: GatewayId) {
        self.gateways[gateway].watching = Some(Watching::new());
        let who = Who::Gateway(gateway, boot);
        match self.registry.fixed.clone() {
            Some(view) => self.watching_placed(gateway, view),
            None => self.look_in(who, 0),
        }
    }

    pub(super) fn watching_turn(&mut self, gateway: usize, boot: GatewayId, turn: Turn) {
        let node = &mut self.gateways[gateway];
        if node.boot != boot {
            return;
        }
        if node.is_paused() {
            if let Turn::Told(_, ticket, ..) = &turn {
                self.registry.open.insert(*ticket);
            }
            return self.plan_in(50 * MS..51 * MS, Step::Registry(turn));
        }
        let who = Who::Gateway(gateway, boot);
        let Some(watching) = &mut node.watching else {
            return;
        };
        match turn {
            Turn::Look(_, number) if number == watching.next_look => {
                self.registry_ask(who, Epoch(0), Wish::Look);
            }
            Turn::Told(_, _, _, Word::Look(look)) => {
                if std::mem::replace(&mut watching.term, self.registry.term) != self.registry.term {
                    watching.watcher.silent();
                }
                let seen = watching.watcher.epoch();
                let answered = node.clock.now(self.now).moment;
                let concluded = watching.watcher.looked(answered, &look);
                let seen = seen.max(watching.watcher.epoch());
                if concluded.is_newer {
                    self.place(who, &look);
                }
                if let Some(errand) = concluded.errand {
                    self.registry_ask(who, seen, Wish::Tell(errand));
                }
                self.look_in(who, concluded.next.as_micros() as Time);
            }
            Turn::Told(_, _, _, Word::Silent(wish)) => {
                watching.watcher.silent();
                if matches!(wish, Wish::Look) {
                    self.look_in(who, 100 * MS);
                }
            }
            Turn::Placed(_, view) => self.watching_placed(gateway, view),
            _ => {}
        }
    }

    fn watching_placed(&mut self, gateway: usize, view: Arc<View>) {
        let Some(watching) = &mut self.gateways[gateway].watching else {
            return;
        };
        let newer = |known: &Arc<View>| known.ring().epoch() < view.ring().epoch();
        if !watching.view.as_ref().is_none_or(newer) {
            return;
        }
        let is_first = watching.view.replace(Arc::clone(&view)).is_none();
        if is_first {
            self.gateway_begins(gateway, view.ring());
        } else {
            let ring = Arc::clone(view.ring());
            self.gateway_event(gateway, Event::RingChanged(ring));
            self.dial_members(gateway);
        }
    }
}
