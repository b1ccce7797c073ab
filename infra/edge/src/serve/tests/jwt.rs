//! Callers with tokens of an issuer, through the whole server, with an issuer on this machine.

use super::*;
use ::http::{HeaderMap, StatusCode, request::Parts};
use mano_embedded::http::Answers;
use mano_ports::{
    clock::Clock,
    door::{Answer, jwt::mint::Mint},
    http::{Body, Content},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

/// An issuer that publishes its keys; `says` may be changed while it runs.
struct Issuer {
    url: String,
    says: Arc<Says>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

#[derive(Default)]
struct Says {
    documents: Mutex<Vec<(String, Value)>>,
    asked: AtomicUsize,
}

impl Says {
    fn set(&self, path: &str, document: Value) {
        self.documents.lock().unwrap().push((path.into(), document));
    }
}

impl Answers for Says {
    async fn answer(&self, head: Parts, _content: Content) -> Answer {
        self.asked.fetch_add(1, SeqCst);
        let documents = self.documents.lock().unwrap();
        let known = documents.iter().rev().find(|(path, _)| path == head.uri.path());
        let (status, text) = match known {
            Some((_, document)) => (StatusCode::OK, document.to_string()),
            None => (StatusCode::NOT_FOUND, String::new()),
        };
        let body = Body::Json(text.into());
        Answer { route: "", status, headers: HeaderMap::new(), body }
    }
}

const DISCOVERY: &str = "/.well-known/openid-configuration";

impl Issuer {
    async fn start(keys: &Value) -> Self {
        Self::behind(keys, None).await
    }

    /// An issuer that shows a certificate and its key, of these files.
    async fn behind(keys: &Value, tls: Option<(&Path, &Path)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let tls = tls.map(|(certificate, key)| http::tls::acceptor(certificate, key).unwrap());
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        let says = Arc::new(Says::default());
        says.set(DISCOVERY, json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }));
        says.set("/keys", keys.clone());
        let serving = http::serve(listener, tls, Limits::default(), Arc::clone(&says), stopped);
        Self { url, says, stop, server: tokio::spawn(serving) }
    }

    fn callers(&self) -> Callers {
        Callers {
            jwt_issuer: Some(self.url.clone()),
            jwt_audience: Some("mano".into()),
            ..Callers::default()
        }
    }

    /// Claims of a caller of this tenant that are good for an hour.
    fn claims(&self, name: &str, tenant: &str) -> Value {
        let exp = SystemClock::default().now().as_second() + 3600;
        json!({ "iss": self.url, "aud": "mano", "sub": name, "tenant": tenant, "exp": exp })
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.server.await.unwrap().unwrap();
    }
}

async fn trusting(folder: &TempDir, callers: Callers) -> Running {
    serve(Options { callers, ..options(folder) }).await.unwrap()
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Status, head and problem of an answer.
fn refused(answer: &str) -> (u16, String, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_token_of_the_issuer_opens_the_door_and_anything_else_is_told_why_not() {
    let (mint, folder) = (Mint::ec("one"), tempfile::tempdir().unwrap());
    let issuer = Issuer::start(&Mint::key_set(&[&mint])).await;
    let running = trusting(&folder, issuer.callers()).await;
    assert_eq!(issuer.says.asked.load(SeqCst), 0, "keys are fetched for the first token");
    let ask = async |token: &str| ask(&running, "GET", "/mano/v1/vims", &bearer(token)).await;
    let good = mint.token(&issuer.claims("anna", "acme"));
    for _ in 0..3 {
        assert!(ask(&good).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(issuer.says.asked.load(SeqCst), 2, "discovery and keys, once");
    let mut claims = issuer.claims("anna", "acme");
    claims["exp"] = json!(0);
    let expired = mint.token(&claims);
    let (status, head, problem) = refused(&ask(&expired).await);
    let why = "the token expired at 1970-01-01T00:00:00Z; ask the issuer for a new one";
    assert_eq!((status, &problem["detail"]), (401, &json!(why)));
    let challenge = format!(
        "www-authenticate: bearer error=\"invalid_token\", error_description=\"{}\"",
        why.to_lowercase()
    );
    assert!(head.contains(&challenge), "{head}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    assert!(!problem.to_string().contains(&expired));
    claims = issuer.claims("anna", "acme");
    claims.as_object_mut().unwrap().remove("tenant");
    let (status, _, problem) = refused(&ask(&mint.token(&claims)).await);
    let detail = problem["detail"].as_str().unwrap();
    assert!(status == 403 && detail.contains("'anna'") && detail.contains("'tenant'"), "{detail}");
    let nothing = super::ask(&running, "GET", "/mano/v1/vims", "").await;
    assert!(refused(&nothing).1.contains("www-authenticate: bearer\r\n"), "{nothing}");
    let metrics = super::ask(&running, "GET", "/metrics", &bearer(&good)).await;
    assert!(metrics.starts_with("HTTP/1.1 200"));
    running.stop().await.unwrap();
    issuer.end().await;
}

#[tokio::test]
async fn tenants_of_two_tokens_never_see_each_other() {
    let (mint, folder) = (Mint::ed("one"), tempfile::tempdir().unwrap());
    let issuer = Issuer::start(&Mint::key_set(&[&mint])).await;
    let running = trusting(&folder, issuer.callers()).await;
    let [acme, blue] =
        ["acme", "blue"].map(|tenant| bearer(&mint.token(&issuer.claims("anna", tenant))));
    let vim = r#"{"id":"east","vimType":"sim","zones":[{"id":"z","vcpus":1,"memoryGib":1,"storageGib":1}]}"#;
    let head = format!(
        "{acme}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{vim}",
        vim.len()
    );
    let made = ask(&running, "POST", "/mano/v1/vims", &head).await;
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    let list = async |caller: &str| ask(&running, "GET", "/mano/v1/vims", caller).await;
    assert!(list(&acme).await.contains("\"east\""));
    assert!(list(&blue).await.ends_with("[]"));
    let theirs = ask(&running, "GET", "/mano/v1/vims/east", &blue).await;
    assert!(theirs.starts_with("HTTP/1.1 404"), "{theirs}");
    running.stop().await.unwrap();
    issuer.end().await;
}

#[tokio::test]
async fn without_the_issuers_keys_nobody_is_let_in_and_the_issuer_is_left_alone_for_a_while() {
    let (mint, folder) = (Mint::ed("one"), tempfile::tempdir().unwrap());
    let issuer = Issuer::start(&json!({ "keys": [] })).await;
    let running = trusting(&folder, issuer.callers()).await;
    let good = bearer(&mint.token(&issuer.claims("anna", "acme")));
    let (status, head, problem) = refused(&ask(&running, "GET", "/mano/v1/vims", &good).await);
    let detail = problem["detail"].as_str().unwrap();
    assert!(status == 503 && detail.contains(&issuer.url), "{detail}");
    assert!(head.contains("retry-after: 5"), "{head}");
    assert!(ask(&running, "GET", "/metrics", &good).await.starts_with("HTTP/1.1 503"));
    assert_eq!(issuer.says.asked.load(SeqCst), 2, "not asked again at once");
    assert!(ask(&running, "GET", "/healthz", "").await.starts_with("HTTP/1.1 200"));
    running.stop().await.unwrap();
    issuer.end().await;
}

#[tokio::test]
async fn a_site_with_the_keys_in_a_file_needs_no_way_to_the_issuer() {
    let (mint, folder) = (Mint::ed("one"), tempfile::tempdir().unwrap());
    let file = folder.path().join("keys.json");
    let issuer = Issuer::start(&json!({})).await;
    let keys = Some(file.display().to_string());
    let callers = Callers { jwt_keys: keys, ..issuer.callers() };
    let absent = serve(Options { callers: callers.clone(), ..options(&folder) }).await;
    let told = format!("{:#}", absent.err().unwrap());
    assert!(told.contains("--jwt-keys") && told.contains("keys.json"), "{told}");
    std::fs::write(&file, Mint::key_set(&[&mint]).to_string()).unwrap();
    let running = trusting(&folder, callers).await;
    let good = bearer(&mint.token(&issuer.claims("anna", "acme")));
    let answer = ask(&running, "GET", "/mano/v1/vims", &good).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let stranger = Mint::ed("one").token(&issuer.claims("anna", "acme"));
    let answer = ask(&running, "GET", "/mano/v1/vims", &bearer(&stranger)).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(issuer.says.asked.load(SeqCst), 0);
    running.stop().await.unwrap();
    issuer.end().await;
}

#[tokio::test]
async fn an_issuer_of_ones_own_is_believed_where_its_authority_is_named_and_only_there() {
    let (mint, folder) = (Mint::ed("one"), tempfile::tempdir().unwrap());
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let issuer = Issuer::behind(&Mint::key_set(&[&mint]), Some((&certificate, &key))).await;
    let good = bearer(&mint.token(&issuer.claims("anna", "acme")));
    for (jwt_ca, status) in [(None, 503), (Some(certificate), 200)] {
        let running = trusting(&folder, Callers { jwt_ca, ..issuer.callers() }).await;
        let answer = ask(&running, "GET", "/mano/v1/vims", &good).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        running.stop().await.unwrap();
    }
    issuer.end().await;
}

#[tokio::test]
async fn fixed_tokens_and_those_of_an_issuer_go_together() {
    let (mint, folder) = (Mint::ed("one"), tempfile::tempdir().unwrap());
    let issuer = Issuer::start(&Mint::key_set(&[&mint])).await;
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "0123456789abcdef oncall\n").unwrap();
    let running = trusting(&folder, Callers { tokens: Some(tokens), ..issuer.callers() }).await;
    let good = mint.token(&issuer.claims("anna", "acme"));
    for (token, status) in [("0123456789abcdef", 200), (&*good, 200), ("neither-of-both", 401)] {
        let answer = ask(&running, "GET", "/mano/v1/vims", &bearer(token)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{token}: {answer}");
    }
    running.stop().await.unwrap();
    issuer.end().await;
}

#[tokio::test]
async fn an_issuer_that_cannot_be_trusted_is_refused_at_the_start_or_never_believed() {
    let folder = tempfile::tempdir().unwrap();
    let of = |issuer: &str| Callers {
        jwt_issuer: Some(issuer.into()),
        jwt_audience: Some("mano".into()),
        ..Callers::default()
    };
    for (callers, names) in [
        (of("http://idp.example"), "--jwt-issuer"),
        (of(""), "--jwt-issuer"),
        (Callers { jwt_audience: None, ..of("https://idp.example") }, "--jwt-audience"),
        (Callers { jwt_keys: Some("http://idp.example/keys".into()), ..of("x") }, "--jwt-keys"),
        (Callers { jwt_ca: Some("/none.pem".into()), ..of("https://idp.example") }, "--jwt-ca"),
    ] {
        let started = serve(Options { callers, ..options(&folder) }).await;
        let told = format!("{:#}", started.err().unwrap());
        assert!(told.contains(names), "{told}");
    }
    let mint = Mint::ed("one");
    let issuer = Issuer::start(&Mint::key_set(&[&mint])).await;
    let good = bearer(&mint.token(&issuer.claims("anna", "acme")));
    for document in [
        json!({ "issuer": "https://idp.example", "jwks_uri": format!("{}/keys", issuer.url) }),
        json!({ "issuer": issuer.url, "jwks_uri": "http://idp.example/keys" }),
        json!({ "issuer": issuer.url }),
    ] {
        issuer.says.set(DISCOVERY, document);
        let running = trusting(&folder, issuer.callers()).await;
        let answer = ask(&running, "GET", "/mano/v1/vims", &good).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        running.stop().await.unwrap();
    }
    issuer.end().await;
}

#[tokio::test]
async fn tokens_of_an_issuer_are_a_guard_and_without_tls_it_still_stays_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let callers = Callers {
        jwt_issuer: Some("https://idp.example".into()),
        jwt_audience: Some("mano".into()),
        ..Callers::default()
    };
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let open = Options { listen: everywhere, callers, ..options(&folder) };
    let told = serve(open.clone()).await.err().unwrap().to_string();
    assert!(told.contains("--tls-cert"), "{told}");
    let some = Some(PathBuf::from("pem"));
    let guarded = Options { tls_cert: some.clone(), tls_key: some, ..open };
    assert!(refuse_open_doors(&guarded).is_ok());
    let unguarded = Options { callers: Callers::default(), ..guarded };
    assert!(refuse_open_doors(&unguarded).is_err());
}
