//! The clock of the server is set back an hour, and a month forward, while
//! people are there: nothing that counts by time goes wrong.

use std::fs;
use std::path::{Path, PathBuf};

use client::{Availability, Stamp};
use cluster::bystanders::Bystanders;
use cluster::imd::Imd;
use cluster::person::{Person, befriend};

/// What lets a process see another time, from a file that a test writes.
fn library() -> PathBuf {
    let places = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut places = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    let found = places.find(|path| path.exists());
    found.expect("faketime is missing: tests/run --install installs it")
}

/// The clock is so much off, as `-1h`.
fn set(home: &Path, by: &str) {
    // Renamed into its place, so that nobody reads half of it.
    let draft = home.join("clock.new");
    fs::write(&draft, format!("{by}\n")).unwrap();
    fs::rename(draft, home.join("clock")).unwrap();
}

fn starter(home: &Path) -> Vec<String> {
    set(home, "+0");
    let file = home.join("clock");
    let words = [
        "env".to_owned(),
        format!("LD_PRELOAD={}", library().display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", file.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    words.to_vec()
}

#[tokio::test]
async fn the_clock_is_set_back_an_hour_and_a_month_forward() {
    let settings = "policy = \"open\"\n[shard]\ndelivery_patience = \"10 s\"";
    let imd = Imd::start_inside(starter, |_| settings.to_owned()).await;
    let at = imd.address();
    let comes = |name: &'static str| Person::comes(&at, name, "phone");
    let mut others = Bystanders::come(&at).await;
    let (cat, dan) = (comes("cat").await, comes("dan").await);
    befriend(&cat, &dan).await;
    let dan_id = dan.user.clone();
    dan.leaves().await;
    cat.sees(&dan_id, Availability::Offline).await;

    let mut last = Stamp(0);
    let mut letters = Vec::new();
    for (round, by) in ["+0", "-1h", "+0", "+31d", "+0", "-1h"]
        .into_iter()
        .enumerate()
    {
        set(imd.home(), by);
        others.go_on().await;
        for number in 0..5 {
            let text = format!("letter {round}.{number}");
            let stamp = cat.leaves_word(&dan_id, text.clone()).await;
            assert!(stamp > last, "{text}: {stamp:?} after {last:?}");
            last = stamp;
            letters.push(text);
        }
        // Who comes and goes is seen coming and going.
        let eve = comes("eve").await;
        befriend_once(&cat, &eve, round).await;
        cat.sees(&eve.user, Availability::Online).await;
        let eve_id = eve.user.clone();
        eve.leaves().await;
        cat.sees(&eve_id, Availability::Offline).await;
    }
    let dan = Person::comes(&at, "dan", "desk").await;
    dan.reads(letters.last().unwrap()).await;
    assert_eq!(dan.texts(), letters);
    let stamps: Vec<Stamp> = dan.messages().iter().map(|m| m.stamp).collect();
    assert!(stamps.is_sorted(), "{stamps:?}");
    others.end().await;
}

async fn befriend_once(cat: &Person, eve: &Person, round: usize) {
    if round == 0 {
        befriend(cat, eve).await;
    }
}
