//! TLS: clients and servers that trust each other, and those that do not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use client::{Event, Fate, Reason, Settings, Tls};
use cluster::admin::{figure, is_ready};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::patience::{PATIENCE, until, within};
use cluster::person::{Person, befriend, settings};
use cluster::processes::Processes;
use cluster::terminal::Terminal;
use node::certificates::development;

/// Settings of somebody who trusts the signer of a directory.
fn trusting(directory: &Path, address: &str, name: &str, device: &str) -> Settings {
    let pem = development(directory).unwrap().ca;
    Settings {
        tls: Some(Tls::trusting(&pem).unwrap()),
        ..settings(address, name, device)
    }
}

/// Waits until a figure is at least this.
async fn counts(imd: &Imd, name: &str, least: u64) {
    until(name, async || {
        let count = figure(imd.admin(), name).await?;
        (count >= least).then_some(())
    })
    .await;
}

/// Why somebody has no connection.
async fn is_not_let_in(who: &Person) -> Reason {
    who.hears("why there is no connection", |events| {
        events.iter().find_map(|event| match event {
            Event::Reconnecting { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    })
    .await
}

#[tokio::test]
async fn clients_that_trust_the_server_chat_and_others_are_not_let_in() {
    let imd = Imd::start_with(|home| {
        let directory = home.join("tls").display().to_string();
        vec!["--tls-development".to_owned(), directory]
    })
    .await;
    let (directory, at) = (imd.home().join("tls"), imd.address());
    let ann = Person::comes_with(trusting(&directory, &at, "ann", "phone")).await;
    let ben = Person::comes_with(trusting(&directory, &at, "ben", "desk")).await;
    befriend(&ann, &ben).await;
    // More than twice a window, and bodies of more than one record.
    let mut handles = Vec::new();
    for number in 0..300 {
        let body = format!("{number}:{}", "x".repeat(8_000));
        handles.push(ann.begins_to_say(&ben.user, body).await);
    }
    for handle in handles {
        let fate = within("a fate", handle).await;
        assert!(matches!(fate, Fate::Delivered { .. } | Fate::Stored { .. }));
    }
    ben.tells(&ann.user, "that was a lot").await;
    let numbers = ben.texts().into_iter().map(|text| {
        let (number, _) = text.split_once(':').unwrap();
        number.parse::<usize>().unwrap()
    });
    assert!(numbers.eq(0..300));

    let plain = Person::begins(settings(&at, "cat", "phone"));
    assert!(matches!(is_not_let_in(&plain).await, Reason::Lost(_)));
    let elsewhere = imd.home().join("other-tls");
    let misled = Person::begins(trusting(&elsewhere, &at, "dan", "phone"));
    let Reason::Unreachable(why) = is_not_let_in(&misled).await else {
        panic!("the certificate is of nobody whom dan trusts");
    };
    assert!(why.contains("invalid peer certificate"), "{why}");
    let mut garbage = TcpStream::connect(&at).unwrap();
    garbage.set_read_timeout(Some(PATIENCE)).unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    garbage.read_to_end(&mut answer).unwrap();
    assert_eq!(answer[0], 21, "an alert, then the end");
    counts(&imd, "im_connd_tls_failures_total", 3).await;

    let ca = directory.join("ca.pem").display().to_string();
    let flags = ["eve", "--connect", &at, "--tls-ca", &ca];
    let mut eve = Terminal::start(&program("im"), &flags);
    eve.shows(&["connected user=eve"]).await;
    assert!(eve.ends().await.success());
}

#[tokio::test]
async fn new_certificates_are_shown_to_who_comes_and_others_stay() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (home.path().join("one"), home.path().join("two"));
    let file = |name: &str| home.path().join(name).display().to_string();
    let show = |directory: &Path| {
        let made = development(directory).unwrap();
        std::fs::write(file("cert.pem"), made.chain).unwrap();
        std::fs::write(file("key.pem"), made.key).unwrap();
    };
    show(&one);
    let section = format!(
        "[tls]\ncert = {:?}\nkey = {:?}",
        file("cert.pem"),
        file("key.pem")
    );
    let mut imd = Imd::start_by(|_| section.clone()).await;
    let at = imd.address();
    let ann = Person::comes_with(trusting(&one, &at, "ann", "phone")).await;
    show(&two);
    imd.reload_by(&section).await;
    let ben = Person::comes_with(trusting(&two, &at, "ben", "desk")).await;
    let late = Person::begins(trusting(&one, &at, "cat", "desk"));
    assert!(matches!(is_not_let_in(&late).await, Reason::Unreachable(_)));
    befriend(&ann, &ben).await;
    ann.tells(&ben.user, "still here").await;
    assert_eq!((ann.logins(), ben.logins()), (1, 1));
    // Back to plain it does not go while it runs.
    imd.reload_by("").await;
    let again = Person::comes_with(trusting(&two, &at, "dan", "desk")).await;
    again.leaves().await;
}

#[tokio::test]
async fn handshakes_beyond_the_rate_wait_in_line() {
    let imd = Imd::start_by(|home| {
        let directory = home.join("tls");
        format!("[tls]\ndevelopment = {directory:?}\nhandshakes_per_second = 20")
    })
    .await;
    let (directory, at) = (imd.home().join("tls"), imd.address());
    let begin = |number: usize| {
        let device = format!("d{number}");
        Person::begins(trusting(&directory, &at, &format!("u{number}"), &device))
    };
    let all: Vec<Person> = (0..60).map(begin).collect();
    for one in &all {
        one.connected(1).await;
    }
    counts(&imd, "im_connd_handshakes_total", 60).await;
    counts(&imd, "im_connd_handshakes_delayed_total", 1).await;
}

#[tokio::test]
async fn who_comes_and_goes_takes_no_turn_of_others() {
    let imd = Imd::start_by(|home| {
        let directory = home.join("tls");
        format!("[tls]\ndevelopment = {directory:?}\nhandshakes_per_second = 20")
    })
    .await;
    let (directory, at) = (imd.home().join("tls"), imd.address());
    for _ in 0..600 {
        let mut stranger = TcpStream::connect(&at).unwrap();
        // The first bytes of a handshake, and away.
        stranger.write_all(&[22, 3, 1]).unwrap();
    }
    // In line behind them it would be half a minute's wait, and a log-in has
    // ten seconds.
    let ann = Person::comes_with(trusting(&directory, &at, "ann", "phone")).await;
    ann.tells(&ann.user, "through").await;
    assert_eq!(ann.logins(), 1);
}

#[tokio::test]
async fn who_stays_and_says_nothing_takes_no_turn_of_others() {
    let imd = Imd::start_by(|home| {
        let directory = home.join("tls");
        let tls = format!("[tls]\ndevelopment = {directory:?}\nhandshakes_per_second = 5");
        // They stay for longer than a client tries.
        format!("{tls}\n[gateway]\nsessions_per_address_max = 1_000\nlogin_patience = \"60 s\"\n")
    })
    .await;
    let (directory, at) = (imd.home().join("tls"), imd.address());
    let strangers: Vec<_> = (0..600).map(|_| TcpStream::connect(&at).unwrap()).collect();
    let ann = Person::comes_with(trusting(&directory, &at, "ann", "phone")).await;
    ann.tells(&ann.user, "through").await;
    assert_eq!(ann.logins(), 1);
    drop(strangers);
}

#[tokio::test]
async fn daemons_show_each_other_certificates_and_strangers_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let section = |name: &str| {
        let directory = home.path().join(name);
        development(&directory).unwrap();
        format!("[links]\ndevelopment = {directory:?}\n")
    };
    let (own, foreign) = (section("own"), section("foreign"));
    let daemons = [
        ("connd", own.as_str()),
        ("msgd", own.as_str()),
        ("friendd", own.as_str()),
    ];
    let mut cluster = Processes::start_by(&daemons).await;
    let ann = cluster.user_of(0, "ann");
    let ben = cluster.user_of(1, "ben");
    let address = |n: usize| cluster.connds[n].address();
    let ann = Person::comes(&address(0), ann.as_str(), "phone").await;
    let ben = Person::comes(&address(1), ben.as_str(), "desk").await;
    befriend(&ann, &ben).await;
    ann.tells(&ben.user, "between the shards").await;

    // A connd of another signer, and one that shows nothing, get no link.
    for settings in [foreign.as_str(), ""] {
        cluster.rewrite("connd", settings);
        cluster.connds[0].stop().await;
        let connd = &mut cluster.connds[0];
        // At its first start it was before its shards.
        let before = connd.said("no link");
        connd.starts_again();
        connd.says_again("no link", before).await;
        assert!(!is_ready(connd.admin()).await);
    }
    ben.tells(&ben.user, "the others are unharmed").await;
}
