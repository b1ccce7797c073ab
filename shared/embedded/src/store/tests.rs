//! The store against its contract, and what only a file can be asked: crashes, copies, batches.

use super::*;
use crate::testing::{Bus, World};
use mano_ports::contract::store::Fresh;

async fn fresh() -> Fresh {
    let world = World::new().await;
    let heard = Box::new(Bus::of(world.host.bus()));
    Fresh { store: Arc::clone(world.host.store()) as _, heard, keep: Box::new(world) }
}

mano_ports::store_contract!(fresh().await);
