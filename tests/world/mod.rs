//! A whole orchestrator in one process, with a clock we hold and VIMs that keep their own list.

mod client;
pub(crate) mod descriptors;
pub(crate) mod stock;

pub(crate) use client::Answer;

use crate::wiring::FUNCTIONS;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{Method, Request};
use jiff::Timestamp;
use mano_edge::serve::wiring;
use mano_embedded::{
    Engine, FolderBlobs, HeldClock, Host, RandomIds, SqliteStore, host::Parts, store, workflows,
};
use mano_model::{TenantId, plan::Announced};
use mano_ports::{
    clock::Clock,
    door::{Door, Settings, auth::Anyone},
    http::{Body, Content},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::broadcast::{self, error::RecvError};

/// Whether there is time to tell every story in all its variants.
pub(crate) const THOROUGH: bool = true;
/// How long a slow VIM takes, in milliseconds of our clock.
pub(crate) const SLOW_MS: u32 = 40_000;

/// Definitions by name.
pub(crate) type Workflows = Vec<(String, String)>;

/// An orchestrator at work.
pub(crate) struct World {
    pub(crate) host: Arc<Host>,
    pub(crate) clock: Arc<HeldClock>,
    door: Door,
    heard: broadcast::Receiver<Arc<Announced>>,
    _folder: Folder,
}

/// The folder a world lives in, and what survives it.
#[derive(Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    _owner: Arc<TempDir>,
}

impl Folder {
    fn new() -> Self {
        let owner = Arc::new(tempfile::tempdir().unwrap());
        Self { path: owner.path().to_owned(), _owner: owner }
    }
}

/// The memory of the simulated VIMs, which no death of ours touches.
fn memory(folder: &Folder) -> Arc<SqliteStore> {
    let options = store::Options {
        file: "sim.db".into(),
        synchronous: store::Synchronous::Off,
        ..store::Options::default()
    };
    Arc::new(SqliteStore::open(&folder.path, &options).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "a held clock has to begin somewhere")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// What the disk held after each transaction.
#[derive(Clone, Default)]
pub(crate) struct Deaths(Arc<Mutex<Vec<Folder>>>);

impl Deaths {
    /// Keeps what the disk holds now, and what the VIMs have.
    fn take(&self, home: &Folder, sim: &SqliteStore) {
        let death = Folder::new();
        sim.backup(&death.path.join("sim.db")).unwrap();
        for name in ["mano.db", "mano.db-wal"] {
            copy(&home.path.join(name), &death.path.join(name));
        }
        self.0.lock().unwrap().push(death);
    }

    /// All of them, in order.
    pub(crate) fn taken(&self) -> Vec<Folder> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn copy(from: &Path, to: &Path) {
    if from.exists() {
        std::fs::copy(from, to).unwrap();
    }
}

impl World {
    /// A world on an empty folder.
    pub(crate) async fn new() -> Self {
        Self::open(&Folder::new()).await
    }

    /// A world on a folder that another one left.
    pub(crate) async fn open(folder: &Folder) -> Self {
        let options = store::Options::default();
        Self::begin(folder, memory(folder), options, wiring::workflows().collect()).await
    }

    /// A world on an empty folder, with workflows of its own.
    pub(crate) async fn with(workflows: Workflows) -> Self {
        let folder = Folder::new();
        Self::begin(&folder, memory(&folder), store::Options::default(), workflows).await
    }

    /// A world on an empty folder; what the disk holds after each of its transactions is kept.
    pub(crate) async fn tapped() -> (Self, Deaths) {
        let (folder, deaths) = (Folder::new(), Deaths::default());
        let memory = memory(&folder);
        let (taken, home, sim) = (deaths.clone(), folder.clone(), Arc::clone(&memory));
        let tap = store::Tap(Arc::new(move || taken.take(&home, &sim)));
        let options = store::Options { tap: Some(tap), ..store::Options::default() };
        let workflows = wiring::workflows().collect();
        (Self::begin(&folder, memory, options, workflows).await, deaths)
    }

    async fn begin(
        folder: &Folder,
        memory: Arc<SqliteStore>,
        options: store::Options,
        workflows: Workflows,
    ) -> Self {
        // Time has passed since the last world ended: it never goes back.
        let clock = Arc::new(HeldClock::new(now()));
        let options = store::Options { synchronous: store::Synchronous::Off, ..options };
        let store = Arc::new(SqliteStore::open(&folder.path, &options).unwrap());
        let time = Arc::clone(&clock) as Arc<dyn Clock>;
        let engine = Engine::open(&store, &time, workflows, workflows::Options::default());
        let parts = Parts {
            engine: engine.await.unwrap(),
            store,
            blobs: Arc::new(FolderBlobs::open(&folder.path.join("blobs")).unwrap()),
            vims: mano_adapters::vim::drivers(memory, clock.clone()),
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let host = Host::start(FUNCTIONS, parts);
        let heard = host.bus().subscribe();
        let settings = Settings { api_root: Some("http://mano".into()), ..Settings::default() };
        let door = Door::new(FUNCTIONS, settings, Arc::new(Anyone)).unwrap();
        Self { host, clock, door, heard, _folder: folder.clone() }
    }

    /// Ends it in peace.
    pub(crate) async fn stop(self) {
        self.host.stop().await;
    }

    /// Asks as a client does.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let (media, content) = match body {
            Some(body) => (Some("application/json"), Bytes::from(body.to_string())),
            None => (None, Bytes::new()),
        };
        self.send(method, path, media, content).await
    }

    /// PUT of an archive.
    pub(crate) async fn upload(&self, path: &str, archive: Vec<u8>) -> Answer {
        self.send(Method::PUT, path, Some("application/zip"), archive.into()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        media: Option<&str>,
        content: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !path.starts_with("/mano/") {
            request = request.header("version", "2.0.0");
        }
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let answer = self.door.answer(self.host.cx(), head, Content::Bytes(content)).await;
        let body = match answer.body {
            Body::Json(text) => serde_json::from_slice(&text).unwrap(),
            Body::Empty | Body::Text(..) | Body::Stream(..) => Value::Null,
        };
        Answer { status: answer.status, headers: answer.headers, body }
    }

    /// Asks with a head and a content as they are; time passes where the answer waits for it.
    pub(crate) async fn raw(
        &self,
        head: http::request::Parts,
        content: Bytes,
    ) -> (u16, String, Vec<u8>) {
        let mut asked = pin!(self.door.answer(self.host.cx(), head, Content::Bytes(content)));
        let answer = loop {
            match tokio::time::timeout(Duration::from_millis(50), &mut asked).await {
                Ok(answer) => break answer,
                Err(_) => self.clock.advance(Duration::from_secs(1)),
            }
        };
        let media = answer.headers.get("content-type").map(|value| value.to_str().unwrap());
        let media = media.unwrap_or_default().to_owned();
        let body = match answer.body {
            Body::Empty => Vec::new(),
            Body::Json(bytes) | Body::Text(_, bytes) => bytes.to_vec(),
            Body::Stream(_, _, bytes) => bytes.try_collect::<Vec<_>>().await.unwrap().concat(),
        };
        (answer.status.as_u16(), media, body)
    }

    /// Lets the world go on until the operation rests, and says in which state.
    ///
    /// Time passes only while nothing else does: the clock jumps to the next sleeper, which
    /// is a retry or a VIM that takes its time, never to the timeout of work under way.
    pub(crate) async fn rests(&mut self, op: &str) -> String {
        for _ in 0..10_000 {
            if let Some(state) = self.state(op).await
                && !["STARTING", "PROCESSING", "ROLLING_BACK"].contains(&state.as_str())
            {
                return state;
            }
            self.something_happens().await;
        }
        panic!("operation {op} does not come to rest: {:#?}", self.tree(op).await);
    }

    /// Waits for the next fact; where none comes, lets the next sleeper wake.
    ///
    /// Where something is being handled, it is most likely slow and not asleep: it gets long
    /// enough not to be taken for a sleeper on a busy machine.
    pub(crate) async fn something_happens(&mut self) {
        for _ in 0..50 {
            let patience = Duration::from_millis(20);
            match tokio::time::timeout(patience, self.heard.recv()).await {
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => return,
                Ok(Err(RecvError::Closed)) => panic!("the bus is gone"),
                // Only retries and pauses are left to wait for; none is longer than a minute.
                Err(_) if self.host.at_work() == 0 => {
                    self.clock.jump(Duration::from_secs(61));
                    return;
                }
                Err(_) => {}
            }
        }
        self.clock.jump(Duration::from_secs(31));
    }

    /// Whose data it is.
    pub(crate) fn tenant() -> TenantId {
        TenantId::default()
    }
}
