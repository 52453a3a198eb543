//! What the links carry, for CLUSTER LINKS and CLUSTER INFO. The bus thread writes, workers read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::cluster::protocol::LinkId;

/// The send buffer of one link.
#[derive(Debug, Default)]
pub struct LinkGauge {
    /// Bytes of memory that it takes.
    pub allocated: AtomicU64,
    /// Bytes that wait in it.
    pub used: AtomicU64,
}

/// All links.
#[derive(Debug, Default)]
pub struct Traffic {
    gauges: Mutex<HashMap<LinkId, Arc<LinkGauge>>>,
    overflows: AtomicU64,
}

impl Traffic {
    /// The gauge of a link; `None` for one that has ended.
    pub fn gauge(&self, link: LinkId) -> Option<Arc<LinkGauge>> {
        self.gauges.lock().get(&link).cloned()
    }

    /// How many links were ended because they had more to send than `cluster-link-sendbuf-limit` allows.
    pub fn overflows(&self) -> u64 {
        self.overflows.load(Relaxed)
    }

    pub(super) fn opened(&self, link: LinkId) -> Arc<LinkGauge> {
        let gauge = Arc::<LinkGauge>::default();
        self.gauges.lock().insert(link, gauge.clone());
        gauge
    }

    pub(super) fn closed(&self, link: LinkId) {
        self.gauges.lock().remove(&link);
    }

    pub(super) fn overflowed(&self) {
        self.overflows.fetch_add(1, Relaxed);
    }
}
