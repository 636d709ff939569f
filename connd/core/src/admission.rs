//! Who may connect and log in.
//!
//! Owns the counts by address and the rate of log-ins. Both are bounded by the
//! number of connections. Must not know what a log-in says.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use proto::clock::Moment;
use proto::codes::Code;
use proto::rate::{Allowance, Usage};

use crate::settings::Settings;

/// The door.
#[derive(Debug)]
pub struct Admission {
    sessions_max: usize,
    per_address_max: usize,
    sessions: usize,
    by_address: HashMap<IpAddr, usize>,
    logins: Usage,
    allowance: Allowance,
}

impl Admission {
    /// An empty house.
    pub fn new(settings: &Settings) -> Self {
        Self {
            sessions_max: settings.sessions_max,
            per_address_max: settings.sessions_per_address_max,
            sessions: 0,
            by_address: HashMap::new(),
            logins: Usage::default(),
            allowance: logins(settings),
        }
    }

    /// Other bounds from now on; who is in stays.
    pub fn set_settings(&mut self, settings: &Settings) {
        self.sessions_max = settings.sessions_max;
        self.per_address_max = settings.sessions_per_address_max;
        self.allowance = logins(settings);
    }

    /// Counts a connection in, or says why not.
    pub fn enter(&mut self, address: IpAddr) -> Result<(), Code> {
        if self.sessions >= self.sessions_max {
            return Err(Code::Overloaded);
        }
        let here = self.by_address.entry(address).or_default();
        if *here >= self.per_address_max {
            return Err(Code::TooManyConnections);
        }
        *here += 1;
        self.sessions += 1;
        Ok(())
    }

    /// Counts a connection out.
    pub fn leave(&mut self, address: IpAddr) {
        let Some(here) = self.by_address.get_mut(&address) else {
            debug_assert!(false, "left without entering");
            return;
        };
        *here -= 1;
        if *here == 0 {
            self.by_address.remove(&address);
        }
        self.sessions -= 1;
    }

    /// Takes one log-in of the rate, or says after how long to come back.
    pub fn login(&mut self, now: Moment) -> Result<(), Duration> {
        self.logins.take(now, &self.allowance)
    }
}

fn logins(settings: &Settings) -> Allowance {
    let per_second = settings.logins_per_second;
    Allowance::new(per_second, per_second)
}
