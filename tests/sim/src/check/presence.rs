//! Presence converges: in the end friends see each other as they are. Nobody
//! who vanished stays shown, and nobody who is there is missing.

use proto::friends::{FriendList, Relation};
use proto::ids::UserId;
use proto::status::Availability;

use super::Broken;
use crate::world::World;

const NAME: &str = "presence converges";

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    let clients = world.clients();
    for viewer in clients.iter().filter(|client| client.is_live()) {
        let list = world.graph().list(&viewer.user);
        for entry in list.entries() {
            let other = &entry.user;
            let back = world.graph().list(other);
            if !sees(&list, other) || !sees(&back, &viewer.user) {
                continue;
            }
            let seen = viewer.presence.of(other).availability;
            // A status is the user's: it stays when the device that set it goes.
            let devices = clients.iter().filter(|c| c.user == *other);
            let mut shows: Vec<_> = devices.map(|c| shown(c.status().availability)).collect();
            if !clients.iter().any(|c| c.user == *other && c.is_live()) {
                shows = vec![Availability::Offline];
            }
            if !shows.contains(&seen) {
                let what = format!(
                    "{}/{} sees {other} {seen:?}, whose devices show {shows:?}",
                    viewer.user, viewer.device
                );
                return Err(Broken::new(NAME, what));
            }
        }
    }
    Ok(())
}

fn sees(list: &FriendList, other: &UserId) -> bool {
    list.find(other)
        .is_some_and(|entry| entry.relation == Relation::Friend && !entry.blocked)
}

fn shown(availability: Availability) -> Availability {
    match availability {
        Availability::Invisible => Availability::Offline,
        other => other,
    }
}
