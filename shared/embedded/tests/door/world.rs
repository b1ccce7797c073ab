//! A table with a route of each kind, and a way to ask it.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, Method, Request as Raw, StatusCode};
use mano_embedded::{
    Engine, FolderBlobs, HeldClock, Host, RandomIds, SqliteStore, host::Parts, store::Options,
    workflows,
};
use mano_model::{
    Refusal,
    plan::{Document, Index, Kind, Plan},
    refusal::Why,
    sol::sol013::{Attribute, Listing, any, number, object, text},
};
use mano_ports::{
    Cx, Error,
    clock::Clock,
    door::{
        self, Answer, Door, Settings,
        auth::{Anyone, Authenticator, Tokens},
    },
    function::Function,
    http::{Body, Content, Reply, Request},
    route,
    store::Query,
    vim::NoVims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};
use tempfile::TempDir;

/// What the table keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) id: String,
    pub(crate) size: u64,
    pub(crate) parent: String,
    pub(crate) extra: Value,
}

impl Document for Thing {
    const KIND: Kind = Kind::Note;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![(Index::NsdId, self.parent.clone())]
    }
}

const LINKS: &[Attribute] = &[object("self", &[text("href").must()]).must()];
const SHAPE: &[Attribute] = &[
    text("id").must(),
    number("size"),
    text("parent"),
    any("extra"),
    object("_links", LINKS).must(),
];
static THINGS: Listing = Listing::new(SHAPE, &["extra"]).by(&[("parent", Index::NsdId)]);

/// The table.
pub(crate) static FUNCTION: Function = Function {
    name: "things",
    routes: &[
        route!(GET "/nslcm/v2/things", Nothing => list),
        route!(POST "/nslcm/v2/things", Json => create),
        route!(GET "/nslcm/v2/things/{thingId}", Nothing => show),
        route!(PATCH "/nslcm/v2/things/{id}", MergePatch => echo),
        route!(DELETE "/nslcm/v2/things/{thingId}", Nothing => lose),
        route!(PUT "/nslcm/v2/things/{thingId}/content", Stream => content),
        route!(GET "/nslcm/v2/things/{thingId}/files/{*path}", Nothing => file),
        route!(GET "/mano/v1/echo", Nothing, ["wait"] => echo),
        route!(POST "/mano/v1/panic", Json => panic),
        route!(POST "/mano/v1/hang", Json => hang),
        route!(POST "/mano/v1/fail/{why}", Json => fail),
    ],
    steps: &[],
    listeners: &[],
    consumers: &[],
    requests: &[],
};

static FUNCTIONS: &[&Function] = &[&FUNCTION];

/// How often `lose` was run.
pub(crate) static LOST: AtomicU32 = AtomicU32::new(0);

async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let query = Query::all::<Thing>(request.tenant()).limit(3);
    let root = request.api_root.clone();
    let wire = |stored: &mano_ports::store::Stored| {
        let thing = stored.decode::<Thing>()?.value;
        let mut wire = serde_json::to_value(&thing).unwrap();
        wire["_links"] =
            json!({ "self": { "href": format!("{root}/nslcm/v2/things/{}", thing.id) } });
        Ok(wire)
    };
    door::list(cx, &request, &THINGS, query, wire).await
}

async fn create(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut thing: Value = request.json()?;
    thing["id"] = thing.get("id").cloned().unwrap_or_else(|| cx.ids.fresh().to_string().into());
    let thing: Thing = serde_json::from_value(thing)
        .map_err(|error| Refusal::unprocessable(format!("no thing: {error}")))?;
    let plan = Plan::new(cx.asked(&request.principal, request.trace.as_deref())).create(&thing);
    cx.store.commit(plan).await?;
    Ok(Reply::created(format!("{}/nslcm/v2/things/{}", request.api_root, thing.id), &thing))
}

async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let thing = cx.store.read::<Thing>(request.tenant(), request.param("thingId")).await?;
    Ok(Reply::ok(&thing.value).etag(thing.version))
}

/// Everything a handler sees.
async fn echo(_cx: &Cx, request: Request) -> Result<Reply, Error> {
    let body: Value = request.json()?;
    Ok(Reply::ok(&json!({
        "path": request.path, "query": request.query, "tenant": request.tenant().as_str(),
        "name": request.principal.name, "root": request.api_root, "trace": request.trace,
        "body": body,
    })))
}

/// Always finds that another wrote first.
async fn lose(cx: &Cx, request: Request) -> Result<Reply, Error> {
    LOST.fetch_add(1, Relaxed);
    let plan = Plan::new(cx.asked(&request.principal, None));
    cx.store.commit(plan.delete::<Thing>(7, request.param("thingId"))).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn content(_cx: &Cx, request: Request) -> Result<Reply, Error> {
    let bytes: Vec<Bytes> = request.stream().try_collect().await.unwrap();
    Ok(Reply::ok(&json!({ "bytes": bytes.iter().map(Bytes::len).sum::<usize>() })))
}

async fn file(_cx: &Cx, request: Request) -> Result<Reply, Error> {
    let text = Bytes::from(request.param("path").to_owned());
    Ok(Reply { status: StatusCode::OK, headers: Vec::new(), body: Body::Text("text/plain", text) })
}

async fn panic(_cx: &Cx, _request: Request) -> Result<Reply, Error> {
    panic!("on purpose")
}

async fn hang(_cx: &Cx, _request: Request) -> Result<Reply, Error> {
    std::future::pending().await
}

async fn fail(_cx: &Cx, request: Request) -> Result<Reply, Error> {
    Err(match request.param("why") {
        "bug" => Error::Bug("a secret detail".into()),
        "store" => mano_ports::store::Error::Unavailable("a secret detail".into()).into(),
        "unavailable" => Refusal::new(Why::Unavailable, "busy").into(),
        "unauthorized" => Refusal::new(Why::Unauthorized, "who are you").into(),
        other => Refusal::conflict(other).into(),
    })
}

/// A door on an empty store.
pub(crate) struct World {
    door: Door,
    pub(crate) host: Arc<Host>,
    pub(crate) clock: Arc<HeldClock>,
    _folder: TempDir,
}

/// An answer with its content in hand.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) route: &'static str,
    pub(crate) body: Bytes,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The sentence of a failure.
    pub(crate) fn detail(&self) -> String {
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// A principal that depends on nothing but the token.
pub(crate) const TOKENS: &str = "token-of-anna-0001 anna\ntoken-of-bert-0002 bert acme\n";

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default(), Arc::new(Anyone)).await
    }

    pub(crate) async fn guarded() -> Self {
        Self::with(Settings::default(), Arc::new(Tokens::parse(TOKENS).unwrap())).await
    }

    pub(crate) async fn with(settings: Settings, authenticator: Arc<dyn Authenticator>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::new(jiff::Timestamp::UNIX_EPOCH));
        let held: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let store = Arc::new(SqliteStore::open(folder.path(), &Options::default()).unwrap());
        let parts = Parts {
            engine: Engine::open(&store, &held, [], workflows::Options::default()).await.unwrap(),
            store,
            blobs: Arc::new(FolderBlobs::open(&folder.path().join("blobs")).unwrap()),
            vims: Arc::new(NoVims),
            clock: held,
            ids: Arc::new(RandomIds),
        };
        let host = Host::start(FUNCTIONS, parts);
        let door = Door::new(FUNCTIONS, settings, authenticator).unwrap();
        Self { door, host, clock, _folder: folder }
    }

    /// Asks with headers and content as they are.
    pub(crate) async fn raw(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        content: Content,
    ) -> Answered {
        let mut request = Raw::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.uri(uri).body(()).unwrap().into_parts();
        let answer = self.door.answer(self.host.cx(), head, content).await;
        let Answer { route, status, headers, body } = answer;
        let body = match body {
            Body::Empty => Bytes::new(),
            Body::Json(bytes) | Body::Text(_, bytes) => bytes,
            Body::Stream(_, _, stream) => {
                stream.try_collect::<Vec<_>>().await.unwrap().concat().into()
            }
        };
        Answered { status: status.as_u16(), headers, route, body }
    }

    /// Asks as a good client does.
    pub(crate) async fn ask(&self, method: &str, uri: &str, body: &str) -> Answered {
        let headers = [
            ("host", "mano.example:8080"),
            ("version", if uri.starts_with("/mano") { "1.0.0" } else { "2.0.0" }),
            ("content-type", "application/json"),
            ("accept", "application/json, application/problem+json"),
        ];
        self.raw(method, uri, &headers, Content::Bytes(Bytes::from(body.to_owned()))).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answered {
        self.ask("GET", uri, "").await
    }

    /// Makes a thing.
    pub(crate) async fn thing(&self, id: &str, size: u64, parent: &str) {
        let body = json!({ "id": id, "size": size, "parent": parent, "extra": { "of": id } });
        let made = self.ask("POST", "/nslcm/v2/things", &body.to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
}

/// Refuses everybody.
pub(crate) struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn principal(
        &self,
        _head: &http::request::Parts,
    ) -> Result<mano_ports::http::Principal, door::auth::Denied> {
        Err(door::auth::Denied::Forbidden("nobody may".into()))
    }
}
