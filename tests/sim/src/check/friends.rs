//! Friend lists converge: in the end every client that is there holds the list
//! that is durable, and the two sides of every pair agree.

use proto::friends::Relation;

use super::Broken;
use crate::brief;
use crate::world::World;

const NAME: &str = "friend lists converge";

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    for client in world.clients().iter().filter(|client| client.is_live()) {
        let list = world.graph().list(&client.user);
        let held = client.changes.list();
        if held.is_none_or(|held| held.hash() != list.hash()) {
            let what = format!(
                "{}/{} holds {}, the newest is {}",
                client.user,
                client.device,
                held.map_or_else(String::new, |held| brief::list(held)),
                brief::list(&list)
            );
            return Err(Broken::new(NAME, what));
        }
        for entry in list.entries() {
            if entry.relation != Relation::Friend {
                continue;
            }
            let other = world.graph().list(&entry.user);
            let back = other.find(&client.user);
            if back.is_none_or(|back| back.relation != Relation::Friend) {
                let what = format!("{} and {} disagree", client.user, entry.user);
                return Err(Broken::new(NAME, what));
            }
        }
    }
    Ok(())
}
