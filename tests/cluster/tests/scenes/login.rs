//! Who gets in: tokens, devices, sessions, and what is no packet at all.

use std::process::Command;

use bytes::BytesMut;
use client::{Code, Event, Settings, UserId};
use cluster::admin::figure;
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::line::{Line, login, message};
use cluster::patience::until;
use cluster::person::{Person, settings, user};
use jsonwebtoken::{EncodingKey, Header};
use proto::client::{ClientPacket, Login};
use proto::server::ServerPacket;

/// A business that signs tokens, with both kinds of keys.
struct Business {
    home: tempfile::TempDir,
}

const SECRET: &str = "a secret of forty-four bytes, for a test only";

impl Business {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for key in ["good.pem", "other.pem"] {
            let path = home.path().join(key).display().to_string();
            im(&["token", "--new-key", &path]);
        }
        std::fs::write(home.path().join("secret"), SECRET).unwrap();
        Self { home }
    }

    fn path(&self, file: &str) -> String {
        self.home.path().join(file).display().to_string()
    }

    /// What imd is told of it.
    fn flags(&self) -> Vec<String> {
        let key = format!("main={}", self.path("good.pem.pub"));
        let secret = format!("old={}", self.path("secret"));
        ["--key", &key, "--secret", &secret]
            .map(str::to_owned)
            .to_vec()
    }

    /// A token for ann.
    fn signs(&self, kid: &str, more: &[&str]) -> String {
        let key = self.path("good.pem");
        let words = ["token", "--key-file", &key, "--kid", kid, "--user", "ann"];
        im(&[&words, more].concat())
    }
}

/// What `im` says to these words.
fn im(words: &[&str]) -> String {
    let output = Command::new(program("im")).args(words).output().unwrap();
    assert!(output.status.success(), "im {words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn with_token(imd: &Imd, token: &str, device: Option<&str>) -> Settings {
    let device = device.map(|device| device.parse().unwrap());
    Settings::token(imd.address(), token, device)
}

#[tokio::test]
async fn a_signed_token_lets_in_whom_it_names() {
    let business = Business::new();
    let imd = Imd::start_with(|_| business.flags()).await;
    let good = business.signs("main", &[]);
    let ann = Person::comes_with(with_token(&imd, &good, Some("phone"))).await;
    assert_eq!(ann.user.as_str(), "ann");
    // The token's device counts before the client's word.
    let bound = business.signs("main", &["--device", "desk"]);
    for said in [None, Some("phone")] {
        let person = Person::comes_with(with_token(&imd, &bound, said)).await;
        assert_eq!(person.connected(1).await.device.as_str(), "desk");
        person.leaves().await;
    }
    let secret = business.path("secret");
    let words = [
        "token",
        "--key-file",
        &secret,
        "--kid",
        "old",
        "--alg",
        "hs256",
    ];
    let hs256 = im(&[&words[..], &["--user", "ben"]].concat());
    let ben = Person::comes_with(with_token(&imd, &hs256, Some("phone"))).await;
    assert_eq!(ben.user.as_str(), "ben");
    assert_eq!(ann.logins(), 1, "nobody replaced the phone");
}

#[tokio::test]
async fn a_wrong_token_is_refused_for_good_and_an_old_one_until_there_is_a_fresh_one() {
    let business = Business::new();
    let imd = Imd::start_with(|_| business.flags()).await;
    let other = business.path("other.pem");
    let forged = im(&[
        "token",
        "--key-file",
        &other,
        "--kid",
        "main",
        "--user",
        "ann",
    ]);
    let unknown = business.signs("nobody", &[]);
    for wrong in ["", "no token", &forged, &unknown] {
        let person = Person::begins(with_token(&imd, wrong, Some("phone")));
        assert_eq!(
            person.closed().await,
            Some(Code::TokenInvalid.number()),
            "{wrong}"
        );
        assert_eq!(person.logins(), 0);
    }
    // A bare name is no token either.
    let person = Person::begins(settings(&imd.address(), "ann", "phone"));
    assert_eq!(person.closed().await, Some(Code::TokenInvalid.number()));

    let person = Person::begins(with_token(&imd, &expired(), Some("phone")));
    hears_expired(&person).await;
    assert_eq!(person.logins(), 0);
    person
        .client
        .refresh_token(business.signs("main", &[]))
        .unwrap();
    assert_eq!(person.connected(1).await.user.as_str(), "ann");
}

/// A token of the business that ended long ago.
fn expired() -> String {
    let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some("old".to_owned());
    let claims = serde_json::json!({ "sub": "ann", "exp": 1_000 });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

async fn hears_expired(person: &Person) {
    person
        .hears("that the token has expired", |events| {
            events.contains(&Event::TokenExpired).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_session_ends_with_its_token_unless_a_fresh_one_came() {
    let business = Business::new();
    let imd = Imd::start_with(|_| business.flags()).await;
    let short = ["--ttl", "2"];
    let phone = Person::comes_with(with_token(
        &imd,
        &business.signs("main", &short),
        Some("phone"),
    ))
    .await;
    let desk = Person::comes_with(with_token(
        &imd,
        &business.signs("main", &short),
        Some("desk"),
    ))
    .await;
    phone
        .client
        .refresh_token(business.signs("main", &[]))
        .unwrap();
    // Desk's token is the younger one: when that has ended, phone's has too.
    hears_expired(&desk).await;
    phone.tells(&user("ann"), "a note to myself").await;
    assert_eq!(phone.logins(), 1);
    assert!(!phone.heard().contains(&Event::TokenExpired));
}

#[tokio::test]
async fn a_replaced_device_is_told_why_and_stays_away() {
    let imd = Imd::start().await;
    let first = Person::comes(&imd.address(), "ann", "phone").await;
    let second = Person::comes(&imd.address(), "ann", "phone").await;
    assert_eq!(first.closed().await, Some(Code::Replaced.number()));
    // The event is the last of its session: nobody comes back.
    assert_eq!(first.logins(), 1);
    are_there(&imd, 1).await;
    assert_eq!(second.logins(), 1);
    assert_eq!(
        second
            .heard()
            .iter()
            .filter(|e| matches!(e, Event::Closed { .. }))
            .count(),
        0
    );
}

/// Waits until imd has so many sessions of users.
async fn are_there(imd: &Imd, wanted: u64) {
    until("the number of sessions", async || {
        let sessions = figure(imd.admin(), "im_msgd_user_sessions").await;
        (sessions == Some(wanted)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_session_too_many_is_refused_and_the_others_stay() {
    let imd = Imd::start().await;
    let mut sessions = Vec::new();
    for number in 1..=16 {
        let device = format!("device-{number}");
        sessions.push(Person::comes(&imd.address(), "ann", &device).await);
    }
    let one_more = Person::begins(settings(&imd.address(), "ann", "device-17"));
    assert_eq!(
        one_more.closed().await,
        Some(Code::TooManySessions.number())
    );
    assert_eq!(one_more.logins(), 0);
    // Where one has left there is room again.
    sessions.pop().unwrap().leaves().await;
    are_there(&imd, 15).await;
    Person::comes(&imd.address(), "ann", "device-17").await;
    assert!(sessions.iter().all(|session| session.logins() == 1));
}

#[tokio::test]
async fn what_is_no_packet_gets_one_code_and_a_close() {
    let imd = Imd::start().await;
    let ann = user("ann");
    let too_large = frame_of(9 * 1024);
    let newer = |l: &mut Login| (l.version_min, l.version_max) = (2, 9);
    let nobody = |l: &mut Login| l.user = None;
    let no_device = |l: &mut Login| l.device = None;
    let before_login: [(&str, Vec<u8>, Code); 9] = [
        (
            "HTTP",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            Code::FrameTooLarge,
        ),
        (
            "TLS",
            vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
            Code::FrameTooLarge,
        ),
        ("an empty frame", vec![0, 0, 0, 0], Code::Malformed),
        (
            "noise",
            vec![0, 0, 0, 5, 0xff, 0xfe, 0xfd, 0xfc, 0xfb],
            Code::Malformed,
        ),
        (
            "a frame above the log-in's bound",
            too_large,
            Code::FrameTooLarge,
        ),
        ("a ping", packet(&ClientPacket::Ping), Code::LoginRequired),
        (
            "a newer version",
            login_but(&ann, newer),
            Code::VersionUnsupported,
        ),
        ("no name", login_but(&ann, nobody), Code::Malformed),
        ("no device", login_but(&ann, no_device), Code::Malformed),
    ];
    for (what, bytes, code) in before_login {
        let mut line = Line::to(&imd.address()).await;
        line.says_bytes(&bytes).await;
        is_closed_with(line, what, code).await;
    }
    let mut fake = message(&ann, "of an old session");
    fake.body = vec![7; 5 * 1024].into();
    let after_login: [(&str, Vec<u8>, Code); 5] = [
        ("a second log-in", packet(&login(&ann, 0)), Code::Malformed),
        ("an empty frame", vec![0, 0, 0, 0], Code::Malformed),
        (
            "a frame above the bound",
            frame_of(80 * 1024),
            Code::FrameTooLarge,
        ),
        (
            "an acknowledgement of nothing",
            packet(&ClientPacket::Ack { seq: 9 }),
            Code::Malformed,
        ),
        ("an id for two messages", twice(&ann), Code::Malformed),
    ];
    for (what, bytes, code) in after_login {
        let mut line = Line::logged_in(&imd.address(), &ann, 0).await;
        line.says_bytes(&bytes).await;
        is_closed_with(line, what, code).await;
    }
    // All the while others are served.
    Person::comes(&imd.address(), "ben", "phone").await;
}

async fn is_closed_with(mut line: Line, what: &str, code: Code) {
    let heard = line.hears_all().await;
    let mut closings = heard.iter().filter_map(|packet| match packet {
        ServerPacket::Closing(closing) => Some(closing.code),
        _ => None,
    });
    assert_eq!(closings.next(), Some(code), "{what}: {heard:?}");
    assert_eq!(closings.next(), None, "{what}: {heard:?}");
    assert!(
        matches!(heard.last(), Some(ServerPacket::Closing(_))),
        "{what}"
    );
}

/// The beginning of a frame that says it has this many bytes.
fn frame_of(bytes: u32) -> Vec<u8> {
    let mut frame = bytes.to_be_bytes().to_vec();
    frame.extend([7; 100]);
    frame
}

fn packet(packet: &ClientPacket) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    packet.encode(&mut bytes);
    bytes.to_vec()
}

fn login_but(user: &UserId, change: impl Fn(&mut Login)) -> Vec<u8> {
    let ClientPacket::Login(mut said) = login(user, 0) else {
        unreachable!("a log-in is one");
    };
    change(&mut said);
    packet(&ClientPacket::Login(said))
}

/// Two messages with one id, both unanswered.
fn twice(user: &UserId) -> Vec<u8> {
    let first = message(user, "one");
    let mut second = first.clone();
    second.body = "two".into();
    [first, second]
        .map(|send| packet(&ClientPacket::Send(send)))
        .concat()
}
