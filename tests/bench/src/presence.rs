//! `presence`: all users turn visible at once; what it costs to tell their
//! friends.
//!
//! Owns the order of the run. Must not know how sessions are driven.

use std::time::Duration;

use anyhow::{Result, ensure};
use proto::client::ClientPacket;
use proto::status::{Availability, Status};

use crate::arguments::Presence;
use crate::befriend;
use crate::crowd::{Crowd, Expected};
use crate::launch::Launch;
use crate::meter::{self, Meter};
use crate::report::Report;
use crate::ring::Ring;
use crate::run::allow_files;

/// Log-ins at a time.
const LOGINS: usize = 64;
/// All friends are told in this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// `presence`
pub fn run(presence: &Presence) -> Result<Report> {
    let users = presence.graph.users.get();
    allow_files(users)?;
    let ring = Ring::new(users, presence.graph.friends)?;
    let target = befriend::start(&presence.cluster, ring, users)?;
    let mut target = target.relaunch(&presence.cluster, &Launch::by_default())?;
    let mut crowd = Crowd::new(ring, users, &target)?;
    let mut logins = crowd.logins();
    for login in &mut logins {
        login.status = Some(Status::plain(Availability::Invisible));
    }
    let put_off = crowd.enter(logins, LOGINS, Expected::Nobody, &mut target)?;

    meter::settle(&target)?;
    crowd.catch_up()?;
    let meter = Meter::start(&target)?;
    for user in 0..users {
        crowd
            .pool
            .put(user, &ClientPacket::SetStatus(Status::online()));
    }
    let news = crowd.until_all_online(PATIENCE, &mut target)?;
    let spent = meter.stop(&target)?;
    let expected = (users * presence.graph.friends) as u64;
    ensure!(
        news.came_online == expected,
        "{} of {expected} notifications arrived",
        news.came_online
    );
    Ok(Report {
        sessions: users,
        friends_per_user: Some(presence.graph.friends),
        put_off: Some(put_off),
        notifications: Some(news.came_online),
        duplicates: Some(news.repeated),
        per_s: spent.per_s(expected),
        cpu_us_per_notification: spent.us_per(expected),
        friendd_requests: target.friendd_requests()?,
        ..Report::of_cluster("presence", &presence.cluster).with_parts(&spent, expected)
    })
}
