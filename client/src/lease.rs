//! Who holds a session: while a handle is left, it is driven.

use std::fmt;
use std::sync::Arc;

use crate::shared::Shared;

/// The handles' common hold on the session. When the last goes, the connection
/// is dropped without a log-out.
pub(crate) struct Lease(Arc<Shared>);

impl Lease {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}
