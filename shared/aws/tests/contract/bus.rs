//! The bus's laws on EventBridge.

use crate::{
    store::ear,
    world::{Keep, World},
};
use mano_aws::EventBus;
use mano_ports::contract::bus::Fresh;
use std::sync::Arc;

async fn fresh(world: Arc<World>) -> Fresh {
    let heard = Box::new(ear(&world).await);
    let clock = Arc::new(mano_aws::SystemClock::default());
    let bus = Arc::new(EventBus::new(&world.clients(), &world.settings(), clock));
    Fresh { bus, heard, keep: Box::new(Keep(world)) }
}

mano_ports::bus_contract!(fresh(crate::world!()).await);
