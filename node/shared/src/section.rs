//! What an operator may say of a Redis: `store` and `replicas`, and in the
//! section `redis` whom to trust.
//!
//! Owns these keys and flags. Must not know the other keys of a daemon, nor
//! what is kept there.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use node::certificates::{self, CertificateError};
use node::layers::Given;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{self, Count};
use serde::{Deserialize, Deserializer};

use crate::address::Address;
use crate::settings::{Confirm, Settings, Trust};

/// A server that is silent for longer is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Replicas have so long to confirm; less than [`PATIENCE`].
const CONFIRM_PATIENCE: Duration = Duration::from_secs(1);

/// Replicas that are to confirm at most.
const REPLICAS_MAX: Count = Count::of(10);

/// What an address may be, as far as its form goes.
pub const FORMS: &str = "redis://HOST:PORT, redis+cluster://HOST:PORT,…, \
    redis+sentinel://HOST:PORT,…/NAME, or rediss likewise";

const FILE_ALLOWED: &str = "a file in PEM; cert and key together or none";

/// Where is kept what must last, on the command line.
#[derive(Debug, Clone, Args)]
pub struct StoreFlags {
    /// Where what must last is kept: a Redis or Valkey, as redis://HOST:PORT.
    /// Default: in the directory that --data names.
    #[arg(long, value_name = "URL")]
    pub store: Option<Address>,
    /// With --store: replicas that must have what is told stored. Default: 0.
    #[arg(long, value_name = "COUNT")]
    pub replicas: Option<u32>,
}

impl StoreFlags {
    /// Puts over it what the command line and the environment say.
    pub fn put_over(
        self,
        (store, replicas): (&mut Option<Address>, &mut u32),
        given: &mut Given<'_>,
    ) {
        given.put("store", "store", store, self.store.map(Some));
        given.put("replicas", "replicas", replicas, self.replicas);
    }
}

/// Reads an address from a settings file.
///
/// # Errors
/// It is none.
pub fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Address>, D::Error> {
    value::text(from, FORMS).map(Some)
}

/// Puts `store` and `replicas` on the sheet.
pub fn describe(store: Option<&Address>, replicas: u32, sheet: &mut Sheet) {
    let shown = store.map(|address| format!("\"{address}\""));
    sheet.optional("store", shown, FORMS, Reload::No);
    sheet.ranged(
        "replicas",
        Count::of(u64::from(replicas)),
        [Count::of(0), REPLICAS_MAX],
        Reload::No,
    );
    if store.is_none() && replicas != 0 {
        sheet.wrong("replicas", replicas, "0 without store");
    }
}

/// How the store is used that these settings name.
pub fn settings(address: &Address, replicas: u32, trust: Trust) -> Settings {
    Settings {
        address: address.clone(),
        trust,
        patience: PATIENCE,
        confirm: (replicas > 0).then_some(Confirm {
            replicas,
            patience: CONFIRM_PATIENCE,
        }),
    }
}

/// TLS towards Redis on the command line.
#[derive(Debug, Clone, Args)]
pub struct RedisFlags {
    /// By whom the certificate of a rediss:// server must be signed (PEM).
    /// Default: whom the system trusts.
    #[arg(long, value_name = "FILE")]
    pub redis_ca: Option<PathBuf>,
    /// The certificate that is shown to it (PEM).
    #[arg(long, value_name = "FILE")]
    pub redis_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE")]
    pub redis_key: Option<PathBuf>,
}

impl RedisFlags {
    /// Reads the files, for a program without a settings file.
    ///
    /// # Errors
    /// One of them cannot be read, or the two do not fit.
    pub fn trust(self) -> Result<Trust, CertificateError> {
        let section = RedisSection {
            ca: self.redis_ca,
            cert: self.redis_cert,
            key: self.redis_key,
        };
        section.trust()
    }
}

/// TLS towards Redis in a settings file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisSection {
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl RedisSection {
    /// Puts over it what the command line and the environment say.
    pub fn put_over(&mut self, flags: RedisFlags, given: &mut Given<'_>) {
        let pairs = [
            ("redis_ca", "redis.ca", &mut self.ca, flags.redis_ca),
            ("redis_cert", "redis.cert", &mut self.cert, flags.redis_cert),
            ("redis_key", "redis.key", &mut self.key, flags.redis_key),
        ];
        for (argument, key, target, value) in pairs {
            given.put(argument, key, target, value.map(Some));
        }
    }

    /// Puts its keys on the sheet.
    pub fn describe(&self, sheet: &mut Sheet) {
        sheet.section("redis");
        let files = [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)];
        for (key, file) in files {
            sheet.file(key, file.as_ref(), FILE_ALLOWED, Reload::No);
        }
        for (key, file, other) in [
            ("cert", &self.cert, &self.key),
            ("key", &self.key, &self.cert),
        ] {
            if file.is_none() && other.is_some() {
                sheet.wrong(key, "not set", FILE_ALLOWED);
            }
        }
    }

    /// Reads the files; the sheet is told of those that are not good.
    pub fn open(&self, sheet: &mut Sheet) -> Trust {
        sheet.section("redis");
        let key = match self.ca {
            Some(_) => "ca",
            None => "cert",
        };
        self.trust().unwrap_or_else(|error| {
            sheet.wrong(key, error, FILE_ALLOWED);
            Trust::default()
        })
    }

    fn trust(&self) -> Result<Trust, CertificateError> {
        let authority = self.ca.as_deref().map(certificates::read_chain);
        let own = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                let own = (
                    certificates::read_chain(cert)?,
                    certificates::read_key(key)?,
                );
                certificates::fits(&own.0, &own.1)?;
                Some(own)
            }
            _ => None,
        };
        Ok(Trust {
            authority: authority.transpose()?,
            own,
        })
    }
}
