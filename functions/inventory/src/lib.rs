//! What exists: instances, their resources, the VIMs and what they hold.
//!
//! ```text
//!   /mano/v1/vims                       what the orchestrator may use, and how much is promised
//!   …/{vnf,ns}_instances/{id}/resources what the inventory says exists
//!   /mano/v1/dead-letters               messages that nobody could handle
//! ```
//!
//! What really exists at a VIM only its driver can say: that is asked of `adapters`.

mod dead_letters;
mod resources;
#[cfg(test)]
mod tests;
mod vims;

use mano_ports::{
    function::{Function, Route},
    route,
};

/// The function's tables.
pub static FUNCTION: Function = Function {
    name: "inventory",
    routes: ROUTES,
    steps: &[],
    listeners: &[],
    consumers: &[],
    requests: &[],
};

const ROUTES: &[Route] = &[
    route!(POST "/mano/v1/vims", Json => vims::register),
    route!(GET "/mano/v1/vims", Nothing, ["filter"] => vims::list),
    route!(GET "/mano/v1/vims/{vimId}", Nothing => vims::read),
    route!(DELETE "/mano/v1/vims/{vimId}", Nothing => vims::deregister),
    route!(GET "/mano/v1/vnf_instances/{vnfInstanceId}/resources", Nothing, ["filter"]
        => resources::of_vnf),
    route!(GET "/mano/v1/ns_instances/{nsInstanceId}/resources", Nothing, ["filter"]
        => resources::of_ns),
    route!(GET "/mano/v1/dead-letters", Nothing => dead_letters::list),
    route!(POST "/mano/v1/dead-letters/{letterId}/redrive", Nothing => dead_letters::redrive),
];
