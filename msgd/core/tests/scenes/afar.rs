//! Users whose shard is another one: what it is told of the group, and what comes
//! from there.

use proto::client::ChangeGroup;
use proto::group::Action;
use proto::ids::GatewayId;
use proto::link::{Down, GroupAsk, GroupRequest, Membership, Relay, Relayed, Up};
use proto::slot::Slot;

use crate::hall::{Hall, room};
use crate::stage::{GATEWAY, user};

impl Hall {
    /// Someone whose shard is this one, or another.
    pub fn someone(&self, number: usize, is_near: bool) -> String {
        let named = (0..).map(|n| format!("u{n}"));
        let mut fitting = named.filter(|name| self.stage.owns(Slot::of(&user(name))) == is_near);
        fitting.nth(number).unwrap()
    }

    /// The words for shards of users that went out; forgets them.
    pub fn words(&mut self) -> Vec<Membership> {
        let mut words = Vec::new();
        self.said.retain(|(_, down)| match down {
            Down::Relay(Relay {
                relayed: Relayed::Membership(word),
                ..
            }) => {
                words.push((**word).clone());
                false
            }
            _ => true,
        });
        words
    }

    /// A user's shard keeps a word.
    pub fn keeps(&mut self, word: &Membership) {
        let relayed = Relayed::MembershipKept {
            group: word.group.clone(),
            user: word.user.clone(),
            version: word.version,
        };
        self.relayed(GATEWAY, relayed);
    }

    /// Something for the room comes from another shard.
    pub fn relayed(&mut self, gateway: GatewayId, relayed: Relayed) {
        let slot = Slot::of_group(&room());
        self.comes(gateway, Up::Relay(Relay { slot, relayed }));
    }

    /// Something for a user comes from another shard.
    pub fn relayed_to_user(&mut self, gateway: GatewayId, relayed: Relayed, name: &str) {
        let slot = Slot::of(&user(name));
        self.comes(gateway, Up::Relay(Relay { slot, relayed }));
    }

    /// A user of another shard does something to the room.
    pub fn acts_from_afar(&mut self, name: &str, action: Action) {
        let change = ChangeGroup {
            request: 7,
            group: room(),
            action,
        };
        let ask = GroupAsk {
            request: 4_000_000,
            actor: user(name),
            what: GroupRequest::Change(change),
        };
        self.relayed(GATEWAY, Relayed::GroupAsk(Box::new(ask)));
    }
}
