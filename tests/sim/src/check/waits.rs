//! Nobody waits for ever: in the end every client that wants to be there is,
//! every message has its answer, and no window, room or queue holds anything.

use super::Broken;
use crate::world::World;

const NAME: &str = "nobody waits for ever";

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    for (number, client) in world.clients().iter().enumerate() {
        let broken = |what: &str| {
            let who = format!("c{number} {}/{}", client.user, client.device);
            Err(Broken::new(NAME, format!("{who}: {what}")))
        };
        if !client.wants {
            continue;
        }
        if !client.is_live() {
            return broken("is not logged in");
        }
        if !client.outbox.is_empty() {
            return broken("waits for answers to its messages");
        }
        if client.inbox.waiting() > 0 || client.inbox.unacknowledged() > 0 {
            return broken("has not acknowledged all");
        }
        if client.changes.is_open() {
            return broken("waits for the answer to a change of its list");
        }
        if client.groups.is_open() {
            return broken("waits for the answer to a request about a group");
        }
        if client.changes.is_wanted() {
            return broken("waits for its list");
        }
    }
    for node in world.shards() {
        let Some(core) = &node.core else { continue };
        if core.waiting() > 0 {
            let what = format!("{}: {} envelopes wait", node.name, core.waiting());
            return Err(Broken::new(NAME, what));
        }
        if core.slots_held() != core.slots_owned() {
            let what = format!(
                "{}: holds {} slots of {}",
                node.name,
                core.slots_held(),
                core.slots_owned()
            );
            return Err(Broken::new(NAME, what));
        }
    }
    if world.graph().waiting() > 0 {
        return Err(Broken::new(NAME, "the friend service has not answered all"));
    }
    Ok(())
}
