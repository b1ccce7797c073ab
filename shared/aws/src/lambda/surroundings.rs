//! The ports of a function, filled in from its environment.

use crate::{
    bus::EventBus, clients::Clients, queue::SqsQueue, settings::Settings, store::DynamoStore,
    workflows::StepFunctions,
};
use mano_ports::{
    Cx,
    clock::{Clock, RandomIds, SystemClock},
    store::Store,
    vim::{NoVims, Vims},
};
use std::sync::Arc;

/// Makes the drivers of VIMs, given a memory for those that are simulated.
pub type Drivers = fn(Arc<dyn Store>, Arc<dyn Clock>) -> Arc<dyn Vims>;

/// No VIM at all: for functions that speak to none.
#[must_use]
pub fn no_vims(_memory: Arc<dyn Store>, _clock: Arc<dyn Clock>) -> Arc<dyn Vims> {
    Arc::new(NoVims)
}

/// What a host works with.
pub struct Surroundings {
    /// What the environment says.
    pub settings: Arc<Settings>,
    /// The ports.
    pub cx: Cx,
    pub(super) store: Arc<DynamoStore>,
    pub(super) queue: Arc<SqsQueue>,
    pub(super) workflows: Arc<StepFunctions>,
}

impl Surroundings {
    /// The ports on AWS; nothing is connected yet.
    #[must_use]
    pub fn new(settings: Settings, clients: &Clients, drivers: Drivers) -> Self {
        let settings = Arc::new(settings);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let store = Arc::new(DynamoStore::new(clients, &settings, Arc::clone(&clock)));
        let queue = Arc::new(SqsQueue::new(clients, &settings, Arc::clone(&clock)));
        let workflows = Arc::new(StepFunctions::new(clients, &settings));
        let memory: Arc<dyn Store> = Arc::clone(&store) as _;
        let cx = Cx {
            workflows: Arc::clone(&workflows) as _,
            bus: Arc::new(EventBus::new(clients, &settings, Arc::clone(&clock))),
            blobs: Arc::new(crate::S3Blobs::new(clients, &settings)),
            vims: drivers(Arc::clone(&memory), Arc::clone(&clock)),
            queue: Arc::clone(&queue) as _,
            ids: Arc::new(RandomIds),
            store: memory,
            clock,
        };
        Self { settings, cx, store, queue, workflows }
    }
}
