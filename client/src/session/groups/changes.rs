//! What a change in a group's log makes of its state.

use proto::group::{Action, FOR_EVER, LogEntry, Logged, ReadTo, Role};
use proto::ids::{Stamp, UserId};

use super::Member;

impl Member {
    /// Nothing of the former log holds.
    pub(super) fn begins_anew(&mut self) {
        self.changed_to = 0;
        self.state.read = ReadTo::default();
        self.state.members = 0;
    }

    /// Takes over an entry that the state does not have.
    pub(super) fn changed_by(&mut self, entry: &LogEntry, me: Option<&UserId>) {
        if entry.seq <= self.changed_to {
            return;
        }
        self.changed_to = entry.seq;
        if let Logged::Change(action) = &entry.what {
            self.change(action, entry, me);
        }
    }

    fn change(&mut self, action: &Action, entry: &LogEntry, me: Option<&UserId>) {
        let state = &mut self.state;
        let by_me = me == Some(&entry.from);
        let of_me = action.user().is_some() && action.user() == me;
        match action {
            Action::Create { title, entrance } => {
                state.title = title.clone();
                state.entrance = *entrance;
                state.members = 1;
            }
            Action::Rename { title } => state.title = title.clone(),
            Action::SetEntrance(entrance) => state.entrance = *entrance,
            // In a log an invitation is of somebody who had asked.
            Action::Join | Action::Admit(_) | Action::Invite(_) => state.members += 1,
            Action::Leave | Action::Kick(_) | Action::Ban(_) => {
                state.members = state.members.saturating_sub(1);
            }
            Action::SetRole { role, .. } if of_me => state.role = *role,
            Action::Transfer(_) if of_me => state.role = Role::Owner,
            Action::Transfer(_) if by_me => state.role = Role::Admin,
            Action::Mute { seconds, .. } if of_me => {
                let micros = u64::from(*seconds) * 1_000_000;
                let until = Stamp(entry.stamp.0.saturating_add(micros));
                state.muted = Some(if *seconds == 0 { FOR_EVER } else { until });
            }
            Action::Unmute(_) if of_me => state.muted = None,
            Action::SetRole { .. }
            | Action::Transfer(_)
            | Action::Mute { .. }
            | Action::Unmute(_)
            | Action::Deny(_)
            | Action::Unban(_)
            | Action::Dissolve => {}
        }
    }
}
