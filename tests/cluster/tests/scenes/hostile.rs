//! Bytes and tokens of who means harm, at the plain and at the secure door:
//! each gets its code and a close, and others chat on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use client::{Code, Settings, Tls, UserId};
use cluster::admin::risen;
use cluster::binaries::program;
use cluster::bystanders::Bystanders;
use cluster::imd::Imd;
use cluster::line::{Line, login, message};
use cluster::patience::PATIENCE;
use cluster::person::{Person, settings, user};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use node::certificates::development;
use proto::client::ClientPacket;
use proto::frame;
use proto::server::ServerPacket;

/// A door of a server, and how to come in by it.
struct Door {
    imd: Imd,
    /// Of the signer, in PEM; none: the door is plain.
    ca: Option<Vec<u8>>,
}

impl Door {
    async fn plain(settings: &str) -> Self {
        let imd = Imd::start_by(|_| settings.to_owned()).await;
        Self { imd, ca: None }
    }

    async fn secure(settings: &str) -> Self {
        let imd = Imd::start_by(|home| {
            let directory = home.join("tls");
            format!("{settings}\n[tls]\ndevelopment = {directory:?}")
        })
        .await;
        let ca = development(&imd.home().join("tls")).unwrap().ca;
        Self { imd, ca: Some(ca) }
    }

    async fn line(&self) -> Line {
        match &self.ca {
            None => Line::to(&self.imd.address()).await,
            Some(ca) => Line::secure(&self.imd.address(), ca).await,
        }
    }

    async fn logged_in(&self, who: &UserId, heartbeat_ms: u32) -> Line {
        let mut line = self.line().await;
        line.says(&[login(who, heartbeat_ms)]).await;
        line.hears_until(|packet| matches!(packet, ServerPacket::LoginOk(_)))
            .await;
        line
    }

    fn settings(&self, name: &str) -> Settings {
        let tls = self.ca.as_ref().map(|ca| Tls::trusting(ca).unwrap());
        Settings {
            tls,
            ..settings(&self.imd.address(), name, "phone")
        }
    }

    async fn bystanders(&self, names: [&str; 2]) -> Bystanders {
        let [ann, ben] = names.map(|name| Person::comes_with(self.settings(name)));
        let (ann, ben) = (ann.await, ben.await);
        Bystanders::begin(ann, ben).await
    }
}

/// A log-in is due soon, and a body need not be stored in a hurry.
const SETTINGS: &str = "\
    [gateway]\nlogin_patience = \"1 s\"\n\
    [shard]\ndelivery_patience = \"10 s\"";

#[tokio::test]
async fn bytes_at_the_plain_door() {
    meets_bytes(Door::plain(SETTINGS).await).await;
}

#[tokio::test]
async fn bytes_at_the_secure_door() {
    let door = Door::secure(SETTINGS).await;
    let mut others = door.bystanders(["eve", "fay"]).await;
    no_handshake(&door.imd.address());
    risen(door.imd.admin(), "im_connd_tls_failures_total", 200).await;
    others.go_on().await;
    drop(others.end().await);
    meets_bytes(door).await;
}

async fn meets_bytes(door: Door) {
    let mut others = door.bystanders(["ann", "ben"]).await;
    broken_off(&door).await;
    others.go_on().await;
    oversized(&door).await;
    others.go_on().await;
    random(&door).await;
    others.go_on().await;
    tokio::join!(dribbled_login(&door), dribbled_later(&door));
    others.end().await;
    // Nobody of them is left but the two, who may take a moment to go.
    cluster::patience::until("no session to be left", async || {
        let sessions = cluster::admin::figure(door.imd.admin(), "im_connd_sessions").await;
        (sessions == Some(0)).then_some(())
    })
    .await;
}

/// Each frame breaks off at each place: no answer is due, only an end.
async fn broken_off(door: &Door) {
    let cat = user("cat");
    let whole = packet(&login(&cat, 0));
    for end in 0..whole.len() {
        let mut line = door.line().await;
        line.says_bytes(&whole[..end]).await;
        line.falls_silent().await;
        let heard = line.hears_all().await;
        assert_eq!(heard, [], "after {end} bytes of a log-in");
    }
    let whole = packet(&ClientPacket::Send(message(&user("dan"), "hello")));
    for end in 0..whole.len() {
        let mut line = door.logged_in(&cat, 0).await;
        line.says_bytes(&whole[..end]).await;
        line.falls_silent().await;
        let heard = line.hears_all().await;
        let answered = |packet: &ServerPacket| {
            matches!(
                packet,
                ServerPacket::Sent { .. } | ServerPacket::Rejected { .. }
            )
        };
        assert!(!heard.iter().any(answered), "after {end} bytes: {heard:?}");
    }
}

/// A length beyond what is allowed is answered before its content comes.
async fn oversized(door: &Door) {
    for bytes in [8 * 1024 + 1, 1 << 24, u32::MAX] {
        let mut line = door.line().await;
        line.says_bytes(&bytes.to_be_bytes()).await;
        assert_eq!(closing(&line.hears_all().await), Some(Code::FrameTooLarge));
    }
    for bytes in [68 * 1024 + 1, 1 << 24, u32::MAX] {
        let mut line = door.logged_in(&user("cat"), 0).await;
        line.says_bytes(&bytes.to_be_bytes()).await;
        assert_eq!(closing(&line.hears_all().await), Some(Code::FrameTooLarge));
    }
}

/// Bytes drawn from a seed: nobody gets in, and everybody gets an end.
async fn random(door: &Door) {
    let mut draw = fastrand::Rng::with_seed(4);
    let mut bytes = |least: usize, most: usize| {
        let mut bytes = vec![0; draw.usize(least..most)];
        draw.fill(&mut bytes);
        bytes
    };
    for round in 0..300 {
        // One half as it comes, the other in a frame of its length.
        let mut noise = bytes(1, 300);
        if round % 2 == 0 {
            noise.splice(..0, (noise.len() as u32).to_be_bytes());
        }
        let mut line = door.line().await;
        line.says_bytes(&noise).await;
        line.falls_silent().await;
        let heard = line.hears_all().await;
        let harmless = matches!(&heard[..], [] | [ServerPacket::Closing(_)]);
        assert!(harmless, "{round}: {heard:?}");
    }
    for round in 0..300 {
        let mut line = door.logged_in(&user("cat"), 0).await;
        for _ in 0..4 {
            let mut noise = bytes(1, 300);
            noise.splice(..0, (noise.len() as u32).to_be_bytes());
            line.says_bytes(&noise).await;
        }
        line.falls_silent().await;
        let heard = line.hears_all().await;
        let sent = |packet: &ServerPacket| matches!(packet, ServerPacket::Sent { .. });
        assert!(!heard.iter().any(sent), "{round}: {heard:?}");
    }
}

/// A byte now and then does not keep a connection whose log-in is due.
async fn dribbled_login(door: &Door) {
    let mut line = door.line().await;
    let whole = packet(&login(&user("cat"), 0));
    dribbles(&mut line, &whole, Duration::from_secs(1)).await;
    assert_eq!(closing(&line.hears_all().await), Some(Code::LoginTimeout));
}

/// Nor does it stand for a sign of life later.
async fn dribbled_later(door: &Door) {
    let mut line = door.logged_in(&user("dan"), 1_000).await;
    let long = "a letter that takes its time ".repeat(10);
    let whole = packet(&ClientPacket::Send(message(&user("cat"), long)));
    dribbles(&mut line, &whole, Duration::from_secs(2)).await;
    assert_eq!(closing(&line.hears_all().await), Some(Code::Silent));
}

/// Says a byte at a time, not to the last one, for a little longer than this.
async fn dribbles(line: &mut Line, bytes: &[u8], longer_than: Duration) {
    let pause = longer_than / 15;
    let began = Instant::now();
    for byte in &bytes[..bytes.len() - 1] {
        if began.elapsed() > longer_than + 2 * pause {
            return;
        }
        line.says_bytes(&[*byte]).await;
        tokio::time::sleep(pause).await;
    }
    panic!("there are more bytes than time");
}

/// What is no TLS gets an alert or just an end; a handshake that breaks off
/// gets an end.
fn no_handshake(address: &str) {
    let mut draw = fastrand::Rng::with_seed(5);
    for _ in 0..200 {
        let mut noise = vec![0; draw.usize(5..300)];
        draw.fill(&mut noise);
        let answer = answer(address, &noise);
        assert!(matches!(answer.first(), None | Some(21)), "{answer:?}");
    }
    // A record of a handshake that says it is as large as records may be.
    let hello = [
        [22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3].as_slice(),
        &[7; 200],
    ]
    .concat();
    for end in 0..hello.len() {
        let answer = answer(address, &hello[..end]);
        assert!(matches!(answer.first(), None | Some(21)), "{answer:?}");
    }
}

/// Everything that is answered to bytes and their end.
fn answer(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    // It may be closed by now.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => answer,
    }
}

/// The code of the one packet that closes, which is the last.
fn closing(heard: &[ServerPacket]) -> Option<Code> {
    match heard.last() {
        Some(ServerPacket::Closing(closing)) => Some(closing.code),
        _ => None,
    }
}

fn packet(packet: &ClientPacket) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    packet.encode(&mut bytes);
    assert!(bytes.len() > frame::HEADER_BYTES);
    bytes.to_vec()
}

#[tokio::test]
async fn forged_tokens_at_both_doors() {
    let home = tempfile::tempdir().unwrap();
    let path = |file: &str| home.path().join(file).display().to_string();
    for key in ["good.pem", "other.pem"] {
        im(&["--new-key", &path(key)]);
    }
    let tokens = format!("[tokens]\nkeys = [\"main={}\"]", path("good.pem.pub"));
    let signs = |key: &str, kid: &str, name: &str| {
        im(&["--key-file", &path(key), "--kid", kid, "--user", name])
    };
    let good = signs("good.pem", "main", "ann");
    let [header, payload, signature] = parts(&good);
    let [_, of_ben, _] = parts(&signs("good.pem", "main", "ben"));
    let public = std::fs::read(path("good.pem.pub")).unwrap();
    let forged = [
        ("nothing", String::new(), Code::TokenInvalid),
        (
            "another key",
            signs("other.pem", "main", "ann"),
            Code::TokenInvalid,
        ),
        (
            "an unknown key",
            signs("good.pem", "old", "ann"),
            Code::TokenInvalid,
        ),
        (
            "another's claims",
            [&header, &of_ben, &signature].map(String::as_str).join("."),
            Code::TokenInvalid,
        ),
        (
            "no signature",
            format!("{header}.{payload}."),
            Code::TokenInvalid,
        ),
        // {"alg":"none","typ":"JWT","kid":"main"}
        (
            "no algorithm",
            format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoibWFpbiJ9.{payload}."),
            Code::TokenInvalid,
        ),
        (
            "the public key as a secret",
            signed_with(&public, 4_000_000_000),
            Code::TokenInvalid,
        ),
        (
            "one that has ended",
            ended(&path("good.pem")),
            Code::TokenExpired,
        ),
    ];
    let doors = [Door::plain(&tokens).await, Door::secure(&tokens).await];
    for door in &doors {
        let comes = |token: &str| {
            let mut settings = door.settings("ann");
            let signed = Settings::token(door.imd.address(), token, "phone".parse().ok());
            settings.account = signed.account;
            Person::comes_with(settings)
        };
        let ben_token = signs("good.pem", "main", "ben");
        let (ann, ben) = (comes(&good).await, comes(&ben_token).await);
        let mut others = Bystanders::begin(ann, ben).await;
        for (what, token, code) in &forged {
            let mut line = door.line().await;
            let ClientPacket::Login(mut said) = login(&user("ann"), 0) else {
                unreachable!("a log-in is one");
            };
            said.token.clone_from(token);
            line.says(&[ClientPacket::Login(said)]).await;
            let heard = line.hears_all().await;
            assert_eq!(heard.len(), 1, "{what}: {heard:?}");
            assert_eq!(closing(&heard), Some(*code), "{what}");
            others.go_on().await;
        }
        others.end().await;
    }
}

/// What `im token` says to these words.
fn im(words: &[&str]) -> String {
    let mut command = Command::new(program("im"));
    let output = command.arg("token").args(words).output().unwrap();
    assert!(output.status.success(), "im token {words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

/// A token by HS256.
fn signed_with(secret: &[u8], exp: u64) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("main".to_owned());
    let claims = serde_json::json!({ "sub": "ann", "exp": exp });
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// A token of the good key that ended long ago.
fn ended(key: &str) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("main".to_owned());
    let claims = serde_json::json!({ "sub": "ann", "exp": 1_000 });
    let key = EncodingKey::from_ed_pem(&std::fs::read(key).unwrap()).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}
