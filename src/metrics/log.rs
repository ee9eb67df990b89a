//! Counts log messages by level, beside whatever writes them.
//!
//! Owns nothing but the way from the log to the counter: logging starts before the configuration
//! is read, so the metrics come later. Invariant: it never logs.

use std::sync::{Arc, OnceLock};

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::Metrics;

/// The layer that counts; put the log's filter on the layer that writes, or on this one too.
/// Clones count into the same metrics.
#[derive(Debug, Clone, Default)]
pub struct LogCounter {
    metrics: Arc<OnceLock<Arc<Metrics>>>,
}

impl LogCounter {
    /// Counts into `metrics` from now on. The first call wins: a process has one daemon.
    pub fn count_into(&self, metrics: &Arc<Metrics>) {
        // A second daemon in one process (in tests) keeps its own counts at 0.
        drop(self.metrics.set(Arc::clone(metrics)));
    }
}

impl<S: Subscriber> Layer<S> for LogCounter {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if let Some(metrics) = self.metrics.get() {
            metrics.logged(*event.metadata().level());
        }
    }
}
