//! Verdicts and messages of the pure core, as tables: no network, no clock, no disk.

mod by_check;
mod by_daemon;
mod daemon;
mod past;
mod peers;
mod restart;
mod substitutes;
mod told;
mod world;
