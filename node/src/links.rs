//! TLS between daemons, as an operator sets it: by flags, or in the section
//! `links` of a settings file.
//!
//! Owns how certificates are named, and that an address which others reach has
//! some: that for other daemons, and the admin port. Must not know what travels.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use tonic::service::Routes;

use crate::admin::{Admin, AdminError, Ready};
use crate::certificates::{self, CertificateError, Certificates};
use crate::layers::Given;
use crate::metrics::Metrics;
use crate::secure::Secure;
use crate::settings::sheet::{Reload, Sheet};
use crate::shards::is_host_and_port;

/// TLS between daemons on the command line.
#[derive(Debug, Clone, Args)]
pub struct LinksFlags {
    /// By whom certificates of other daemons must be signed (PEM). With it
    /// links are secure: both ends show a certificate.
    #[arg(long, value_name = "FILE")]
    pub link_ca: Option<PathBuf>,
    /// The certificate that this daemon shows to others (PEM).
    #[arg(long, value_name = "FILE")]
    pub link_cert: Option<PathBuf>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE")]
    pub link_key: Option<PathBuf>,
    /// Certificates for trying, for loopback addresses; made in this directory
    /// if it is not there. The same for all daemons.
    #[arg(long, value_name = "DIRECTORY")]
    pub link_development: Option<PathBuf>,
    /// Where operators of other machines reach the admin port. With it the port
    /// speaks TLS: both ends show a certificate, as daemons do to each other.
    #[arg(long, value_name = "HOST:PORT")]
    pub admin_public: Option<String>,
}

/// TLS between daemons in a settings file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinksSection {
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    development: Option<PathBuf>,
    admin_public: Option<String>,
}

/// What files may be.
const FILE_ALLOWED: &str = "a file in PEM; ca, cert and key together or none";
const ADMIN_ALLOWED: &str = "IP:PORT; without admin_public a loopback address";
const PUBLIC_ALLOWED: &str = "HOST:PORT; with certificates";
const DEVELOPMENT_ALLOWED: &str = "a directory; without ca, cert and key";

impl LinksSection {
    /// Puts over it what the command line and the environment say.
    pub fn put_over(&mut self, flags: LinksFlags, given: &mut Given<'_>) {
        let pairs = [
            ("link_ca", "links.ca", &mut self.ca, flags.link_ca),
            ("link_cert", "links.cert", &mut self.cert, flags.link_cert),
            ("link_key", "links.key", &mut self.key, flags.link_key),
            (
                "link_development",
                "links.development",
                &mut self.development,
                flags.link_development,
            ),
        ];
        for (argument, key, target, value) in pairs {
            given.put(argument, key, target, value.map(Some));
        }
        let public = flags.admin_public.map(Some);
        given.put(
            "admin_public",
            "links.admin_public",
            &mut self.admin_public,
            public,
        );
    }

    /// Puts its keys on the sheet.
    pub fn describe(&self, sheet: &mut Sheet) {
        sheet.section("links");
        let files = [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)];
        for (key, file) in files {
            sheet.file(key, file.as_ref(), FILE_ALLOWED, Reload::No);
        }
        let development = self.development.as_ref();
        sheet.file("development", development, DEVELOPMENT_ALLOWED, Reload::No);
        let public = self.admin_public.as_ref();
        sheet.optional(
            "admin_public",
            public.map(|public| format!("\"{public}\"")),
            PUBLIC_ALLOWED,
            Reload::No,
        );
        let certified = self.ca.is_some() || self.development.is_some();
        let is_good = |public: &&String| is_host_and_port(public) && certified;
        if let Some(public) = public.filter(|public| !is_good(public)) {
            sheet.wrong("admin_public", public, PUBLIC_ALLOWED);
        }
        let set = files.iter().filter(|(_, file)| file.is_some()).count();
        if set != 0 && set != files.len() {
            for (key, _) in files.iter().filter(|(_, file)| file.is_none()) {
                sheet.wrong(key, "not set", FILE_ALLOWED);
            }
        }
        if let Some(directory) = development.filter(|_| set != 0) {
            sheet.wrong("development", directory.display(), DEVELOPMENT_ALLOWED);
        }
    }

    /// Puts the address at which other daemons connect on the sheet: whoever
    /// reaches it without a certificate could be any of them.
    pub fn describe_listen(&self, listen: SocketAddr, sheet: &mut Sheet) {
        let allowed = "IP:PORT; without certificates (links) a loopback address";
        sheet.words("listen", listen, allowed, Reload::No);
        if self.ca.is_none() && !listen.ip().is_loopback() {
            sheet.wrong("listen", listen, allowed);
        }
    }

    /// Puts the admin address on the sheet: whoever reaches it without a
    /// certificate could be an operator.
    pub fn describe_admin(&self, admin: SocketAddr, sheet: &mut Sheet) {
        sheet.words("admin", admin, ADMIN_ALLOWED, Reload::No);
        if self.admin_public.is_none() && !admin.ip().is_loopback() {
            sheet.wrong("admin", admin, ADMIN_ALLOWED);
        }
    }

    /// Opens the admin port; gives it and how operators reach it: an address,
    /// with `https://` before it where TLS is spoken.
    ///
    /// # Errors
    /// The certificates cannot be used, or the address is not to be had.
    pub async fn open_admin(
        &self,
        (address, certificates): (SocketAddr, Option<&Certificates>),
        (metrics, ready, routes): (Metrics, Ready, Routes),
    ) -> Result<(Admin, String), AdminError> {
        let (secure, public) = match (certificates, &self.admin_public) {
            (Some(certificates), Some(public)) => (Some(Secure::new(certificates)?), Some(public)),
            _ => (None, None),
        };
        let admin = Admin::bind((address, secure), metrics, ready, routes).await?;
        let reached = match public {
            Some(public) => format!("https://{public}"),
            None => admin.address().to_string(),
        };
        Ok((admin, reached))
    }

    /// Reads the certificates; the sheet is told of those that are none. None:
    /// links are plain.
    pub fn open(&self, sheet: &mut Sheet) -> Option<Certificates> {
        sheet.section("links");
        let (key, allowed) = match self.ca {
            Some(_) => ("cert", FILE_ALLOWED),
            None => ("development", DEVELOPMENT_ALLOWED),
        };
        self.certificates().unwrap_or_else(|error| {
            sheet.wrong(key, error, allowed);
            None
        })
    }

    fn certificates(&self) -> Result<Option<Certificates>, CertificateError> {
        if let (Some(ca), Some(cert), Some(key)) = (&self.ca, &self.cert, &self.key) {
            let read = Certificates {
                ca: certificates::read_chain(ca)?,
                chain: certificates::read_chain(cert)?,
                key: certificates::read_key(key)?,
            };
            certificates::fits(&read.chain, &read.key)?;
            return Ok(Some(read));
        }
        let development = self.development.as_deref();
        development.map(certificates::development).transpose()
    }
}
