//! Who may do what in a group, and what it does.
//!
//! Owns the rules. Must not know the log, nor gateways.

use proto::codes::Code;
use proto::group::{Action, Entrance, FOR_EVER, Role};
use proto::ids::{Stamp, UserId};

use super::roll::{Done, PutOut, Roll, RollBounds, known_as};
use crate::store::Known;

impl Roll {
    /// Does what a user wants, or says why not.
    pub fn act(
        &mut self,
        now: Stamp,
        bounds: &RollBounds,
        actor: &UserId,
        action: &Action,
    ) -> Result<Done, Code> {
        match action {
            // It is there.
            Action::Create { .. } => match self.role(actor) {
                Some(Role::Owner) => Ok(Done::default()),
                _ => Err(Code::GroupExists),
            },
            Action::Join => self.join(bounds, actor),
            Action::Leave => self.leave(actor),
            Action::SetRole { .. } | Action::Transfer(_) | Action::Dissolve => {
                self.needs(actor, Role::Owner)?;
                self.act_as_owner(actor, action)
            }
            _ => {
                self.needs(actor, Role::Admin)?;
                self.act_as_admin(now, bounds, actor, action)
            }
        }
    }

    fn act_as_owner(&mut self, actor: &UserId, action: &Action) -> Result<Done, Code> {
        match action {
            Action::SetRole { user, role } => self.set_role(user, *role),
            Action::Transfer(user) => self.transfer(actor, user),
            _ => Ok(self.dissolve()),
        }
    }

    fn act_as_admin(
        &mut self,
        now: Stamp,
        bounds: &RollBounds,
        actor: &UserId,
        action: &Action,
    ) -> Result<Done, Code> {
        match action {
            Action::Rename { title } => {
                let is_new = self.record.title != *title;
                self.record.title = title.clone();
                Ok(changed_record(is_new))
            }
            Action::SetEntrance(entrance) => {
                let is_new = self.record.entrance != *entrance;
                self.record.entrance = *entrance;
                Ok(changed_record(is_new))
            }
            Action::Invite(user) => self.invite(bounds, actor, user),
            Action::Admit(user) => match self.known(user) {
                Some(Known::Applied) => self.let_in(bounds, user),
                _ => Err(Code::NoSuchMember),
            },
            Action::Deny(user) => match self.known(user) {
                Some(Known::Applied | Known::Invited { .. }) => Ok(self.change(user, None)),
                _ => Err(Code::NoSuchMember),
            },
            Action::Kick(user) => {
                self.above(actor, user)?;
                let done = self.change(user, None);
                Ok(put_out(done, user))
            }
            Action::Ban(user) => self.ban(bounds, actor, user),
            Action::Unban(user) => match self.known(user) {
                Some(Known::Banned) => Ok(logged(self.change(user, None))),
                _ => Err(Code::NoSuchMember),
            },
            Action::Mute { user, seconds } => {
                let until = match seconds {
                    0 => FOR_EVER,
                    _ => Stamp(now.0.saturating_add(u64::from(*seconds) * 1_000_000)),
                };
                self.above(actor, user)?;
                Ok(self.mute(user, Some(until)))
            }
            // Who may do more than an admin has done so before.
            Action::Create { .. }
            | Action::Join
            | Action::Leave
            | Action::SetRole { .. }
            | Action::Transfer(_)
            | Action::Dissolve => Err(Code::NotAllowed),
            Action::Unmute(user) => {
                self.above(actor, user)?;
                Ok(self.mute(user, None))
            }
        }
    }

    fn join(&mut self, bounds: &RollBounds, actor: &UserId) -> Result<Done, Code> {
        match (self.known(actor), self.record.entrance) {
            (Some(Known::In { .. }), _) => Ok(Done::default()),
            (Some(Known::Banned), _) => Err(Code::Banned),
            (Some(Known::Invited { .. }), _) | (_, Entrance::Open) => self.let_in(bounds, actor),
            (Some(Known::Applied), _) => Err(Code::Applied),
            (None, Entrance::Invitation) => Err(Code::NotInvited),
            (None, Entrance::Approval) => {
                self.has_room_for_other(bounds)?;
                let mut done = self.change(actor, Some(Known::Applied));
                done.code = Some(Code::Applied);
                Ok(done)
            }
        }
    }

    fn leave(&mut self, actor: &UserId) -> Result<Done, Code> {
        match self.known(actor) {
            Some(Known::In { role, .. }) if *role == Role::Owner => Err(Code::OwnerStays),
            Some(Known::In { .. }) => {
                let done = self.change(actor, None);
                Ok(put_out(done, actor))
            }
            Some(Known::Invited { .. } | Known::Applied) => Ok(self.change(actor, None)),
            Some(Known::Banned) | None => Ok(Done::default()),
        }
    }

    fn invite(&mut self, bounds: &RollBounds, actor: &UserId, user: &UserId) -> Result<Done, Code> {
        match self.known(user) {
            Some(Known::In { .. } | Known::Invited { .. }) => Ok(Done::default()),
            Some(Known::Banned) => Err(Code::NoSuchMember),
            // Both want it.
            Some(Known::Applied) => self.let_in(bounds, user),
            None => {
                self.has_room_for_other(bounds)?;
                let by = actor.clone();
                Ok(self.change(user, Some(Known::Invited { by })))
            }
        }
    }

    fn let_in(&mut self, bounds: &RollBounds, user: &UserId) -> Result<Done, Code> {
        if self.members() >= bounds.members_max {
            return Err(Code::GroupFull);
        }
        Ok(logged(self.change(user, Some(known_as(Role::Member)))))
    }

    fn ban(&mut self, bounds: &RollBounds, actor: &UserId, user: &UserId) -> Result<Done, Code> {
        match self.known(user) {
            Some(Known::Banned) => {
                self.needs(actor, Role::Admin)?;
                Ok(Done::default())
            }
            Some(Known::In { .. }) => {
                self.above(actor, user)?;
                self.has_room_for_other(bounds)?;
                let done = self.change(user, Some(Known::Banned));
                Ok(put_out(done, user))
            }
            known => {
                let is_other = known.is_some();
                self.needs(actor, Role::Admin)?;
                if !is_other {
                    self.has_room_for_other(bounds)?;
                }
                Ok(logged(self.change(user, Some(Known::Banned))))
            }
        }
    }

    fn set_role(&mut self, user: &UserId, new: Role) -> Result<Done, Code> {
        match self.known_mut(user) {
            Some(Known::In { role, .. }) if *role != Role::Owner => {
                let is_new = *role != new;
                *role = new;
                Ok(changed_row(is_new, user))
            }
            _ => Err(Code::NoSuchMember),
        }
    }

    fn transfer(&mut self, actor: &UserId, user: &UserId) -> Result<Done, Code> {
        if actor == user {
            return Ok(Done::default());
        }
        match self.known_mut(user) {
            Some(Known::In { role, muted, .. }) => {
                *role = Role::Owner;
                // Nobody could undo it.
                *muted = None;
            }
            _ => return Err(Code::NoSuchMember),
        }
        if let Some(Known::In { role, .. }) = self.known_mut(actor) {
            *role = Role::Admin;
        }
        let mut done = changed_row(true, user);
        done.rows.push(actor.clone());
        Ok(done)
    }

    fn mute(&mut self, user: &UserId, until: Option<Stamp>) -> Done {
        let Some(Known::In { muted, .. }) = self.known_mut(user) else {
            return Done::default();
        };
        let is_new = *muted != until;
        *muted = until;
        changed_row(is_new, user)
    }

    fn dissolve(&mut self) -> Done {
        self.record.dissolved = true;
        let users: Vec<UserId> = self.rows().map(|(user, _)| user.clone()).collect();
        let mut done = Done::default();
        for user in users {
            done.rows.extend(self.change(&user, None).rows);
        }
        done.logged = true;
        done.record = true;
        done.put_out = Some(PutOut::All);
        done
    }

    /// The actor's role is this one or above.
    fn needs(&self, actor: &UserId, role: Role) -> Result<(), Code> {
        match self.role(actor) {
            None => Err(Code::NotMember),
            Some(of) if of < role => Err(Code::NotAllowed),
            Some(_) => Ok(()),
        }
    }

    /// The actor decides on this member.
    fn above(&self, actor: &UserId, user: &UserId) -> Result<(), Code> {
        self.needs(actor, Role::Admin)?;
        match (self.role(actor), self.role(user)) {
            (_, None) => Err(Code::NoSuchMember),
            (of_actor, of_user) if of_actor <= of_user => Err(Code::NotAllowed),
            _ => Ok(()),
        }
    }

    fn has_room_for_other(&self, bounds: &RollBounds) -> Result<(), Code> {
        match self.others() >= bounds.others_max {
            true => Err(Code::GroupFull),
            false => Ok(()),
        }
    }
}

fn logged(done: Done) -> Done {
    Done {
        logged: true,
        ..done
    }
}

fn put_out(done: Done, user: &UserId) -> Done {
    Done {
        logged: true,
        put_out: Some(PutOut::User(user.clone())),
        ..done
    }
}

fn changed_record(is_new: bool) -> Done {
    Done {
        logged: is_new,
        record: is_new,
        ..Done::default()
    }
}

fn changed_row(is_new: bool, user: &UserId) -> Done {
    let mut done = Done::default();
    if is_new {
        done.logged = true;
        done.rows.push(user.clone());
    }
    done
}
