//! The section `lines` of a settings file: the door for lines.
//!
//! Owns where it listens and what it goes by. Must not know what a line says.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use connd_line::Settings;
use node::layers::Given;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::Span;
use serde::Deserialize;

use crate::keys::TokensSection;
use crate::section::GatewaySection;

/// The keys of the door for lines, on the command line.
#[derive(Debug, Clone, Args)]
pub struct LinesFlags {
    /// Where lines are taken (connd/LINES.md). In open mode a loopback address.
    /// Not set: nowhere.
    #[arg(long, value_name = "IP:PORT")]
    lines: Option<SocketAddr>,
}

/// The section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinesSection {
    /// Where lines are taken.
    pub listen: Option<SocketAddr>,
    history: Span,
}

impl Default for LinesSection {
    fn default() -> Self {
        Self {
            listen: None,
            history: Settings::default().history.into(),
        }
    }
}

impl LinesSection {
    /// Puts what was given over what the file says.
    pub fn put_over(&mut self, flags: LinesFlags, given: &mut Given<'_>) {
        let listen = flags.lines.map(Some);
        given.put("lines", "lines.listen", &mut self.listen, listen);
    }

    /// Puts its keys on the sheet.
    pub fn describe(&self, tokens: &TokensSection, sheet: &mut Sheet) {
        sheet.section("lines");
        let allowed = "IP:PORT; without keys a loopback address";
        let listen = self.listen.map(|listen| format!("\"{listen}\""));
        sheet.optional("listen", listen, allowed, Reload::No);
        if let Some(listen) = self.listen
            && tokens.is_open()
            && !listen.ip().is_loopback()
        {
            sheet.wrong("listen", listen, allowed);
        }
        let range = [Span::s(300), Span::d(3_650)];
        sheet.ranged("history", self.history, range, Reload::Yes);
    }

    /// Takes what SIGHUP may change.
    pub fn take_over(&mut self, new: &Self) {
        self.history = new.history;
    }

    /// What doors go by.
    pub fn settings(&self, gateway: &GatewaySection) -> Arc<Settings> {
        Arc::new(Settings {
            history: self.history.into(),
            requests_per_second: gateway.core().requests_per_second,
        })
    }
}
