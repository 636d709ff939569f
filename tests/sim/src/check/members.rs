//! Who is out of a group gets nothing of what is logged after that; who was never
//! in it gets nothing. In the end all agree on who is in: the group, the members'
//! shards, and the clients.

use std::collections::BTreeSet;

use msgd_core::store::Known;
use proto::group::{Action, Belongs};
use proto::ids::{GroupId, LogEpoch, UserId};

use super::Broken;
use crate::brief;
use crate::model::Model;
use crate::observed::Observed;
use crate::world::World;

const OUT: &str = "who is out gets nothing";
const AGREE: &str = "groups converge";

#[derive(Debug, Default)]
pub(super) struct Members {
    /// Whose end of membership was answered as done: behind which entry.
    out: BTreeSet<(GroupId, LogEpoch, UserId, u64)>,
}

impl Members {
    pub(super) fn observe(&mut self, observed: &Observed<'_>, model: &Model) -> Result<(), Broken> {
        match observed {
            Observed::GroupDone { client, request } => {
                self.done(*client, *request, model);
                Ok(())
            }
            Observed::Given {
                client,
                group,
                epoch,
                entry,
            } => {
                let (user, _) = &model.devices[*client];
                let log = model.groups.logs.get(&((*group).clone(), *epoch));
                let stays = log.and_then(|log| log.stays.get(user));
                let Some((_, until)) = stays.and_then(|stays| stays.last()) else {
                    let entry = brief::entry(entry);
                    let what = format!("c{client} is given {group} {entry} and was never in it");
                    return Err(Broken::new(OUT, what));
                };
                let Some(until) = until.filter(|until| *until < entry.seq) else {
                    return Ok(());
                };
                let key = ((*group).clone(), *epoch, user.clone(), until);
                if !self.out.contains(&key) {
                    return Ok(());
                }
                let entry = brief::entry(entry);
                let what = format!("c{client} is given {group} {entry}, and is out since {until}");
                Err(Broken::new(OUT, what))
            }
            _ => Ok(()),
        }
    }

    fn done(&mut self, client: usize, request: u32, model: &Model) {
        let Some(change) = model.groups.asked(client, request) else {
            return;
        };
        let Some((epoch, log)) = model.groups.newest(&change.group) else {
            return;
        };
        let (actor, _) = &model.devices[client];
        let whom = match &change.action {
            Action::Kick(user) | Action::Ban(user) => Some(user),
            Action::Leave => Some(actor),
            Action::Dissolve => None,
            _ => return,
        };
        let is_meant = |user: &UserId| whom.is_none_or(|whom| whom == user);
        for (user, stays) in log.stays.iter().filter(|(user, _)| is_meant(user)) {
            if let Some((_, Some(until))) = stays.last() {
                let key = (change.group.clone(), epoch, user.clone(), *until);
                self.out.insert(key);
            }
        }
    }
}

pub(super) fn at_the_end(world: &World) -> Result<(), Broken> {
    for (group, held) in world.store().groups() {
        if held.record.dissolved {
            return Err(Broken::new(
                AGREE,
                format!("{group} has ended and is there"),
            ));
        }
        if let Some((user, _)) = held.members.iter().find(|(_, row)| row.untold) {
            let what = format!("the shard of {user} was not told of {group}");
            return Err(Broken::new(AGREE, what));
        }
    }
    for user in world.users() {
        agree(world, user)?;
    }
    for (number, client) in world.clients().iter().enumerate() {
        let within: BTreeSet<_> = client.groups.within().collect();
        let wanted: BTreeSet<_> = { world.store().groups() }
            .filter(|(_, held)| matches!(held.known(&client.user), Some(Known::In { .. })))
            .map(|(group, _)| group)
            .collect();
        if client.is_live() && within != wanted {
            let user = &client.user;
            let what = format!("c{number} takes {user} to be in {within:?}, not {wanted:?}");
            return Err(Broken::new(AGREE, what));
        }
    }
    Ok(())
}

/// What a user's shard keeps is what the groups say, but for invitations that
/// are not shown.
fn agree(world: &World, user: &UserId) -> Result<(), Broken> {
    let kept = world.store().groups_of(user);
    for of in kept {
        let held = world.store().group(&of.of.group);
        let known = held.and_then(|held| held.known(user));
        let is_so = match (&of.of.belongs, known) {
            (Belongs::Member, Some(Known::In { .. })) => true,
            (Belongs::Invited { by }, Some(Known::Invited { by: inviter })) => by == inviter,
            _ => false,
        };
        if !is_so {
            let what = format!("{user} is kept as {of:?}, the group knows {known:?}");
            return Err(Broken::new(AGREE, what));
        }
    }
    for (group, held) in world.store().groups() {
        let is_in = matches!(held.known(user), Some(Known::In { .. }));
        if is_in && !kept.iter().any(|of| of.of.group == *group) {
            let what = format!("{user} is in {group}, and their shard does not keep that");
            return Err(Broken::new(AGREE, what));
        }
    }
    Ok(())
}
