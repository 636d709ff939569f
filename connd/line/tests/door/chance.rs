//! Whatever comes, from either side, a door answers or ends, and holds little.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proto::codes::Code;
use proto::group::Action;
use proto::server::{Closing, ServerPacket};

use crate::desk::Desk;
use crate::samples::{
    change, deliver, group, head, logged, login_ok, message, page, result, state,
};

#[derive(Debug, Clone)]
enum Step {
    Sends(Vec<u8>),
    Gets(ServerPacket),
    Passes(u64),
}

fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("LOGIN "),
        Just("JOIN "),
        Just("CREATE "),
        Just("LEAVE "),
        Just("SAY "),
        Just("MSG "),
        Just("GET "),
        Just("WHO "),
        Just("MEMBERS "),
        Just("SUB"),
        Just("PING"),
        Just("HELP"),
        Just("QUIT"),
        Just("STATUS "),
        Just("GROUPS"),
        Just("FRIENDS"),
        Just("tea"),
        Just("golf"),
        Just("ann"),
        Just(" -"),
        Just(" "),
        Just("away"),
        Just(" 2014-08-11 12:12:12"),
        Just("\r\n"),
        Just("\n"),
        Just("\r\n"),
        Just("\n"),
        Just("\r"),
        Just("\0"),
        Just("\u{e9}"),
    ];
    vec(word, 1..12).prop_map(|words| words.concat().into_bytes())
}

fn packet() -> impl Strategy<Value = ServerPacket> {
    let names = prop_oneof![Just("tea"), Just("golf")];
    (0..12_u32, names, 0..4_u64, 0..700_u64, any::<bool>()).prop_map(
        |(kind, name, epoch, seq, flag)| {
            let entry = match flag {
                true => message(seq, "hi"),
                false => change(seq, Action::Join),
            };
            let entries = |count| (seq..seq + count).map(|seq| message(seq, "hi")).collect();
            match kind {
                0 => login_ok("ann"),
                1 => deliver(seq, "hi"),
                2 => state(name, head(epoch, seq)),
                3 | 4 => logged(name, epoch, entry),
                5 => ServerPacket::Pong,
                6 => result(seq as u32 % 8, flag.then_some(Code::NoGroup)),
                7 => page(seq as u32 % 8, name, epoch, (1, seq + 3), entries(epoch)),
                8 => ServerPacket::GroupHead {
                    group: group(name),
                    head: head(epoch, seq),
                },
                9 => ServerPacket::GroupLeft {
                    group: group(name),
                    change: None,
                },
                10 => ServerPacket::Groups(Vec::new()),
                _ if seq == 0 => ServerPacket::Closing(Closing::of(Code::Stopping)),
                _ => page(seq as u32 % 8, name, epoch, (seq, seq), Vec::new()),
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => words().prop_map(Step::Sends),
        1 => vec(any::<u8>(), 0..200).prop_map(Step::Sends),
        5 => packet().prop_map(Step::Gets),
        1 => (0..12_000_u64).prop_map(Step::Passes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_course_is_told_in_whole_replies_and_ends_once(steps in vec(step(), 1..60)) {
        let mut desk = Desk::new();
        if steps.len() % 4 != 0 {
            desk = Desk::logged_in();
        }
        let mut ended = false;
        for step in steps {
            match step {
                Step::Sends(bytes) if desk.door.wants_bytes() => desk.sends(&bytes),
                Step::Sends(_) => {}
                Step::Gets(packet) => desk.gets(&packet),
                Step::Passes(ms) => desk.pass(Duration::from_millis(ms)),
            }
            let replies = desk.replies();
            let outcome = desk.outcome();
            prop_assert!(!ended || replies.is_empty() && outcome.is_empty());
            let errors = outcome.iter().filter(|packet| packet.is_err()).count();
            prop_assert!(errors <= 1);
            if errors == 1 {
                prop_assert!(outcome.last().is_some_and(Result::is_err));
                prop_assert!(!desk.door.wants_bytes());
                ended = true;
            }
            let states = ["ok", "error", "push"];
            prop_assert!(replies.iter().all(|(state, _)| states.contains(&state.as_str())));
        }
    }
}
