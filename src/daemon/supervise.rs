//! Keeps an eye on the loops: a panic is counted, and a core loop that ends brings the daemon down
//! so that the service manager starts it afresh (facts I37).

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;

use crate::metrics::{Metrics, Task};

/// The loops, and what ends them.
#[derive(Clone)]
pub(super) struct Loops {
    pub(super) tracker: TaskTracker,
    pub(super) cancel: CancellationToken,
    /// Cancelled when a core loop ended although nobody asked it to.
    pub(super) failed: CancellationToken,
    pub(super) metrics: Arc<Metrics>,
}

impl Loops {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            tracker: TaskTracker::new(),
            cancel: CancellationToken::new(),
            failed: CancellationToken::new(),
            metrics,
        }
    }

    /// Spawns a loop without which the daemon is of no use.
    pub(super) fn spawn(&self, task: Task, work: impl Future<Output = ()> + Send + 'static) {
        let this = self.clone();
        self.tracker.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                error!("the {task:?} loop panicked; this is a defect of heygen-monitor");
                this.metrics.panicked(task);
            }
            if !this.cancel.is_cancelled() {
                this.failed.cancel();
            }
        });
    }
}
