//! Facts are told to everybody else.
//!
//! A fact may be heard twice: a published fact carries its identity. Who waits for a fact inside
//! the orchestrator listens itself.

use mano_model::plan::Announced;
use mano_ports::{Cx, Error};

/// Listener of all facts: everybody else may hear of it.
pub(crate) async fn publish(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    Ok(cx.bus.publish(std::slice::from_ref(fact)).await?)
}
