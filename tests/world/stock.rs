//! What the worlds are stocked with: VIMs, and descriptors that need no package.

pub(crate) use super::descriptors::{PAIR, SMALL};
use super::{
    World,
    descriptors::{nsd, vnfd},
};
use mano_model::{
    catalog::usage::{Descriptor, Usage},
    plan::Plan,
};
use mano_ports::http::Principal;

/// A world with one roomy VIM of two zones and both descriptors.
pub(crate) async fn stocked() -> World {
    let mut world = World::new().await;
    stock(&mut world).await;
    world
}

/// Gives a world the same.
pub(crate) async fn stock(world: &mut World) {
    world.add_vim("vim-a", &[("zone-1", 64), ("zone-2", 64)]).await;
    add_descriptors(world).await;
}

/// Puts the descriptors where on-boarding would.
pub(crate) async fn add_descriptors(world: &mut World) {
    let cx = world.host.cx();
    let principal = Principal { tenant: World::tenant(), name: "test".into() };
    let plan = Plan::new(cx.asked(&principal, None))
        .create(&vnfd())
        .create(&Usage::none(Descriptor::Vnfd, SMALL, "small-pkg"))
        .create(&nsd(1))
        .create(&Usage::none(Descriptor::Nsd, PAIR, "pair-info"));
    cx.store.commit(plan).await.unwrap();
}
