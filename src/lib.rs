//! Is it HeyGen, or is it us?
//!
//! The crate behind the `heygen-monitor` daemon. Data flows one way: `config` → `engine::schedule`
//! → `probe` → observation → outcome → verdict → alert state → incident → outbox → `notify`; see
//! `docs/architecture.md` for the rooms of the house and who may enter which.

pub mod model;

pub mod admin;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod engine;
pub mod fault;
pub mod heygen;
pub mod http_client;
pub mod http_server;
pub mod metrics;
pub mod monitor;
pub mod notify;
pub mod probe;
pub mod secret;
pub mod simulator;
pub mod store;
pub mod systemd;
pub mod web;
pub mod wire;

/// An error with all its causes, for a log line: `cannot commit: disk full`.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
