//! The friend graph's core, beside the model that its own tests hold it to.
//!
//! Owns which steps a script makes of bytes. What must hold is the model's to
//! say.

#[path = "../../../friendd/core/tests/model/world.rs"]
#[allow(missing_docs)]
mod world;

use friendd_core::rules::Blocks;

use crate::cast;
use crate::script::Script;
use world::{Fault, Known, NAMES, Step, World};

/// An input has at most so many steps.
const STEPS_MAX: usize = 500;

/// Runs one script against a graph.
pub fn graph(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let blocks = if script.once_in(2) {
        Blocks::Hidden
    } else {
        Blocks::Told
    };
    let mut world = World::new(blocks, script.pick(4));
    for _ in 0..STEPS_MAX {
        if script.is_over() {
            break;
        }
        world.take(step(&mut script));
    }
    world.settle();
}

fn step(script: &mut Script<'_>) -> Step {
    match script.pick(8) {
        0 => Step::Read(who(script), known(script)),
        1..=3 => {
            let action = cast::action(script);
            Step::Change(who(script), who(script), action, known(script))
        }
        4 => Step::Rival(who(script)),
        _ => {
            let fault = match script.pick(8) {
                6 => Fault::Failed,
                7 => Fault::Unknown,
                _ => Fault::None,
            };
            Step::Store(script.byte().into(), fault)
        }
    }
}

fn who(script: &mut Script<'_>) -> usize {
    script.pick(NAMES.len())
}

fn known(script: &mut Script<'_>) -> Known {
    if script.once_in(4) {
        return Known::Older;
    }
    Known::Newest
}
