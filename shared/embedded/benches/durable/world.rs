//! A host without functions, on a folder.

use mano_asl::host::Service;
use mano_embedded::{
    Engine, FolderBlobs, Host, RandomIds, SqliteStore, SystemClock,
    host::Parts,
    store,
    workflows::{Machine, Options},
};
use mano_ports::{clock::Clock, vim::NoVims};
use std::{path::Path, sync::Arc};

/// A Standard workflow.
pub(crate) fn machine(name: &str, text: &str) -> Machine {
    Machine { name: name.into(), text: text.into(), kind: mano_asl::Kind::Standard }
}

/// The engine on a folder, and what it stands on.
pub(crate) async fn engine(
    folder: &Path,
    machine: Machine,
    services: Vec<Box<dyn Service>>,
    options: Options,
) -> (Arc<SqliteStore>, Arc<dyn Clock>, Arc<Engine>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let store = Arc::new(SqliteStore::open(folder, &store::Options::default()).unwrap());
    let engine = Engine::open_with(&store, &clock, [machine], services, options).await.unwrap();
    (store, clock, engine)
}

/// A host that does nothing but run workflows.
pub(crate) fn host(
    folder: &Path,
    (store, clock, engine): (Arc<SqliteStore>, Arc<dyn Clock>, Arc<Engine>),
) -> Arc<Host> {
    let blobs = Arc::new(FolderBlobs::open(&folder.join("blobs")).unwrap());
    let ids = Arc::new(RandomIds);
    Host::start(&[], Parts { store, engine, blobs, vims: Arc::new(NoVims), clock, ids })
}

/// Bytes of this process in memory.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Bytes of a folder's files.
pub(crate) fn size(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap());
    files.filter(std::fs::Metadata::is_file).map(|file| file.len()).sum()
}
