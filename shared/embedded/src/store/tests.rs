//! The store against its contract, and what only a file can be asked: crashes, copies, batches.

use super::*;
use crate::testing::{Bus, World, copy};
use mano_model::plan::Expect;
use mano_ports::contract::{Note, note, store::Fresh};

fn fresh() -> Fresh {
    let world = World::new();
    let heard = Box::new(Bus::of(world.host.bus()));
    Fresh { store: Arc::clone(world.host.store()) as _, heard, keep: Box::new(world) }
}

mano_ports::store_contract!(fresh());
