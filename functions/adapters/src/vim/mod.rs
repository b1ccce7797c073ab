//! The drivers of VIMs: each speaks to one kind of infrastructure and keeps the port's law.

#[cfg(test)]
pub(crate) mod contract;
mod guarded;
pub mod sim;

use mano_model::Refusal;
use mano_ports::{
    clock::Clock,
    store::Store,
    vim::{Vim, Vims},
};
use std::sync::Arc;

/// The drivers of this installation, each behind a circuit breaker per VIM: `sim`, which
/// remembers in `memory`, a store of its own.
#[must_use]
pub fn drivers(memory: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Arc<dyn Vims> {
    let sim = Arc::new(sim::Driver::new(memory, Arc::clone(&clock)));
    Arc::new(Drivers { sim: Arc::new(guarded::Guarded::new(sim, clock)) })
}

struct Drivers {
    sim: Arc<dyn Vim>,
}

impl Vims for Drivers {
    fn driver(&self, vim_type: &str) -> Result<Arc<dyn Vim>, Refusal> {
        match vim_type {
            "sim" => Ok(self.sim.clone()),
            other => Err(Refusal::unprocessable(format!(
                "there is no driver for vimType '{other}'; this installation has: sim"
            ))),
        }
    }
}
