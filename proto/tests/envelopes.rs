//! Envelopes travel as they are, whole batches at a time, and nothing wrong
//! gets through.

#[path = "samples/envelopes.rs"]
mod samples;

use bytes::Bytes;
use prost::Message;
use proto::client::PacketError;
use proto::ids::{Epoch, IdError, UserId};
use proto::limits::{BATCH_ENVELOPES_MAX, TARGETS_MAX};
use proto::link::{Batch, Down, Up};
use proto::wire::link::{self as wire, down, relay, up};

#[test]
fn every_envelope_comes_back_as_it_was() {
    let batch = Batch {
        epoch: Epoch(12),
        envelopes: samples::up(),
    };
    let bytes = wire::UpBatch::from(batch.clone()).encode_to_vec();
    let read = wire::UpBatch::decode(Bytes::from(bytes)).unwrap();
    assert_eq!(Batch::<Up>::try_from(read), Ok(batch));

    let batch = Batch {
        epoch: Epoch(12),
        envelopes: samples::down(),
    };
    let bytes = wire::DownBatch::from(batch.clone()).encode_to_vec();
    let read = wire::DownBatch::decode(Bytes::from(bytes)).unwrap();
    assert_eq!(Batch::<Down>::try_from(read), Ok(batch));
}

#[test]
fn every_kind_of_envelope_has_a_sample() {
    let up = Batch {
        epoch: Epoch(1),
        envelopes: samples::up(),
    };
    let down = Batch {
        epoch: Epoch(1),
        envelopes: samples::down(),
    };
    let (up, down) = (wire::UpBatch::from(up), wire::DownBatch::from(down));
    let samples = format!("{up:?} {down:?}");
    for message in [
        "Up",
        "Down",
        "Request",
        "Answer",
        "Relay",
        "ToGroup",
        "FromGroup",
        "GroupAsk",
    ] {
        for (field, kind) in kinds(message) {
            // As `Envelope` of an `Up` is printed: `envelope: Some(Submit(`.
            let printed = format!("{field}: Some({kind}(");
            assert!(samples.contains(&printed), "{message}: {printed}");
        }
    }
}

/// The kinds in the `oneof` of a message, as `link.proto` has them, each with
/// the name of the `oneof`.
fn kinds(message: &str) -> Vec<(String, String)> {
    let descriptions = include_str!("../link.proto");
    let start = descriptions.find(&format!("message {message} {{")).unwrap();
    let (_, rest) = descriptions[start..].split_once("oneof ").unwrap();
    let (field, rest) = rest.split_once(" {").unwrap();
    let (kinds, _) = rest.split_once('}').unwrap();
    let names = kinds.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.nth(1).map(camel_case)
    });
    let kinds: Vec<_> = names.map(|name| (field.to_owned(), name)).collect();
    assert!(kinds.len() > 2, "{message}");
    kinds
}

fn camel_case(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    name.split('_').map(word).collect()
}

#[test]
fn a_body_is_never_copied() {
    let body = Bytes::from(vec![7; 1_000]);
    let batch = wire::UpBatch::from(batch_of(submit_of(body.clone()), 1));
    let Some(up::Envelope::Submit(submit)) = &batch.envelopes[0].envelope else {
        panic!("another envelope");
    };
    assert_eq!(submit.body.as_ptr(), body.as_ptr());

    let received = Bytes::from(batch.encode_to_vec());
    let batch = wire::UpBatch::decode(received.clone()).unwrap();
    let batch = Batch::<Up>::try_from(batch).unwrap();
    let Up::Submit(submit) = &batch.envelopes[0] else {
        panic!("another envelope");
    };
    assert!(received.as_ptr_range().contains(&submit.body.as_ptr()));
}

#[test]
fn a_batch_is_bounded() {
    let full = batch_of(submit_of(Bytes::new()), BATCH_ENVELOPES_MAX);
    assert!(Batch::<Up>::try_from(wire::UpBatch::from(full)).is_ok());
    let over = batch_of(submit_of(Bytes::new()), BATCH_ENVELOPES_MAX + 1);
    assert_eq!(
        Batch::<Up>::try_from(wire::UpBatch::from(over)),
        Err(PacketError::Field("envelopes"))
    );
    let over = wire::DownBatch {
        epoch: 1,
        envelopes: vec![wire::Down::default(); BATCH_ENVELOPES_MAX + 1],
    };
    assert_eq!(
        Batch::<Down>::try_from(over),
        Err(PacketError::Field("envelopes"))
    );
}

#[test]
fn a_field_that_is_wrong_is_named() {
    use PacketError::{Field, Id, Unknown};
    let cases: Vec<(wire::Up, PacketError)> = vec![
        (wire::Up::default(), Unknown),
        (
            up_of(up::Envelope::Submit(wire::Submit::default())),
            Id("from", IdError::Length(0)),
        ),
        (submit_with(|submit| submit.id = None), Field("id")),
        (submit_with(|submit| submit.attempt = 3), Field("attempt")),
        (
            submit_with(|submit| submit.friends_hash = Bytes::from_static(&[1; 15])),
            Field("friends_hash"),
        ),
        (
            submit_with(|submit| submit.to = Bytes::from_static(b"b n")),
            Id("to", IdError::Byte(b' ')),
        ),
        (
            announce_with(|announce| announce.status = None),
            Field("status"),
        ),
        (
            announce_with(|announce| announce.status = Some(status(5))),
            Field("availability"),
        ),
        (
            announce_with(|announce| announce.status = Some(status(6))),
            Field("availability"),
        ),
        (
            announce_with(|announce| announce.device = Bytes::new()),
            Id("device", IdError::Length(0)),
        ),
        (request_without_content(), Field("request")),
        (relay_of(16_384, tell(1)), Field("slot")),
        (up_of(up::Envelope::Relay(wire::Relay::default())), Unknown),
        (relay_of(0, tell(TARGETS_MAX + 1)), Field("targets")),
        (relay_of(0, statuses(TARGETS_MAX + 1)), Field("statuses")),
        (
            relay_of(0, relay::Relayed::Forward(wire::Forward::default())),
            Field("message"),
        ),
        (
            relay_of(0, relay::Relayed::Receipt(wire::ReceiptTo::default())),
            Field("kind"),
        ),
        (
            relay_of(0, relay::Relayed::FriendAct(wire::FriendAct::default())),
            Field("action"),
        ),
    ];
    for (envelope, error) in cases {
        let batch = wire::UpBatch {
            epoch: 1,
            envelopes: vec![envelope.clone()],
        };
        assert_eq!(Batch::<Up>::try_from(batch), Err(error), "{envelope:?}");
    }
    assert!(
        Batch::<Up>::try_from(wire::UpBatch {
            epoch: 1,
            envelopes: vec![relay_of(16_383, tell(TARGETS_MAX))],
        })
        .is_ok()
    );
}

#[test]
fn a_field_that_is_wrong_downwards_is_named() {
    use PacketError::{Field, Id, Unknown};
    let session = 1;
    let answer = |answer| {
        down::Envelope::Answer(wire::Answer {
            session,
            id: Some(wire::MessageId::default()),
            answer,
        })
    };
    let rejected = |code, length| {
        let text = "x".repeat(length);
        answer(Some(wire::answer::Answer::Rejected(wire::Rejected {
            code,
            text,
            generation: 1,
        })))
    };
    let delivered = Bytes::from_static(b"no device");
    let sent = wire::Sent {
        stamp_us: 1,
        delivered,
        ..Default::default()
    };
    let cases = [
        (None, Unknown),
        (Some(answer(None)), Field("answer")),
        (
            Some(answer(Some(wire::answer::Answer::Unknown(0)))),
            Field("code"),
        ),
        (
            Some(answer(Some(wire::answer::Answer::Sent(sent)))),
            Id("delivered", IdError::Byte(b' ')),
        ),
        (Some(rejected(999, 0)), Field("code")),
        (Some(rejected(101, 257)), Field("text")),
        (
            Some(down::Envelope::Deliver(wire::Deliver::default())),
            Field("message"),
        ),
        (
            Some(down::Envelope::Return(wire::Return::default())),
            Field("id"),
        ),
        (
            Some(down::Envelope::Push(wire::Push::default())),
            Field("packet"),
        ),
        (
            Some(down::Envelope::Close(wire::Close { session, code: 0 })),
            Field("code"),
        ),
        (
            Some(down::Envelope::Refused(wire::Refused { session, code: 1 })),
            Field("code"),
        ),
    ];
    for (envelope, error) in cases {
        let batch = wire::DownBatch {
            epoch: 1,
            envelopes: vec![wire::Down {
                envelope: envelope.clone(),
            }],
        };
        assert_eq!(Batch::<Down>::try_from(batch), Err(error), "{envelope:?}");
    }
}

fn batch_of(envelope: Up, count: usize) -> Batch<Up> {
    Batch {
        epoch: Epoch(1),
        envelopes: vec![envelope; count],
    }
}

fn submit_of(body: Bytes) -> Up {
    let found = samples::up()
        .into_iter()
        .find_map(|envelope| match envelope {
            Up::Submit(submit) => Some(submit),
            _ => None,
        });
    let mut submit = found.unwrap();
    submit.body = body;
    Up::Submit(submit)
}

fn up_of(envelope: up::Envelope) -> wire::Up {
    wire::Up {
        envelope: Some(envelope),
    }
}

fn submit_with(change: impl FnOnce(&mut wire::Submit)) -> wire::Up {
    let mut submit = wire::Submit {
        from: Bytes::from_static(b"ann"),
        id: Some(wire::MessageId::default()),
        to: Bytes::from_static(b"ben"),
        ..Default::default()
    };
    change(&mut submit);
    up_of(up::Envelope::Submit(submit))
}

fn announce_with(change: impl FnOnce(&mut wire::Announce)) -> wire::Up {
    let mut announce = wire::Announce {
        user: Bytes::from_static(b"ann"),
        device: Bytes::from_static(b"phone"),
        status: Some(status(1)),
        ..Default::default()
    };
    change(&mut announce);
    up_of(up::Envelope::Announce(announce))
}

fn request_without_content() -> wire::Up {
    up_of(up::Envelope::Request(wire::Request {
        user: Bytes::from_static(b"ann"),
        ..Default::default()
    }))
}

fn relay_of(slot: u32, relayed: relay::Relayed) -> wire::Up {
    up_of(up::Envelope::Relay(wire::Relay {
        slot,
        relayed: Some(relayed),
    }))
}

fn tell(targets: usize) -> relay::Relayed {
    let ben = Bytes::copy_from_slice(UserId::new("ben").unwrap().as_bytes());
    relay::Relayed::Tell(wire::Tell {
        status: Some(peer()),
        targets: vec![ben; targets],
        ..Default::default()
    })
}

fn statuses(count: usize) -> relay::Relayed {
    relay::Relayed::Statuses(wire::Statuses {
        to: Bytes::from_static(b"ann"),
        statuses: vec![peer(); count],
        request: 1,
    })
}

fn peer() -> proto::wire::client::PeerStatus {
    proto::wire::client::PeerStatus {
        user: Bytes::from_static(b"ann"),
        status: Some(status(1)),
        ..Default::default()
    }
}

fn status(availability: i32) -> proto::wire::client::Status {
    proto::wire::client::Status {
        availability,
        text: String::new(),
    }
}
