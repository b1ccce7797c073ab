//! A host on a fresh folder, for the tests of this crate.

use crate::{
    FolderBlobs, HeldClock, Host, LocalBus, RandomIds, SqliteStore,
    host::Parts,
    store,
    workflows::{Engine, Options},
};
use async_trait::async_trait;
use jiff::Timestamp;
use mano_model::plan::Announced;
use mano_ports::{
    Cx, Error,
    clock::Clock,
    contract::{FUNCTION, WORKFLOWS, store::Heard},
    function::{Event, Function, StepCall},
    vim::NoVims,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::broadcast;

static FUNCTIONS: &[&Function] = &[&FUNCTION, &TRIALS];

/// A function whose rows log what they hear under the `tag` it carries, and fail the first `fail`
/// times.
static TRIALS: Function = Function {
    name: "trials",
    routes: &[],
    steps: &[mano_ports::step!("trial.hang" => hang)],
    listeners: &[mano_ports::listener!("trial", ["trial.*"] => hear)],
    consumers: &[mano_ports::consumer!("trial" => consume)],
    requests: &[mano_ports::on_event!("aws.events", "Scheduled*" => minute)],
};

static LOG: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// What was logged under a tag.
pub(crate) fn log(tag: &str) -> Vec<String> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).get(tag).cloned().unwrap_or_default()
}

/// Logs a line; fails while there are at most `body.fail` of it.
fn trial(body: &Value, line: &str) -> Result<(), Error> {
    let tag = body["tag"].as_str().unwrap_or_default().to_owned();
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = log.entry(tag).or_default();
    lines.push(line.to_owned());
    let times = lines.iter().filter(|known| *known == line).count() as u64;
    if times > body["fail"].as_u64().unwrap_or(0) { Ok(()) } else { Err(Error::Bug("no".into())) }
}

/// Never ends.
async fn hang(_cx: &Cx, _call: StepCall) -> Result<Value, Error> {
    std::future::pending().await
}

async fn hear(_cx: &Cx, fact: &Announced) -> Result<(), Error> {
    trial(&fact.fact.body, &format!("{} {}", fact.fact.about.id, fact.seq))
}

async fn consume(_cx: &Cx, body: Value) -> Result<(), Error> {
    trial(&body, body["text"].as_str().unwrap_or_default())
}

async fn minute(_cx: &Cx, event: &Event) -> Result<(), Error> {
    trial(&serde_json::json!({ "tag": "minute" }), &event.source)
}

/// Asks again until there is an answer, while time jumps to whoever sleeps next, if `jump` says
/// how far; gives up after a minute.
pub(crate) async fn until<T>(
    clock: &HeldClock,
    jump: Option<Duration>,
    ask: impl Fn() -> Option<T>,
) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask() {
                return answer;
            }
            if let Some(jump) = jump {
                clock.jump(jump);
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("within a minute")
}

/// A host, its clock and its folder.
pub(crate) struct World {
    pub(crate) host: Arc<Host>,
    pub(crate) clock: Arc<HeldClock>,
    _folder: TempDir,
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
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        Self { host: host(folder.path(), &clock).await, clock, _folder: folder }
    }

    /// The ports' store.
    pub(crate) fn store(&self) -> Arc<dyn mano_ports::store::Store> {
        Arc::clone(self.host.store()) as _
    }

    /// A new host after this one stopped, on the same folder.
    pub(crate) async fn restarted(self) -> Self {
        let Self { host: old, clock, _folder: folder } = self;
        old.stop().await;
        Self { host: host(folder.path(), &clock).await, clock, _folder: folder }
    }

    /// A host on what the disk would hold if the process died now.
    pub(crate) async fn crashed(&self) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy(self.host.store(), folder.path()).await;
        let clock = Arc::clone(&self.clock);
        Self { host: host(folder.path(), &clock).await, clock, _folder: folder }
    }
}

/// A host on a folder.
pub(crate) async fn host(folder: &Path, clock: &Arc<HeldClock>) -> Arc<Host> {
    host_with(folder, clock, &store::Options::default(), Options::default()).await
}

/// A host on a folder, its store and its engine opened so.
pub(crate) async fn host_with(
    folder: &Path,
    clock: &Arc<HeldClock>,
    options: &store::Options,
    engine: Options,
) -> Arc<Host> {
    let store = Arc::new(SqliteStore::open(folder, options).expect("open"));
    let time = Arc::clone(clock) as Arc<dyn Clock>;
    let engine = Engine::open(&store, &time, workflows(), engine).await.expect("an engine");
    host_on(store, engine, clock, folder)
}

/// A host on a store and an engine.
pub(crate) fn host_on(
    store: Arc<SqliteStore>,
    engine: Arc<Engine>,
    clock: &Arc<HeldClock>,
    folder: &Path,
) -> Arc<Host> {
    let parts = Parts {
        engine,
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
        copy_files(from.parent().expect("a folder"), &to);
        Ok(())
    });
    copied.await.expect("copied");
}

/// Copies the file while nobody writes.
pub(crate) fn copy_files(from: &Path, to: &Path) {
    for name in ["mano.db", "mano.db-wal"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).expect("copied");
        }
    }
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
