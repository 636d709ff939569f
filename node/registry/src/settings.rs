//! What an operator may say about the registry: `registry` and `lease`, in
//! place of the list `shards`.
//!
//! Owns these keys and flags. Must not know the other keys of a daemon.

use clap::Args;
use node::layers::Given;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::Span;
use node::shards::{self, ShardAddress};
use shared::{Address, Trust};

use crate::client::Place;

/// What a registry may be.
const ALLOWED: &str = "redis://HOST:PORT, redis+cluster://HOST:PORT,…, \
    redis+sentinel://HOST:PORT,…/NAME, or rediss likewise; without shards";

/// How long a lease may be.
const LEASES: [Span; 2] = [Span::s(1), Span::s(60)];

/// How long a lease is where nobody says it.
pub const LEASE: Span = Span::s(3);

/// The registry on the command line.
#[derive(Debug, Clone, Args)]
pub struct RegistryFlags {
    /// Where shards and gateways find each other, in place of --shard: a
    /// Redis, as redis://HOST:PORT.
    #[arg(long, value_name = "URL")]
    pub registry: Option<Address>,
    /// A shard that the registry has not heard of for so long loses its slots;
    /// the same in every connd and msgd. Default: 3 s.
    #[arg(long, value_name = "TIME")]
    pub lease: Option<Span>,
}

impl RegistryFlags {
    /// Puts over it what the command line and the environment say.
    pub fn put_over(
        self,
        (registry, lease): (&mut Option<Address>, &mut Span),
        given: &mut Given<'_>,
    ) {
        given.put("registry", "registry", registry, self.registry.map(Some));
        given.put("lease", "lease", lease, self.lease);
    }
}

/// Puts `shards`, `registry` and `lease` on the sheet: either the list or the
/// registry is given.
pub fn describe(
    shards: &[ShardAddress],
    registry: Option<&Address>,
    lease: Span,
    sheet: &mut Sheet,
) {
    let shown = registry.map(|address| format!("\"{address}\""));
    match &shown {
        None => shards::describe(shards, sheet),
        Some(shown) if !shards.is_empty() => sheet.wrong("registry", shown, ALLOWED),
        Some(_) => {}
    }
    sheet.optional("registry", shown, ALLOWED, Reload::No);
    sheet.ranged("lease", lease, LEASES, Reload::No);
}

/// Where the registry is, if there is one.
pub fn place(registry: Option<&Address>, trust: &Trust, lease: Span) -> Option<Place> {
    Some(Place {
        address: registry?.clone(),
        trust: trust.clone(),
        lease: lease.into(),
    })
}
