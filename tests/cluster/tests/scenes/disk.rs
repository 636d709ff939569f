//! The disk is full, and has room again: nothing that was called stored is
//! lost, online chat goes on, and nobody has to start anything anew.
//!
//! The disk is a small file system of the daemon's own, where this system lets
//! tests mount one. Elsewhere a limit on the size of files stands for it, as in
//! `node/store/tests/crash.rs`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use client::{Code, Fate, UserId};
use cluster::admin::{figure, is_ready, page, risen};
use cluster::bystanders::Bystanders;
use cluster::imd::Imd;
use cluster::patience::until;
use cluster::person::Person;
use rustix::process::{Resource, Rlimit, prlimit};

/// What the disk is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Mounted,
    Limited,
}

const MOUNT: &str = "mkdir -p \"$0\" && mount -t tmpfs -o size=4m tmpfs \"$0\" && exec \"$@\"";

/// A write beyond the limit is an error, not the end of the process.
const IGNORE: &str = "trap '' XFSZ && exec \"$0\" \"$@\"";

impl Disk {
    fn of_this_system() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut unshare = Command::new("unshare");
        unshare
            .args(["-rm", "sh", "-c", MOUNT])
            .arg(home.path())
            .arg("true");
        let mounts = unshare.stderr(Stdio::null()).status();
        if mounts.is_ok_and(|status| status.success()) {
            Self::Mounted
        } else {
            Self::Limited
        }
    }

    fn starter(self, home: &Path) -> Vec<String> {
        let data = home.join("data").display().to_string();
        let words = match self {
            Self::Mounted => vec!["unshare", "-rm", "sh", "-c", MOUNT, &data],
            Self::Limited => vec!["sh", "-c", IGNORE],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    fn is_filled(self, imd: &mut Imd) {
        if self == Self::Limited {
            return limit(imd, Some(1));
        }
        let mut file = File::create(filling(imd)).unwrap();
        for size in [64 * 1024, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
    }

    fn is_freed(self, imd: &mut Imd) {
        match self {
            Self::Mounted => fs::remove_file(filling(imd)).unwrap(),
            Self::Limited => limit(imd, None),
        }
    }
}

/// A file of somebody else on the daemon's disk.
fn filling(imd: &mut Imd) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", imd.pid()));
    let data = imd.home().join("data/of somebody else");
    root.join(data.strip_prefix("/").unwrap())
}

fn limit(imd: &mut Imd, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(imd.pid()), Resource::Fsize, limit).unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_stored_is_lost() {
    let disk = Disk::of_this_system();
    let settings = "policy = \"open\"\n[shard]\ndelivery_patience = \"10 s\"";
    let starter = |home: &Path| disk.starter(home);
    let mut imd = Imd::start_inside(starter, |_| settings.to_owned()).await;
    let at = imd.address();
    let admin = imd.admin();
    let [ann, ben, cat, eve] =
        ["ann", "ben", "cat", "eve"].map(|name| Person::comes(&at, name, "phone"));
    let (ann, ben, cat, eve) = (ann.await, ben.await, cat.await, eve.await);
    let mut others = Bystanders::begin(ann, ben).await;
    let dan: UserId = "dan".parse().unwrap();
    let mut stored = Vec::new();
    for number in 0..20 {
        cat.leaves_word(&dan, format!("before {number}")).await;
        stored.push(format!("before {number}"));
    }

    disk.is_filled(&mut imd);
    let mut unknown = Vec::new();
    while unknown.len() < 20 {
        assert!(stored.len() < 500, "the disk does not get full");
        let text = format!("while it fills {}", stored.len() + unknown.len());
        match cat.says(&dan, text.clone()).await {
            Fate::Stored { .. } => stored.push(text),
            Fate::Unknown { code } => {
                assert_eq!(code, Code::StoreUnavailable);
                unknown.push(text);
            }
            fate => panic!("{fate:?}"),
        }
    }
    let refused = cat.client.request(&eve.user).await;
    assert!(refused.is_err(), "friends are not made on a full disk");
    assert!(!is_ready(admin).await);
    let why = page(admin, "/readyz").await.unwrap().body;
    assert!(why.contains("the store is closed"), "{why}");
    risen(admin, "im_store_failures_total", 1).await;
    assert_eq!(figure(admin, "im_store_open").await, Some(0));
    others.go_on().await;
    eve.tells(&cat.user, "who is there hears it").await;

    disk.is_freed(&mut imd);
    until("it to serve by itself", async || {
        is_ready(admin).await.then_some(())
    })
    .await;
    for number in 0..20 {
        cat.leaves_word(&dan, format!("after {number}")).await;
        stored.push(format!("after {number}"));
    }
    others.end().await;
    let dan = Person::comes(&at, "dan", "desk").await;
    dan.reads("after 19").await;
    let read = dan.texts();
    let kept = read.iter().filter(|text| !unknown.contains(*text));
    assert!(kept.eq(&stored), "{read:?} has not all of {stored:?}");
    assert!(imd.log().contains("database is open again"));
}
