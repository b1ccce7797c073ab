//! A host on a fresh folder, for the tests of this crate.

use crate::{
    FolderBlobs, HeldClock, Host, LocalBus, RandomIds, SqliteStore, host::Parts, store::Options,
    workflows::Engine,
};
use async_trait::async_trait;
use jiff::Timestamp;
use mano_model::{Refusal, plan::Announced};
use mano_ports::{
    contract::{FUNCTION, WORKFLOWS, store::Heard},
    function::Function,
    vim::{Vim, Vims},
};
use std::{
    path::Path,
    sync::{Arc, Once},
};
use tempfile::TempDir;
use tokio::sync::broadcast;

static FUNCTIONS: &[&Function] = &[&FUNCTION];

/// No VIMs.
struct NoVims;

impl Vims for NoVims {
    fn driver(&self, vim_type: &str) -> Result<Arc<dyn Vim>, Refusal> {
        Err(Refusal::absent("VIM driver", vim_type))
    }
}

/// A host, its clock and its folder.
pub(crate) struct World {
    pub(crate) host: Arc<Host>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) folder: TempDir,
}

/// The contract's workflows, with its function's name filled in.
pub(crate) fn workflows() -> Vec<(String, String)> {
    WORKFLOWS
        .iter()
        .map(|(name, text)| ((*name).into(), text.replace("${Contract}", FUNCTION.name)))
        .collect()
}

impl World {
    /// A host on an empty folder.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        Self { host: host(folder.path(), &clock), clock, folder }
    }

    /// A host on what the disk would hold if the process died now.
    pub(crate) async fn crashed(&self) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy(self.host.store(), folder.path()).await;
        let clock = Arc::clone(&self.clock);
        Self { host: host(folder.path(), &clock), clock, folder }
    }
}

/// A host on a folder.
pub(crate) fn host(folder: &Path, clock: &Arc<HeldClock>) -> Arc<Host> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|info| eprintln!("{info}"))));
    let store = Arc::new(SqliteStore::open(folder, &Options::default()).expect("open"));
    let parts = Parts {
        engine: Engine::new(workflows()),
        store,
        blobs: Arc::new(FolderBlobs::open(&folder.join("blobs")).expect("blobs")),
        vims: Arc::new(NoVims),
        clock: Arc::clone(clock) as _,
        ids: Arc::new(RandomIds),
    };
    Host::start(FUNCTIONS, parts)
}

/// Copies the file as it is between two transactions.
pub(crate) async fn copy(store: &SqliteStore, to: &Path) {
    let (from, to) = (store.path().to_owned(), to.to_owned());
    let copied = store.write(move |_| {
        for suffix in ["", "-wal"] {
            let name = |folder: &Path| folder.join(format!("mano.db{suffix}"));
            let folder = from.parent().expect("a folder");
            if name(folder).exists() {
                std::fs::copy(name(folder), name(&to)).expect("copied");
            }
        }
        Ok(())
    });
    copied.await.expect("copied");
}

/// What the bus brings.
pub(crate) struct Bus(broadcast::Receiver<Arc<Announced>>);

impl Bus {
    pub(crate) fn of(bus: &LocalBus) -> Self {
        Self(bus.subscribe())
    }
}

#[async_trait]
impl Heard for Bus {
    async fn at_least(&mut self, n: usize) -> Vec<Announced> {
        let mut heard = Vec::new();
        while heard.len() < n {
            heard.push((*self.0.recv().await.expect("the bus is open")).clone());
        }
        heard
    }
}
