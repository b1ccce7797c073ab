//! How many small documents a second the server gives out: door, store and server in one process,
//! with the clients on the same machine.
//!
//! `cargo bench -p mano-embedded --bench http [-- CONNECTIONS SECONDS]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench tells its result and has nobody to tell its failures"
)]

use mano_embedded::{
    Engine, FolderBlobs, Host, RandomIds, SqliteStore, SystemClock,
    host::Parts,
    http::{Answers, Limits, serve},
    store, workflows,
};
use mano_model::plan::{Document, Kind, Plan};
use mano_ports::{
    Cx, Error,
    clock::Clock,
    door::{Answer, Door, Settings, auth::Anyone},
    function::Function,
    http::{Content, Principal, Reply, Request},
    route,
    vim::NoVims,
};
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// About two kilobytes.
#[derive(Serialize, Deserialize)]
struct Thing {
    id: String,
    filler: Vec<String>,
}

impl Document for Thing {
    const KIND: Kind = Kind::Note;
    fn id(&self) -> String {
        self.id.clone()
    }
}

static FUNCTION: Function = Function {
    name: "bench",
    routes: &[route!(GET "/nslcm/v2/things/{thingId}", Nothing => show)],
    steps: &[],
    listeners: &[],
    consumers: &[],
    requests: &[],
};
static FUNCTIONS: &[&Function] = &[&FUNCTION];

async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let thing = cx.store.read::<Thing>(request.tenant(), request.param("thingId")).await?;
    Ok(Reply::ok(&thing.value).etag(thing.version))
}

struct Front {
    door: Door,
    host: Arc<Host>,
}

impl Answers for Front {
    async fn answer(&self, head: http::request::Parts, content: Content) -> Answer {
        self.door.answer(self.host.cx(), head, content).await
    }
}

/// A host with one document.
async fn host(folder: &std::path::Path) -> Arc<Host> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let store = Arc::new(SqliteStore::open(folder, &store::Options::default()).unwrap());
    let engine = Engine::open(&store, &clock, [], workflows::Options::default()).await.unwrap();
    let blobs = Arc::new(FolderBlobs::open(&folder.join("blobs")).unwrap());
    let ids = Arc::new(RandomIds);
    let host =
        Host::start(FUNCTIONS, Parts { store, engine, blobs, vims: Arc::new(NoVims), clock, ids });
    let thing = Thing {
        id: "one".into(),
        filler: vec!["forty characters of nothing much at all!".into(); 45],
    };
    let nobody = Principal { tenant: mano_model::TenantId::default(), name: "bench".into() };
    let plan = Plan::new(host.cx().asked(&nobody, None)).create(&thing);
    host.cx().store.commit(plan).await.unwrap();
    host
}

/// Asks again and again until told to stop.
async fn client(address: SocketAddr, asked: Arc<AtomicU64>, over: Arc<AtomicBool>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /nslcm/v2/things/one HTTP/1.1\r\nHost: bench\r\nVersion: 2.0.0\r\nAccept: application/json\r\n\r\n";
    let mut buffer = vec![0; 16 << 10];
    let mut whole = None;
    while !over.load(Relaxed) {
        stream.write_all(request).await.unwrap();
        let mut filled = 0;
        while whole.is_none_or(|whole| filled < whole) {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert!(read > 0, "the server hung up");
            filled += read;
            if whole.is_none() && buffer[..filled].ends_with(b"}") {
                assert!(buffer.starts_with(b"HTTP/1.1 200"), "not answered well");
                whole = Some(filled);
            }
        }
        asked.fetch_add(1, Relaxed);
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let connections: u64 = numbers.next().unwrap_or(32);
    let seconds = numbers.next().unwrap_or(5);
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path()).await;
    let door = Door::new(FUNCTIONS, Settings::default(), Arc::new(Anyone)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let front = Arc::new(Front { door, host });
    let server = tokio::spawn(serve(listener, None, Limits::default(), front, stopped));
    let (asked, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(client(address, Arc::clone(&asked), Arc::clone(&over))))
        .collect();
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    over.store(true, Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let rate = asked.load(Relaxed).saturating_mul(1000)
        / u64::try_from(begun.elapsed().as_millis()).unwrap();
    println!("{rate} answers a second at {connections} connections");
    stop.send(true).unwrap();
    server.await.unwrap().unwrap();
}
