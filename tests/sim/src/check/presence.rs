//! Presence converges: in the end friends see each other as they are. Nobody
//! who vanished stays shown, and nobody who is there is missing.

use proto::friends::{FriendList, Relation};
use proto::ids::UserId;
use proto::status::{Availability, Status};

use super::Broken;
use crate::client::Client;
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
            let seen = viewer.presence.of(other);
            // A status is the user's: it stays when the device that set it goes.
            let devices = || clients.iter().filter(|c| c.user == *other);
            let mut shows: Vec<_> = devices().flat_map(Client::words).map(shown).collect();
            if !devices().any(Client::is_live) {
                shows = vec![Status::offline()];
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

fn shown(status: &Status) -> Status {
    match status.availability {
        Availability::Invisible => Status::offline(),
        _ => status.clone(),
    }
}
