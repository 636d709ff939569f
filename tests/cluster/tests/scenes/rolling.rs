//! A rolling restart of the script's cluster under load: nothing is lost,
//! nothing is shown twice, and nobody is thrown out.

use std::process::Stdio;
use std::time::Duration;

use client::{Availability, Event, Reason, Stamp};
use cluster::load::Load;
use cluster::patience::within;
use cluster::person::{Person, user};
use cluster::script::Script;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// A mailbox holds all that come to it in the time of this test.
const PACE: Duration = Duration::from_millis(5);

/// In the order in which the script takes them.
const DAEMONS: [&str; 6] = [
    "friendd", "msgd-a", "msgd-b", "msgd-c", "connd-1", "connd-2",
];

/// Six clients that come back together do so within less than this; with the
/// default spread of five seconds one run in 500,000 looks like that.
const TOGETHER: Duration = Duration::from_millis(250);

#[tokio::test]
async fn a_rolling_restart_loses_nothing_and_clients_move_before_their_gateway_stops() {
    let script = Script::new();
    assert!(script.run("up").status.success());
    let both = script.addresses().join(",");
    let name = |number: usize, name: &str| user(&format!("{name}-{number}"));
    let load = Load::begins([&both, &both], PACE, name).await;
    load.flows().await;
    let offline = offline_shown(&load);
    let before = script.processes();

    let mut command = Command::from(script.command("restart"));
    let command = command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut restarting = command.spawn().unwrap();
    let mut lines = BufReader::new(restarting.stdout.take().unwrap()).lines();
    for daemon in DAEMONS {
        let answered = load.answered();
        let line = within("a daemon to be back", lines.next_line()).await;
        let line = line.unwrap().unwrap_or_default();
        assert!(line.starts_with(&format!("{daemon} is back")), "{line}");
        let answered = load.answered() - answered;
        assert!(
            answered > 0,
            "nothing was answered while {daemon} restarted"
        );
        load.reports_pause(&format!("{daemon} restarted, {answered} answers meanwhile"));
    }
    let status = within("the script's end", restarting.wait()).await;
    assert!(status.unwrap().success());
    load.flows().await;
    let after = script.processes();
    assert!(after.iter().all(|process| !before.contains(process)));

    // The first gateway's clients went to the second, and then all to the first.
    let people = people(&load);
    let mut moments = Vec::new();
    for person in &people {
        let reasons = reasons(person);
        let moved = reasons.iter().all(|reason| *reason == Reason::Goaway);
        assert!(moved, "{}: {reasons:?}", person.user);
        let logins = person.logins();
        assert!((2..=3).contains(&logins), "{}: {logins}", person.user);
        moments.push(person.connected(logins).await.server_time);
    }
    assert!(between(&moments) > TOGETHER, "{moments:?}");
    assert_eq!(offline_shown(&load), offline, "friends see nothing of it");
    for gateway in ["connd-1", "connd-2"] {
        let log = script.data().join(format!("{gateway}.log"));
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("connd stops"), "{log}");
        assert!(!log.contains("have not moved"), "{log}");
    }
    load.ends().await;
}

fn people(load: &Load) -> Vec<&Person> {
    let senders = load.senders.iter().map(|(sender, _)| sender);
    senders.chain(&load.there).collect()
}

/// Why somebody had no connection, each time.
fn reasons(person: &Person) -> Vec<Reason> {
    let reason = |event| match event {
        Event::Reconnecting { reason, .. } => Some(reason),
        _ => None,
    };
    person.heard().into_iter().filter_map(reason).collect()
}

/// How often friends who are there were shown offline.
fn offline_shown(load: &Load) -> usize {
    let mut count = 0;
    for recipient in &load.there {
        let pair = load.senders.iter().find(|(_, to)| *to == recipient.user);
        let (sender, _) = pair.unwrap();
        let shown = [sender.shown(&recipient.user), recipient.shown(&sender.user)];
        let offline = shown.iter().flatten();
        count += offline
            .filter(|peer| peer.status.availability == Availability::Offline)
            .count();
    }
    count
}

/// From the first to the last.
fn between(moments: &[Stamp]) -> Duration {
    let micros = moments.iter().map(|moment| moment.0);
    let first = micros.clone().min().unwrap_or_default();
    Duration::from_micros(micros.max().unwrap_or_default() - first)
}
