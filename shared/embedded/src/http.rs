//! The server: connections in, requests to whoever answers, answers out.
//!
//! ```text
//!   listener ─▶ connection (TLS?) ─▶ hyper (HTTP/1.1, HTTP/2) ─▶ Answers ─▶ hyper
//! ```
//!
//! A peer that is slow to send a head, content or to take an answer is cut off; no number of
//! connections or requests takes unbounded memory.

mod content;
mod guard;
mod out;
pub mod tls;

use ::http::{Request, Response, request::Parts};
use guard::Guarded;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use mano_ports::{door::Answer, http::Content};
use out::Out;
use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// Whoever answers requests.
pub trait Answers: Send + Sync + 'static {
    /// Answers one request; never fails.
    fn answer(&self, head: Parts, content: Content) -> impl Future<Output = Answer> + Send;
}

/// How much the server bears.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take, or the TLS handshake, or the pause between two
    /// requests.
    pub head: Duration,
    /// How long content may pause.
    pub pause: Duration,
    /// The slowest content, in bytes a second; counted after [`Limits::pause`].
    pub pace: u64,
    /// How long a peer may take nothing of an answer.
    pub stall: Duration,
    /// Requests of one HTTP/2 connection at the same time.
    pub streams: u32,
    /// How long open requests may go on after the stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head: Duration::from_secs(30),
            pause: Duration::from_secs(30),
            pace: 1024,
            stall: Duration::from_secs(60),
            streams: 128,
            drain: Duration::from_secs(20),
        }
    }
}

/// What every connection needs.
struct Shared<A> {
    answers: Arc<A>,
    builder: auto::Builder<TokioExecutor>,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

/// Serves until `stop` becomes true, then lets open requests end.
///
/// # Errors
/// Only that the listener is gone; trouble of a connection ends that connection.
pub async fn serve<A: Answers>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    answers: Arc<A>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let seats = Arc::new(Semaphore::new(limits.connections));
    let shared = Arc::new(Shared { answers, builder: builder(&limits), tls, limits });
    let mut connections = JoinSet::new();
    loop {
        let seated = async {
            let seat = Arc::clone(&seats).acquire_owned().await;
            (accept(&listener).await, seat)
        };
        tokio::select! {
            (stream, seat) = seated => {
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                connections.spawn(async move {
                    connection(shared, stream, stop).await;
                    drop(seat);
                });
            }
            // Ended tasks would pile up otherwise.
            Some(_) = connections.join_next() => {}
            () = stopped(&mut stop) => break,
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(shared.limits.drain, ended).await.is_err() {
        tracing::warn!("open requests did not end in time and are cut off");
        connections.shutdown().await;
    }
    Ok(())
}

/// The next connection; a lack of file handles passes.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Returns once the server shall stop; also if whoever could say so is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    drop(stop.wait_for(|stop| *stop).await);
}

/// How hyper is set up.
fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(64 << 10)
        // Clients exist that look for `Location` and `ETag` in exactly this case.
        .title_case_headers(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(64 << 10)
        .keep_alive_interval(limits.head)
        .keep_alive_timeout(limits.pause);
    builder
}

/// One connection, from its first byte to its last.
async fn connection<A: Answers>(
    shared: Arc<Shared<A>>,
    stream: TcpStream,
    stop: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting for more to send would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let stream = Guarded::new(stream, &shared.limits);
    let Some(tls) = &shared.tls else { return requests(&shared, stream, stop).await };
    match timeout(shared.limits.head, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests(&shared, stream, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

/// The requests of one connection.
async fn requests<A: Answers>(
    shared: &Arc<Shared<A>>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let shared = Arc::clone(shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let connection = shared.builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}

/// One request.
async fn answer<A: Answers>(shared: &Shared<A>, request: Request<Incoming>) -> Response<Out> {
    let (head, body) = request.into_parts();
    let content = content::of(body, &shared.limits);
    let answer = shared.answers.answer(head, content).await;
    let mut response = Response::new(Out::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}
