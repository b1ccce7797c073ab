//! The hands of the orchestrator: the relay of facts, and the drivers of VIMs and VNFMs.
//!
//! ```text
//!   workflow ──▶ vim.ensure, vim.remove ──▶ driver ──▶ VIM
//!                      │ under way                      ▲
//!                      └──▶ queue `watch` ──────────────┘ look again, then resume the workflow
//!   facts ──▶ relay ──▶ runs started, waiters resumed, events published
//! ```

mod drive;
mod relay;
mod resources;
#[cfg(test)]
mod tests;
pub mod vim;
mod watch;

use mano_ports::{
    consumer,
    function::{Consumer, Function, Listener, Step},
    listener, step,
};

/// The function's tables.
pub static FUNCTION: Function = Function {
    name: "adapters",
    routes: &[],
    steps: STEPS,
    listeners: LISTENERS,
    consumers: CONSUMERS,
    requests: &[],
};

const STEPS: &[Step] =
    &[step!("vim.ensure" => resources::ensure), step!("vim.remove" => resources::remove)];

const LISTENERS: &[Listener] = &[
    listener!("relay-start", ["*.started"] => relay::start),
    listener!("relay-resume", ["*.ended"] => relay::resume),
    listener!("relay-publish", ["*"] => relay::publish),
];

const CONSUMERS: &[Consumer] = &[consumer!("watch" => watch::look_again)];
