//! Which functions, workflows and ports make one orchestrator: the deployment, written in Rust.

use anyhow::{Context, Result};
use mano_embedded::{
    Engine, FolderBlobs, Host, RandomIds, SqliteStore, SystemClock, host::Parts, store,
    workflows as engine,
};
use mano_ports::{clock::Clock, function::Function};
use std::{path::Path, sync::Arc};

/// Every function.
pub static FUNCTIONS: &[&Function] = &[
    &mano_service_management::FUNCTION,
    &mano_catalog::FUNCTION,
    &mano_inventory::FUNCTION,
    &mano_adapters::FUNCTION,
];

include!(concat!(env!("OUT_DIR"), "/workflows.rs"));

/// The workflows as their files have them.
pub fn workflows() -> impl Iterator<Item = (String, String)> {
    WORKFLOWS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
}

/// The host on a data folder, already at work.
pub(super) async fn host(data: &Path, options: &store::Options) -> Result<Arc<Host>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let store = SqliteStore::open(data, options)
        .with_context(|| format!("cannot use the data folder {}", data.display()))?;
    let store = Arc::new(store);
    let blobs = FolderBlobs::open(&data.join("blobs"))
        .with_context(|| format!("cannot use {}", data.join("blobs").display()))?;
    let engine = Engine::open(&store, &clock, workflows(), engine::Options::default());
    let parts = Parts {
        engine: engine.await.context("the workflows cannot be run")?,
        store,
        blobs: Arc::new(blobs),
        vims: mano_adapters::vim::drivers(simulated(data)?, Arc::clone(&clock)),
        clock,
        ids: Arc::new(RandomIds),
    };
    Ok(Host::start(FUNCTIONS, parts))
}

/// The memory of simulated VIMs: a world of its own, which a fault of ours must not share.
fn simulated(data: &Path) -> Result<Arc<SqliteStore>> {
    let file = "sim.db";
    let options = store::Options {
        file: file.into(),
        synchronous: store::Synchronous::Normal,
        ..store::Options::default()
    };
    let store = SqliteStore::open(data, &options)
        .with_context(|| format!("cannot use {}", data.join(file).display()))?;
    Ok(Arc::new(store))
}
