//! Other devices of the same user.

use super::*;
use proto::server::{Carbon, DeviceEntry, Did, SentElsewhere};

fn carbon(did: Did) -> Carbon {
    let device = DeviceId::new("tablet").unwrap();
    Carbon { device, did }
}

fn sent(n: u64) -> Carbon {
    carbon(Did::Sent(SentElsewhere {
        id: MessageId::mint(n, [0; 10]),
        sent: Sent {
            stamp: Stamp(n),
            outcome: Outcome::Stored,
        },
        to: user("ben"),
        body: Bytes::from_static(b"on my way"),
    }))
}

#[test]
fn what_another_device_sent_is_told_once_over_reconnects() {
    let mut stage = Stage::live();
    let hears = |stage: &mut Stage, n| {
        stage.hears(ServerPacket::Carbon(Box::new(sent(n))));
    };
    hears(&mut stage, 1);
    hears(&mut stage, 1);
    hears(&mut stage, 2);
    assert_eq!(stage.told(), Some(Event::Carbon(sent(1))));
    assert_eq!(stage.told(), Some(Event::Carbon(sent(2))));
    assert_eq!(stage.told(), None);
    stage.breaks();
    stage.rests();
    stage.logs_in();
    stage.told_state();
    hears(&mut stage, 2);
    assert_eq!(stage.told(), None);
}

#[test]
fn the_devices_are_asked_for_again_after_a_reconnect_and_given_up_in_the_end() {
    let mut stage = Stage::live();
    let now = stage.now;
    stage.session.ask_devices(now).unwrap();
    assert_eq!(stage.says(), [ClientPacket::GetDevices]);
    stage.breaks();
    stage.rests();
    stage.logs_in();
    assert_eq!(stage.says(), [ClientPacket::GetDevices]);
    let devices = vec![DeviceEntry {
        device: DeviceId::new("tablet").unwrap(),
        since: Stamp(7),
        own: true,
    }];
    stage.hears(ServerPacket::Devices(devices.clone()));
    assert_eq!(stage.effects(), [Effect::Devices(Ok(devices))]);
    let now = stage.now;
    stage.session.ask_devices(now).unwrap();
    stage.is_closed_with(Code::Ended);
    let unanswered = Err(ChangeError::Unanswered);
    assert_eq!(stage.effects(), [Effect::Devices(unanswered)]);
    let now = stage.now;
    assert_eq!(stage.session.ask_devices(now), Err(RequestError::Closed));
}

#[test]
fn the_end_of_a_device_is_answered() {
    let mut stage = Stage::live();
    let (now, device) = (stage.now, DeviceId::new("tablet").unwrap());
    let request = stage.session.end_device(now, device.clone()).unwrap();
    let end = proto::client::EndDevice { request, device };
    assert_eq!(stage.says(), [ClientPacket::EndDevice(end)]);
    let code = Some(Code::NoDevice);
    stage.hears(ServerPacket::DeviceResult { request, code });
    let result = Err(ChangeError::Refused(Code::NoDevice));
    assert_eq!(stage.effects(), [Effect::Changed { request, result }]);
}
