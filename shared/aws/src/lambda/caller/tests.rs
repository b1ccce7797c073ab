//! Callers of a function, as its whole host sees them: from the proxy event to the answer.

use super::{
    super::{Surroundings, host::Host, no_vims},
    *,
};
use crate::{Clients, clients::loader};
use http::Request;
use jiff::Timestamp;
use mano_ports::{
    Cx, Error,
    door::jwt::mint::Mint,
    function::Function,
    http::{Reply, Request as Asked},
    route,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

async fn asked(caller: Option<Caller>) -> Result<Principal, Denied> {
    let (mut head, ()) = Request::new(()).into_parts();
    if let Some(caller) = caller {
        head.extensions.insert(caller);
    }
    Signed(Tenants::default()).principal(&head).await
}

#[tokio::test]
async fn nobody_is_let_in_without_a_signature() {
    for caller in [None, Some(Caller::default())] {
        assert!(matches!(asked(caller).await, Err(Denied::Unknown(_))));
    }
    let caller = Caller { account_id: Some("1".into()), user_arn: None };
    assert_eq!(asked(Some(caller)).await.expect("let in").name, "1");
}

/// Says who asked.
static WHO: Function = Function {
    name: "who",
    routes: &[route!(GET "/mano/v1/who", Nothing => who)],
    steps: &[],
    listeners: &[],
    consumers: &[],
    requests: &[],
};

async fn who(_cx: &Cx, request: Asked) -> Result<Reply, Error> {
    let Principal { tenant, name } = request.principal;
    Ok(Reply::ok(&json!({ "tenant": tenant, "name": name })))
}

/// An issuer that answers every connection, until it is dropped.
struct Issuer {
    url: String,
    serving: JoinHandle<()>,
}

impl Issuer {
    async fn start(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let discovery = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string();
        let keys = keys.to_string();
        let serving = tokio::spawn(async move {
            loop {
                let (mut peer, _) = listener.accept().await.expect("a caller");
                let mut asked = [0; 4096];
                let read = peer.read(&mut asked).await.expect("a request");
                let whole = asked[..read].starts_with(b"GET /.well-known/openid-configuration ");
                let text = if whole { &discovery } else { &keys };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", text.len());
                let said = format!("{head}Connection: close\r\n\r\n{text}");
                peer.write_all(said.as_bytes()).await.expect("a peer");
            }
        });
        Self { url, serving }
    }

    fn claims(&self) -> Value {
        let exp = mano_ports::clock::SystemClock::default().now().as_second() + 600;
        json!({ "iss": self.url, "aud": "mano", "sub": "anna", "tenant": "acme", "exp": exp })
    }

    /// A function that trusts it.
    async fn host(&self, more: &[(&str, &str)]) -> Host {
        let always = [
            ("MANO_TABLE", "t"),
            ("MANO_BUCKET", "b"),
            ("MANO_BUS", "u"),
            ("MANO_STATE_MACHINE_PREFIX", "arn:aws:states:us-east-1:1:stateMachine:s-"),
            ("MANO_REGION", "us-east-1"),
            ("MANO_AUTH", "jwt"),
            ("MANO_JWT_ISSUER", &self.url),
            ("MANO_JWT_AUDIENCE", "mano"),
        ];
        let variables =
            always.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into()));
        let settings = Settings::read(variables).expect("complete");
        let config = loader().region("us-east-1").no_credentials().load().await;
        let around = Surroundings::new(settings, &Clients::of(&config, true), no_vims);
        Host::new(&WHO, around).expect("a host")
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Status, headers and content of the answer to whoever shows this.
async fn answered(host: &Host, authorization: Option<&str>) -> (u64, Value, Value) {
    let shown: Vec<_> = authorization.into_iter().collect();
    let event = json!({
        "httpMethod": "GET", "path": "/mano/v1/who", "body": null,
        "multiValueHeaders": { "Host": ["x.example"], "Authorization": shown },
        // Nobody is known to API Gateway by a signature, or by one that does not count here.
        "requestContext": { "identity": { "accountId": "1", "userArn": "arn:aws:iam::1:user/u" } }
    });
    let answer = host.handle(event, Timestamp::MAX).await.expect("an answer");
    let content = answer["body"].as_str().map(serde_json::from_str).expect("content");
    let status = answer["statusCode"].as_u64().expect("a status");
    (status, answer["multiValueHeaders"].clone(), content.expect("JSON"))
}

#[tokio::test]
async fn a_token_of_the_issuer_says_who_asks_and_nothing_else_does() {
    let mint = Mint::ec("one");
    let issuer = Issuer::start(Mint::key_set(&[&mint])).await;
    let host = issuer.host(&[]).await;
    let good = format!("Bearer {}", mint.token(&issuer.claims()));
    let (status, _, content) = answered(&host, Some(&good)).await;
    assert_eq!((status, content), (200, json!({ "tenant": "acme", "name": "anna" })));
    let (status, headers, _) = answered(&host, None).await;
    assert_eq!((status, &headers["www-authenticate"]), (401, &json!(["Bearer"])));
    let mut claims = issuer.claims();
    claims["aud"] = json!("another");
    let foreign = format!("Bearer {}", mint.token(&claims));
    let (status, headers, problem) = answered(&host, Some(&foreign)).await;
    let why = "the token is meant for 'another', not for 'mano'";
    assert_eq!((status, &problem["detail"]), (401, &json!(why)));
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
    assert_eq!(headers["www-authenticate"], json!([challenge]));
    assert_eq!(headers["content-type"], json!(["application/problem+json"]));
}

#[tokio::test]
async fn a_token_without_a_tenant_has_that_of_the_map() {
    let mint = Mint::ed("one");
    let issuer = Issuer::start(Mint::key_set(&[&mint])).await;
    let mut claims = issuer.claims();
    claims.as_object_mut().expect("claims").remove("tenant");
    let silent = format!("Bearer {}", mint.token(&claims));
    let (status, ..) = answered(&issuer.host(&[]).await, Some(&silent)).await;
    assert_eq!(status, 403);
    let mapped = issuer.host(&[("MANO_TENANTS", r#"{"anna": "blue"}"#)]).await;
    let (status, _, content) = answered(&mapped, Some(&silent)).await;
    assert_eq!((status, &content["tenant"]), (200, &json!("blue")));
}

#[tokio::test]
async fn keys_that_are_given_need_no_way_to_the_issuer() {
    let mint = Mint::ed("one");
    let issuer = Issuer::start(json!({})).await;
    let given = Mint::key_set(&[&mint]).to_string();
    let host = issuer.host(&[("MANO_JWT_KEYS", &given)]).await;
    let good = format!("Bearer {}", mint.token(&issuer.claims()));
    let (status, ..) = answered(&host, Some(&good)).await;
    assert_eq!(status, 200);
    let stranger = format!("Bearer {}", Mint::ed("one").token(&issuer.claims()));
    let (status, ..) = answered(&host, Some(&stranger)).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn without_the_issuers_keys_nobody_is_let_in() {
    let mint = Mint::ed("one");
    let issuer = Issuer::start(json!({ "keys": [] })).await;
    let host = issuer.host(&[]).await;
    let good = format!("Bearer {}", mint.token(&issuer.claims()));
    let (status, headers, problem) = answered(&host, Some(&good)).await;
    assert_eq!((status, &headers["retry-after"]), (503, &json!(["5"])));
    assert!(problem["detail"].as_str().is_some_and(|why| why.contains(&issuer.url)), "{problem}");
}
