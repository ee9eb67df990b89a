//! One binary for all integration tests: linking once keeps the suite quick.

#![allow(
    clippy::unwrap_used,
    reason = "all of this is test code, helpers included: a test that cannot go on panics"
)]
#![allow(clippy::cast_precision_loss, reason = "sizes in tests are small")]

mod admin;
mod architecture;
mod bad_days;
mod caps;
mod cli;
mod cli_jobs;
mod cli_probe;
mod cli_report;
mod cli_silence;
mod cli_status;
mod clock_jump;
mod config;
mod deliver;
mod demo;
mod disk;
mod faulty;
mod golden;
mod golden_days;
mod golden_jobs;
mod grafana;
mod http;
mod jobs;
mod kill_jobs;
mod kills;
mod logs;
mod metrics;
mod notify;
mod openapi;
mod outage;
mod peers;
mod probes;
mod prometheus;
mod real_time;
mod sample_view;
mod simulator;
mod status_page;
mod store;
mod support;
mod systemd;
mod tls;
mod uptime;
mod verdicts;
mod web;
