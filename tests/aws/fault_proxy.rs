//! A proxy between Lambda functions and an emulator that disturbs every n-th call of a service.
//!
//! ```text
//!   fault-proxy 127.0.0.1:4000 127.0.0.1:4610
//!   PUT /_faults  {"dynamodb": {"every": 5, "how": "lose"}, "states": {"every": 3, "how": "fail"}}
//!   GET /_faults  {"dynamodb": {"calls": 40, "disturbed": 8}}     since the last PUT
//! ```
//!
//! `fail` answers 503 and does nothing; `delay` does it a moment later; `duplicate` does it twice;
//! `lose` does it and ends the connection without an answer.

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode, body::Bytes, body::Incoming, client, header, server,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

type Failed = Box<dyn Error + Send + Sync>;

/// How much later a delayed call is done.
const LATER: Duration = Duration::from_millis(300);

/// What happens to a call.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Fail,
    Delay,
    Duplicate,
    Lose,
}

/// What happens to the calls of a service.
#[derive(Clone, Copy, Deserialize)]
struct Fault {
    every: u64,
    how: How,
}

/// What happened to the calls of a service.
#[derive(Clone, Copy, Default, Serialize)]
struct Count {
    calls: u64,
    disturbed: u64,
}

#[derive(Default)]
struct Faults {
    asked: HashMap<String, Fault>,
    counted: HashMap<String, Count>,
}

impl Faults {
    /// Counts a call, and says what is to happen to it.
    fn of(&mut self, service: &str) -> Option<How> {
        let count = self.counted.entry(service.to_owned()).or_default();
        count.calls += 1;
        let fault = self.asked.get(service)?;
        if !count.calls.is_multiple_of(fault.every) {
            return None;
        }
        count.disturbed += 1;
        Some(fault.how)
    }
}

struct Proxy {
    to: String,
    faults: Mutex<Faults>,
}

impl Proxy {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failed> {
        let (head, content) = request.into_parts();
        let request = Request::from_parts(head, content.collect().await?.to_bytes());
        if request.uri().path() == "/_faults" {
            return self.told(&request);
        }
        let how = service(&request).and_then(|service| self.faults().of(service));
        match how {
            None => self.pass(&request).await,
            Some(How::Fail) => said(StatusCode::SERVICE_UNAVAILABLE, Bytes::new()),
            Some(How::Delay) => {
                tokio::time::sleep(LATER).await;
                self.pass(&request).await
            }
            Some(How::Duplicate) => {
                self.pass(&request).await?;
                self.pass(&request).await
            }
            Some(How::Lose) => {
                self.pass(&request).await?;
                Err("the answer is lost, as was asked".into())
            }
        }
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes new faults, or tells what happened.
    fn told(&self, request: &Request<Bytes>) -> Result<Response<Full<Bytes>>, Failed> {
        let mut faults = self.faults();
        if request.method() == Method::PUT {
            let asked = serde_json::from_slice(request.body())?;
            *faults = Faults { asked, counted: HashMap::new() };
        }
        said(StatusCode::OK, serde_json::to_vec(&faults.counted)?.into())
    }

    /// Asks the emulator.
    async fn pass(&self, request: &Request<Bytes>) -> Result<Response<Full<Bytes>>, Failed> {
        let stream = TokioIo::new(TcpStream::connect(&self.to).await?);
        let (mut sender, connection) = client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let mut copy = Request::new(Full::new(request.body().clone()));
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        copy.headers_mut().clone_from(request.headers());
        copy.headers_mut().remove(header::TRANSFER_ENCODING);
        copy.headers_mut().remove(header::EXPECT);
        let (head, content) = sender.send_request(copy).await?.into_parts();
        let mut answer = Response::from_parts(head, Full::new(content.collect().await?.to_bytes()));
        answer.headers_mut().remove(header::TRANSFER_ENCODING);
        answer.headers_mut().remove(header::CONNECTION);
        Ok(answer)
    }
}

fn said(status: StatusCode, content: Bytes) -> Result<Response<Full<Bytes>>, Failed> {
    Ok(Response::builder().status(status).body(Full::new(content))?)
}

/// The service a call is signed for: `Credential=<key>/<day>/<region>/<service>/aws4_request`.
fn service(request: &Request<Bytes>) -> Option<&str> {
    let signed = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    signed.split_once("Credential=")?.1.split('/').nth(3)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut places = std::env::args().skip(1);
    let (Some(at), Some(to)) = (places.next(), places.next()) else {
        return Err("say where to listen and whom to ask: fault-proxy HOST:PORT HOST:PORT".into());
    };
    let listener = TcpListener::bind(at).await?;
    let proxy = Arc::new(Proxy { to, faults: Mutex::default() });
    loop {
        let (stream, _) = listener.accept().await?;
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move {
            let serve = service_fn(|request| proxy.answer(request));
            let mut http = server::conn::http1::Builder::new();
            http.timer(TokioTimer::new());
            // Whoever asked sees it by the connection.
            let _ = http.serve_connection(TokioIo::new(stream), serve).await;
        });
    }
}
