//! The graph against a naive model, under random questions, a store that
//! answers in any order and fails, and a rival that writes to it.

mod world;

use friendd_core::rules::Blocks;
use proptest::prelude::*;
use proto::friends::FriendAction;

use world::{Fault, Known, NAMES, Step, World};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_the_model_s(
        hidden in any::<bool>(),
        cached_users in 0..4_usize,
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(if hidden { Blocks::Hidden } else { Blocks::Told }, cached_users);
        for step in steps {
            world.take(step);
        }
        world.settle();
    }
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..NAMES.len();
    let known = || prop_oneof![4 => Just(Known::Newest), 1 => Just(Known::Older)];
    let fault =
        prop_oneof![8 => Just(Fault::None), 1 => Just(Fault::Failed), 1 => Just(Fault::Unknown)];
    let action = prop_oneof![
        3 => Just(FriendAction::Request),
        2 => Just(FriendAction::Accept),
        1 => Just(FriendAction::Decline),
        1 => Just(FriendAction::Remove),
        1 => Just(FriendAction::Block),
        1 => Just(FriendAction::Unblock),
    ];
    prop_oneof![
        2 => (who(), known()).prop_map(|(user, known)| Step::Read(user, known)),
        4 => (who(), who(), action, known()).prop_map(|(a, b, action, k)| Step::Change(a, b, action, k)),
        8 => (0..16_usize, fault).prop_map(|(at, fault)| Step::Store(at, fault)),
        1 => who().prop_map(Step::Rival),
    ]
}
