//! The account's jobs against the pure core: what is stuck, what is late, what is only our queue.

mod account;
mod month;
mod rules;
