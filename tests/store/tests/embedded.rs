//! The embedded store keeps the contract, on a disk.

mod stage;

use msgd_core::store::{Outcome, Request};
use proto::ids::Incarnation;
use stage::Embedded;
use store_suite::{Carries, conforms};
use tempfile::TempDir;

/// A store, and the directory that goes with it.
struct Fresh {
    store: Embedded,
    _directory: TempDir,
}

impl Carries for Fresh {
    fn carry_out(&mut self, request: Request) -> Vec<Outcome> {
        self.store.carry_out(request)
    }

    fn incarnation_died(&mut self, shard: Incarnation) {
        self.store.incarnation_died(shard);
    }
}

#[test]
fn the_embedded_store_conforms() {
    conforms(|settings| {
        let directory = tempfile::tempdir().unwrap();
        Fresh {
            store: Embedded::open(directory.path(), settings),
            _directory: directory,
        }
    });
}
