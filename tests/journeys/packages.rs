//! The packages that worlds without a store of ours are stocked with.

use super::{onboard_ns, onboard_vnf, packed};
use crate::world::{
    World,
    descriptors::{nsd, vnfd},
    stock::{PAIR, SMALL},
};
use mano_model::descriptor::{Nsd, Vnfd};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_packages_say_what_the_descriptors_say() {
    let mut world = World::new().await;
    onboard_vnf(&mut world, packed(SMALL)).await;
    onboard_ns(&mut world, packed(PAIR)).await;
    let store = &world.host.cx().store;
    let mut read = store.read::<Vnfd>(&World::tenant(), SMALL).await.unwrap().value.flavours;
    // A package has to have an outside.
    read[0].external_cps.clear();
    let mut flavours = vnfd().flavours;
    flavours[0].vdus[0].image.clone_from(&read[0].vdus[0].image);
    assert_eq!(read, flavours);
    let mut read = store.read::<Nsd>(&World::tenant(), PAIR).await.unwrap().value.flavours;
    read[0].saps.clear();
    // A package names the flavour that a descriptor may leave to be the default.
    for profile in &mut read[0].vnf_profiles {
        assert_eq!(profile.flavour_id.take().as_deref(), Some("standard"));
    }
    assert_eq!(read, nsd(1).flavours);
    world.stop().await;
}
