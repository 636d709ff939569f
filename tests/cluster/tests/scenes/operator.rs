//! What an operator sees and is told: pages, figures, refusals.

use std::path::Path;
use std::process::{Command, Stdio};

use client::{Code, Fate, Relation};
use cluster::admin::{page, risen};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::person::{Person, befriend, user};
use cluster::port::Port;
use cluster::process::Process;
use cluster::processes::Processes;

#[tokio::test]
async fn the_pages_of_imd_say_how_it_is() {
    let imd = Imd::start().await;
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/", 404),
    ] {
        assert_eq!(
            page(imd.admin(), path).await.unwrap().status,
            status,
            "{path}"
        );
    }
    let figures = page(imd.admin(), "/metrics").await.unwrap().body;
    assert!(figures.ends_with("# EOF\n"), "OpenMetrics has an end");
}

#[tokio::test]
async fn every_figure_is_there_and_those_of_a_chat_move() {
    let imd = Imd::start_patient().await;
    let ann = Person::comes(&imd.address(), "ann", "phone").await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    befriend(&ann, &ben).await;
    let fate = ann.says(&ben.user, "one").await;
    assert!(matches!(fate, Fate::Delivered { .. }), "{fate:?}");
    let ben_id = ben.user.clone();
    ben.leaves().await;
    ann.leaves_word(&ben_id, "two").await;
    ann.is_refused(&user("cat"), "hi", Code::NotFriends).await;
    let ben = Person::comes(&imd.address(), "ben", "desk").await;
    ben.reads("two").await;
    let admin = imd.admin();
    for (figure, least) in [
        ("im_connd_opened_total", 3),
        ("im_connd_logins_total", 3),
        ("im_connd_sessions", 2),
        ("im_connd_links", 1),
        ("im_connd_submitted_total", 3),
        ("im_connd_delivered_total", 2),
        ("im_msgd_sessions_total", 3),
        ("im_msgd_user_sessions", 2),
        ("im_msgd_users", 2),
        ("im_msgd_accepted_total", 3),
        ("im_msgd_delivered_total", 1),
        ("im_msgd_stored_total", 1),
        ("im_msgd_rejected_total", 1),
        ("im_msgd_friendd_requests_total", 1),
        ("im_msgd_friendd_logins_total", 1),
        ("im_msgd_statuses_total", 1),
        ("im_friendd_loads_total", 1),
        ("im_friendd_users", 0),
        ("im_mailboxes_appended_total", 1),
        ("im_mailboxes_read_total", 1),
        ("im_store_requests_total", 1),
        ("im_store_commit_seconds_count", 1),
        ("im_store_open", 1),
        // Nothing of this happened, and it is there to be watched.
        ("im_connd_refused_total", 0),
        ("im_connd_link_full_total", 0),
        ("im_connd_window_exceeded_total", 0),
        ("im_connd_slow_readers_total", 0),
        ("im_connd_fate_unknown_total", 0),
        ("im_msgd_unknown_total", 0),
        ("im_msgd_returned_total", 0),
        ("im_msgd_shed_total", 0),
        ("im_msgd_users_evicted_total", 0),
        ("im_msgd_store_failures_total", 0),
        ("im_mailboxes_full_total", 0),
        ("im_store_refused_total", 0),
        ("im_store_failures_total", 0),
    ] {
        risen(admin, figure, least).await;
    }
}

#[tokio::test]
async fn a_gateway_without_its_shards_is_not_ready() {
    let mut cluster = Processes::start().await;
    cluster.msgds[0].kill();
    let admin = cluster.connds[0].admin();
    cluster::patience::until("it to be not ready", async || {
        let page = page(admin, "/readyz").await.unwrap();
        (page.status == 503 && page.body.contains("1 of 2 links")).then_some(())
    })
    .await;
    assert_eq!(page(admin, "/healthz").await.unwrap().status, 200);
    // People of the other shard do not notice.
    let ann = cluster.user_of(1, "ann");
    let ann = Person::comes(&cluster.connds[0].address(), ann.as_str(), "phone").await;
    let ben = cluster.user_of(1, "ben");
    let ben = Person::comes(&cluster.connds[1].address(), ben.as_str(), "phone").await;
    befriend(&ann, &ben).await;
    ann.lists(&ben.user, Relation::Friend, false).await;
    ann.tells(&ben.user, "hi").await;
}

#[tokio::test]
async fn imd_refuses_to_start_where_it_would_harm() {
    let imd = Imd::start().await;
    let home = tempfile::tempdir().unwrap();
    let (listen, admin) = (Port::take(), Port::take());
    let (listen, admin) = (listen.address().to_string(), admin.address().to_string());
    let (taken, nobody) = (
        imd.address(),
        home.path().join("nobody").display().to_string(),
    );
    let own = home.path().join("data");
    let kid = format!("main={nobody}");
    for (flags, data, words) in [
        (
            &["--listen", "0.0.0.0:7100"][..],
            &own,
            &["0.0.0.0:7100", "loopback"][..],
        ),
        (
            &["--listen", &listen],
            &imd.home().join("data"),
            &["data", "another"],
        ),
        (&["--listen", &taken], &own, &["--listen", &taken]),
        (
            &["--listen", &listen, "--key", &kid],
            &own,
            &["--key", &nobody, "allowed is KID=FILE"],
        ),
        (
            &["--listen", &listen, "--words", &nobody],
            &own,
            &["--words", &nobody],
        ),
        (
            &["--listen", &listen, "--policy", "none"],
            &own,
            &["--policy", "friends or open"],
        ),
        (
            &["--listen", &listen, "--threads", "0"],
            &own,
            &["--threads"],
        ),
    ] {
        let said = refusal(&[flags, &["--admin", &admin]].concat(), data, home.path()).await;
        for word in words {
            assert!(said.contains(word), "{word} in {said}");
        }
    }
}

/// What imd says when it does not start.
async fn refusal(flags: &[&str], data: &Path, home: &Path) -> String {
    let mut command = Command::new(program("imd"));
    command
        .args(flags)
        .arg("--data")
        .arg(data)
        .stdout(Stdio::null());
    let log = tempfile::NamedTempFile::new_in(home).unwrap();
    let mut process = Process::start("imd", &mut command, log.path());
    let status = process.end().await;
    assert!(!status.success(), "{flags:?}");
    process.log()
}
