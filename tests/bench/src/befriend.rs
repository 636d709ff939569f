//! Makes a friend graph through the public protocol: each friendship is asked
//! for and accepted.
//!
//! Owns which friendships are under way. Must not know what is measured later.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use proto::client::{ChangeFriend, ClientPacket};
use proto::codes::{Code, Next};
use proto::friends::FriendAction;
use proto::server::ServerPacket;

use crate::arguments::Cluster;
use crate::crowd::{Crowd, Expected};
use crate::deadline::Deadline;
use crate::launch::Launch;
use crate::ring::{self, Ring};
use crate::target::Target;

/// Log-ins at a time.
const LOGINS: usize = 64;
/// Friendships under way at a time.
const FRIENDSHIPS: usize = 256;
const PATIENCE: Duration = Duration::from_secs(300);
/// The one thing that is not at its default while friends are made.
const SETTINGS: &str = "[gateway]\nrequests_per_second = 1000000\n";

/// Starts a cluster, makes the graph, and leaves no one logged in.
pub fn start(cluster: &Cluster, ring: Ring, users: usize) -> Result<Target> {
    let launch = Launch {
        gateway_settings: SETTINGS.to_owned(),
        ..Launch::by_default()
    };
    let mut target = Target::cluster(cluster, &launch)?;
    let mut crowd = Crowd::new(ring, users, &target)?;
    let logins = crowd.logins();
    crowd.enter(logins, LOGINS, Expected::Any, &mut target)?;
    make(&mut crowd, ring, &mut target)?;
    crowd.leave(&mut target)?;
    Ok(target)
}

fn make(crowd: &mut Crowd, ring: Ring, target: &mut Target) -> Result<()> {
    let friendships: Vec<_> = ring.friendships().collect();
    let mut deadline = Deadline::new("making friends", PATIENCE);
    let (mut begun, mut done) = (0, 0);
    while done < friendships.len() {
        deadline.check(target)?;
        while begun < friendships.len() && begun - done < FRIENDSHIPS {
            let (from, to) = friendships[begun];
            change(crowd, begun, FriendAction::Request, from, to)?;
            begun += 1;
        }
        for (at, event) in crowd.pool.turn()? {
            let (number, code) = match crowd.packet(at, event)? {
                ServerPacket::FriendResult { request, code } => (request as usize, code),
                ServerPacket::Closing(closing) => bail!("u{at} was closed: {}", closing.code),
                _ => continue,
            };
            ensure!(number < begun, "u{at} got a result of no change: {number}");
            let (from, to) = friendships[number];
            let asked = at == from;
            let again = code.is_some_and(is_retryable);
            ensure!(
                code.is_none() || again,
                "u{from} and u{to} do not become friends: {code:?}"
            );
            match (asked, again) {
                (true, true) => change(crowd, number, FriendAction::Request, from, to)?,
                (true, false) | (false, true) => {
                    change(crowd, number, FriendAction::Accept, to, from)?;
                }
                (false, false) => done += 1,
            }
        }
    }
    Ok(())
}

fn is_retryable(code: Code) -> bool {
    code.next() == Next::Again
}

fn change(
    crowd: &mut Crowd,
    number: usize,
    action: FriendAction,
    from: usize,
    peer: usize,
) -> Result<()> {
    let change = ChangeFriend {
        request: number as u32,
        action,
        peer: ring::name(peer)?,
    };
    crowd.pool.put(from, &ClientPacket::ChangeFriend(change));
    Ok(())
}
