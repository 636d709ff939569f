//! The simulation's store keeps the contract.

use msgd_core::store::{Outcome, Request};
use proto::ids::Incarnation;
use sim::store::Store;
use store_suite::{Carries, conforms};

struct Simulated(Store);

impl Carries for Simulated {
    fn carry_out(&mut self, request: Request) -> Vec<Outcome> {
        self.0.execute(request)
    }

    fn incarnation_died(&mut self, shard: Incarnation) {
        self.0.incarnation_died(shard);
    }
}

#[test]
fn the_simulated_store_conforms() {
    conforms(|settings| Simulated(Store::new(settings)));
}
