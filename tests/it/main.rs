//! One binary for all integration tests: linking once keeps the suite quick.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is test code, helpers included: a test that cannot go on panics"
)]
#![allow(clippy::cast_precision_loss, reason = "sizes in tests are small")]

mod admin;
mod architecture;
mod bad_days;
mod config;
mod deliver;
mod demo;
mod faulty;
mod golden;
mod golden_days;
mod grafana;
mod http;
mod metrics;
mod notify;
mod openapi;
mod outage;
mod probes;
mod sample_view;
mod simulator;
mod status_page;
mod store;
mod support;
mod systemd;
mod tls;
mod verdicts;
mod web;
