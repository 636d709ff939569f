//! `login`: what it costs to log in, with a friend list, presence and a
//! snapshot.
//!
//! Owns the order of the run. Must not know how log-ins are driven.

use anyhow::{Context, Result};
use proto::client::Login;

use crate::arguments::{self, Signature};
use crate::befriend;
use crate::crowd::{Crowd, Expected};
use crate::launch::Launch;
use crate::meter::{self, Meter};
use crate::report::Report;
use crate::ring::Ring;
use crate::run::allow_files;
use crate::target::Target;
use crate::token::Issuer;

/// `login`
pub fn run(login: &arguments::Login) -> Result<Report> {
    let (users, in_flight) = (login.graph.users.get(), login.in_flight.get());
    allow_files(users)?;
    let ring = Ring::new(users, login.graph.friends)?;
    let target = befriend::start(&login.cluster, ring, users)?;
    let (issuer, key) = Issuer::new(target.directory())?;
    let issuer = (login.token == Signature::Eddsa).then_some(issuer);
    let launch = Launch {
        key: issuer.as_ref().map(|_| key),
        ..Launch::by_default()
    };
    let mut target = target.relaunch(&login.cluster, &launch)?;
    let mut crowd = Crowd::new(ring, users, &target)?;

    let logins = signed(crowd.logins(), issuer.as_ref())?;
    meter::settle(&target)?;
    let meter = Meter::start(&target)?;
    let put_off = crowd.enter(logins, in_flight, Expected::All, &mut target)?;
    let spent = meter.stop(&target)?;
    let done = users as u64;
    let report = Report {
        sessions: users,
        friends_per_user: Some(login.graph.friends),
        token: Some(login.token.name()),
        per_s: spent.per_s(done),
        put_off: Some(put_off),
        cpu_us_per_login: spent.us_per(done),
        friendd_requests: Some(asked(&target)?),
        ..Report::of_cluster("login", &login.cluster).with_parts(&spent, done)
    };
    if !login.again {
        return Ok(report);
    }
    crowd.leave(&mut target)?;
    let mut logins = signed(crowd.logins(), issuer.as_ref())?;
    for (user, login) in logins.iter_mut().enumerate() {
        login.friends_hash = Some(ring.list_hash(user)?);
    }
    again(report, &mut crowd, logins, in_flight, &mut target)
}

/// Once more, with the hashes of the lists.
fn again(
    report: Report,
    crowd: &mut Crowd,
    logins: Vec<Login>,
    in_flight: usize,
    target: &mut Target,
) -> Result<Report> {
    let done = logins.len() as u64;
    let before = asked(target)?;
    let meter = Meter::start(target)?;
    let put_off = crowd.enter(logins, in_flight, Expected::All, target)?;
    let spent = meter.stop(target)?;
    Ok(Report {
        put_off: report.put_off.map(|first| first + put_off),
        again_cpu_us_per_login: spent.us_per(done),
        again_friendd_requests: Some(asked(target)?.saturating_sub(before)),
        ..report
    })
}

/// What friendd has been asked by now. Counters are published now and then, so
/// the servers come to rest first.
fn asked(target: &Target) -> Result<u64> {
    meter::settle(target)?;
    let requests = target.friendd_requests()?;
    requests.context("nobody counts what friendd is asked")
}

fn signed(mut logins: Vec<Login>, issuer: Option<&Issuer>) -> Result<Vec<Login>> {
    let Some(issuer) = issuer else {
        return Ok(logins);
    };
    for login in &mut logins {
        // The token says who it is.
        let user = login.user.take().context("a log-in without a user")?;
        login.token = issuer.issue(&user)?;
    }
    Ok(logins)
}
