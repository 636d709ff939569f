//! What people do in groups.

use bytes::Bytes;
use proto::client::{ClientPacket, GroupTransient, TRANSIENT_TYPING};
use proto::group::{Action, Entrance, Role, Which};
use proto::ids::{GroupId, UserId};
use smol_str::SmolStr;

use super::World;
use crate::agenda::MS;
use crate::brief;
use crate::client::Does;
use crate::model::To;

/// Their slots belong to different shards, mostly; one is that of a user.
const GROUPS: [&str; 4] = ["garden", "ann", "board-7", "tuesday@example.org"];

/// Nobody creates these.
const NONE: [&str; 3] = ["nowhere", "kim@example.org", "void"];

impl World {
    /// The groups, and who is to be in them from the start.
    pub(super) fn begin_groups(&mut self) {
        let groups = &GROUPS[..self.plan.groups];
        let named = groups.iter().filter_map(|name| GroupId::new(name).ok());
        self.groups = named.collect();
        for client in &mut self.clients {
            client.groups.whole = self.dice.percent(60);
        }
        let most = if self.dice.percent(80) { 75 } else { 20 };
        for (number, group) in self.groups.clone().into_iter().enumerate() {
            let founder = self.dice.index(self.clients.len());
            let entrance = match self.dice.within(0..100) {
                0..80 => Entrance::Open,
                80..90 => Entrance::Invitation,
                _ => Entrance::Approval,
            };
            for client in 0..self.clients.len() {
                let title = SmolStr::new(format!("group {number}"));
                let action = match client == founder {
                    true => Action::Create { title, entrance },
                    false if self.dice.percent(most) => Action::Join,
                    false => continue,
                };
                let groups = &mut self.clients[client].groups;
                groups.wishes.push((group.clone(), action));
            }
        }
    }

    /// What a person does in a group of their own accord.
    pub(super) fn act_in_group(&mut self, client: usize) {
        let Some(group) = self.group_of(client) else {
            return;
        };
        // Who decides does so often.
        let role = self.clients[client].groups.role(&group);
        if role >= Some(Role::Admin) && self.dice.percent(30) {
            let action = self.action_of(role);
            return self.change_group(client, group, action);
        }
        match self.dice.within(0..100) {
            0..62 => {
                let burst = if self.dice.percent(12) { 10 } else { 3 };
                for _ in 0..self.dice.within(1..burst) {
                    self.write_message(client, To::Group(group.clone()));
                }
            }
            62..70 => {
                let mut does = Vec::new();
                let groups = &mut self.clients[client].groups;
                groups.read(self.now, &group, &mut does);
                self.client_does(client, does);
            }
            70..74 => {
                let packet = ClientPacket::GroupTransient(GroupTransient {
                    group,
                    kind: TRANSIENT_TYPING,
                    body: Bytes::new(),
                });
                if self.clients[client].is_live() {
                    self.client_does(client, vec![Does::Write(packet)]);
                }
            }
            74..80 => self.ask_members(client, group),
            _ => {
                let action = self.action_of(role);
                self.change_group(client, group, action);
            }
        }
    }

    /// Mostly one that the person is in.
    fn group_of(&mut self, client: usize) -> Option<GroupId> {
        if self.groups.is_empty() {
            return None;
        }
        if self.dice.percent(5) {
            return GroupId::new(*self.dice.pick(&NONE)).ok();
        }
        let within: Vec<GroupId> = self.clients[client].groups.within().cloned().collect();
        let anywhere = within.is_empty() || self.dice.percent(15);
        let from = if anywhere { &self.groups } else { &within };
        Some(self.dice.pick(from).clone())
    }

    fn ask_members(&mut self, client: usize, group: GroupId) {
        let all = [Which::Members, Which::Online, Which::Waiting, Which::Banned];
        let which = *self.dice.pick(&all);
        let who = &mut self.clients[client];
        if who.is_live() {
            let mut does = Vec::new();
            who.groups.look(self.now, group, which, &mut does);
            self.client_does(client, does);
        }
    }

    fn change_group(&mut self, client: usize, group: GroupId, action: Action) {
        let who = &mut self.clients[client];
        if !who.is_live() || who.groups.asking() > 3 {
            return;
        }
        self.trace.say(self.now, || {
            let change = brief::change(&action);
            format!("c{client} {}: {change} in {group}", who.user)
        });
        let mut does = Vec::new();
        who.groups.begin(self.now, group, action, &mut does);
        self.client_does(client, does);
    }

    /// What somebody of a role may want, and now and then what they may not.
    fn action_of(&mut self, role: Option<Role>) -> Action {
        let role = if self.dice.percent(10) {
            *self
                .dice
                .pick(&[None, Some(Role::Member), Some(Role::Owner)])
        } else {
            role
        };
        let roll = self.dice.within(0..100);
        let entrance = *self.dice.pick(&[
            Entrance::Open,
            Entrance::Open,
            Entrance::Invitation,
            Entrance::Approval,
        ]);
        let title = SmolStr::new(format!("since {}", self.now / MS));
        let user: UserId = self.dice.pick(&self.users).clone();
        let seconds = if self.dice.percent(50) { 0 } else { 2 };
        match (role, roll) {
            (None, 0..70) => Action::Join,
            (None, 70..85) => Action::Create { title, entrance },
            (None, _) => Action::Leave,
            (Some(Role::Member), 0..50) => Action::Leave,
            (Some(Role::Member), _) => Action::Join,
            (Some(Role::Admin), 0..8) => Action::Leave,
            (Some(Role::Owner), 0..4) => Action::Dissolve,
            (Some(Role::Owner), 4..12) => Action::Transfer(user),
            (Some(Role::Owner), 12..30) => {
                let role = *self.dice.pick(&[Role::Admin, Role::Admin, Role::Member]);
                Action::SetRole { user, role }
            }
            (_, 0..38) => Action::Invite(user),
            (_, 38..48) => Action::Kick(user),
            (_, 48..54) => Action::Ban(user),
            (_, 54..62) => Action::Unban(user),
            (_, 62..70) => Action::Mute { user, seconds },
            (_, 70..80) => Action::Unmute(user),
            (_, 80..86) => Action::Admit(user),
            (_, 86..90) => Action::Deny(user),
            (_, 90..94) => Action::Rename { title },
            _ => Action::SetEntrance(entrance),
        }
    }

    /// A client hears that its user is invited.
    pub(super) fn invited(&mut self, client: usize, group: GroupId) {
        let action = match self.dice.within(0..10) {
            0..6 => Action::Join,
            6..8 => Action::Leave,
            _ => return,
        };
        self.change_group(client, group, action);
    }

    /// A client hears that somebody asks to be admitted.
    pub(super) fn applied(&mut self, client: usize, group: GroupId, user: UserId) {
        let action = match self.dice.within(0..10) {
            0..7 => Action::Admit(user),
            7..9 => Action::Deny(user),
            _ => return,
        };
        self.change_group(client, group, action);
    }

    /// In peace every group is looked at, and mostly written to by who is in it.
    pub(super) fn probe_groups(&mut self, client: usize) {
        for group in self.groups.clone() {
            self.ask_members(client, group.clone());
            let is_in = self.clients[client].groups.role(&group).is_some();
            if is_in && !self.plan.groups_rest {
                self.write_message(client, To::Group(group));
            }
        }
    }
}
