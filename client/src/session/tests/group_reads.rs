//! Groups: how far they are read, here and on other devices.

use super::groups::{choir, entry, state, up_to};
use super::*;
use proto::client::GroupRead;
use proto::ids::{GroupId, LogEpoch};
use proto::server::{Carbon, Did};

impl Stage {
    /// The read mark that it says now.
    fn says_read(&mut self) -> Option<u64> {
        match &self.says()[..] {
            [] => None,
            [ClientPacket::GroupRead(GroupRead { read, .. })] => Some(read.seq),
            other => panic!("a read mark, not {other:?}"),
        }
    }

    fn reads(&mut self, seq: u64) {
        let (now, group) = (self.now, choir());
        let read = self.session.mark_group_read(now, &group, up_to(seq));
        read.unwrap();
    }
}

#[test]
fn read_marks_are_told_once_a_second_and_only_the_newest() {
    let mut stage = Stage::in_choir(0);
    for seq in 1..=20 {
        stage.hears_entry(1, entry(seq));
    }
    stage.reads(3);
    stage.reads(2);
    assert_eq!((stage.says_read(), stage.unread()), (Some(3), 17));
    stage.reads(4);
    stage.reads(9);
    assert_eq!(stage.says_read(), None);
    let before = stage.now;
    stage.jumps();
    assert_eq!(stage.now.since(before), Duration::from_secs(1));
    assert_eq!(stage.says_read(), Some(9));
    stage.reads(99);
    stage.jumps();
    assert_eq!(stage.says_read(), Some(20), "nobody reads beyond the end");
    let (now, band) = (stage.now, GroupId::new("band").unwrap());
    let read = stage.session.mark_group_read(now, &band, up_to(1));
    assert_eq!(read, Err(RequestError::NotMember));
}

#[test]
fn a_read_mark_that_was_lost_is_told_again_and_one_that_waits_is_told_before_the_end() {
    let mut stage = Stage::in_choir(0);
    for seq in 1..=5 {
        stage.hears_entry(1, entry(seq));
    }
    stage.reads(3);
    assert_eq!(stage.says_read(), Some(3));
    stage.told_log();
    stage.reconnects();
    stage.hears(state(1, 5, 0));
    assert_eq!((stage.says_read(), stage.unread()), (Some(3), 2));
    stage.reads(5);
    let until = stage.now + Duration::from_secs(5);
    stage.session.close(until, &mut stage.effects);
    assert_eq!(stage.says(), []);
    stage.jumps();
    let said = stage.says();
    assert!(
        matches!(said[..], [ClientPacket::GroupRead(_), ClientPacket::Logout]),
        "{said:?}"
    );
}

#[test]
fn what_another_device_has_read_is_read() {
    let mut stage = Stage::in_choir(0);
    for seq in 1..=5 {
        stage.hears_entry(1, entry(seq));
    }
    stage.told_log();
    stage.reads(1);
    stage.says();
    stage.reads(2);
    let read = |epoch, seq| {
        ServerPacket::Carbon(Box::new(Carbon {
            device: DeviceId::new("tablet").unwrap(),
            did: Did::GroupRead(GroupRead {
                group: choir(),
                epoch: LogEpoch(epoch),
                read: up_to(seq),
            }),
        }))
    };
    stage.hears(read(2, 5));
    stage.hears(read(1, 1));
    assert_eq!((stage.unread(), stage.told()), (3, None));
    stage.hears(read(1, 4));
    assert_eq!(stage.unread(), 1);
    assert!(matches!(stage.told(), Some(Event::Group(_))));
    assert!(matches!(stage.told(), Some(Event::Carbon(_))));
    stage.waits(Duration::from_secs(2));
    assert_eq!(stage.says_read(), None, "the other device has told it");
}
