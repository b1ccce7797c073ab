//! The hands of the orchestrator: the drivers of VIMs, and the way out for facts.
//!
//! ```text
//!   workflow ──▶ vim.ensure, vim.remove ──▶ driver ──▶ VIM
//!                      │ under way                      ▲
//!                      └──▶ queue `watch` ──────────────┘ look again, then resume the workflow
//!   /mano/v1/vims/{vimId}/resources, …/behaviour ──▶ driver
//!   facts ──▶ relay ──▶ events published
//! ```

mod drive;
mod existing;
mod publish;
mod resources;
mod simulated;
#[cfg(test)]
mod tests;
pub mod vim;
mod watch;

use mano_ports::{
    consumer,
    function::{Consumer, Function, Listener, Route, Step},
    listener, route, step,
};

/// The function's tables.
pub static FUNCTION: Function = Function {
    name: "adapters",
    routes: ROUTES,
    steps: STEPS,
    listeners: LISTENERS,
    consumers: CONSUMERS,
    requests: &[],
};

const ROUTES: &[Route] = &[
    route!(GET "/mano/v1/vims/{vimId}/resources", Nothing, ["filter"] => existing::list),
    route!(DELETE "/mano/v1/vims/{vimId}/resources/{resourceId}", Nothing => simulated::lose),
    route!(GET "/mano/v1/vims/{vimId}/behaviour", Nothing => simulated::behaviour),
    route!(PUT "/mano/v1/vims/{vimId}/behaviour", Json => simulated::behave),
];

const STEPS: &[Step] =
    &[step!("vim.ensure" => resources::ensure), step!("vim.remove" => resources::remove)];

const LISTENERS: &[Listener] = &[listener!("publish", ["*"] => publish::publish)];

const CONSUMERS: &[Consumer] = &[consumer!("watch" => watch::look_again)];
