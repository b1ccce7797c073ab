//! The server over real connections: what peers get, and what slow or hostile ones do not.

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use mano_embedded::http::{Answers, Limits, serve, tls};
use mano_ports::{
    door::Answer,
    http::{Body, Content},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

/// Answers by path.
struct Test {
    begun: Notify,
    go_on: Notify,
    dropped: mpsc::UnboundedSender<()>,
}

/// Says when it is dropped.
struct Told(mpsc::UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl Answers for Test {
    async fn answer(&self, head: Parts, content: Content) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static("/there"));
        let (status, body) = match head.uri.path() {
            "/count" => match count(content).await {
                Ok(bytes) => (StatusCode::OK, Body::Json(bytes.to_string().into())),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    (StatusCode::REQUEST_TIMEOUT, Body::Empty)
                }
                Err(_) => (StatusCode::BAD_REQUEST, Body::Empty),
            },
            "/wait" => {
                self.begun.notify_one();
                self.go_on.notified().await;
                (StatusCode::OK, Body::Json("\"waited\"".into()))
            }
            "/short" => {
                let pieces = stream::iter([Ok(Bytes::from_static(b"abc"))]);
                (StatusCode::OK, Body::Stream("text/plain", 10, Box::pin(pieces)))
            }
            "/endless" => {
                let told = Told(self.dropped.clone());
                let piece = Bytes::from(vec![b'x'; 1 << 16]);
                let pieces = stream::repeat_with(move || {
                    let _ = &told;
                    Ok(piece.clone())
                });
                (StatusCode::OK, Body::Stream("text/plain", u64::MAX, Box::pin(pieces)))
            }
            "/none" => (StatusCode::NO_CONTENT, Body::Empty),
            path => (StatusCode::OK, Body::Json(path.to_owned().into())),
        };
        Answer { route: "", status, headers, body }
    }
}

/// The bytes of a content.
async fn count(content: Content) -> io::Result<usize> {
    match content {
        Content::Bytes(bytes) => Ok(bytes.len()),
        Content::Stream(stream) => {
            let stream = stream.into_inner().unwrap();
            stream.try_fold(0, async |sum, piece| Ok(sum + piece.len())).await
        }
    }
}

/// A server.
struct Server {
    address: SocketAddr,
    answers: Arc<Test>,
    dropped: mpsc::UnboundedReceiver<()>,
    stop: watch::Sender<bool>,
    running: JoinHandle<io::Result<()>>,
}

/// Patience that a test need not wait for long.
fn hasty() -> Limits {
    let short = Duration::from_millis(50);
    Limits { head: short, pause: short, stall: short, ..Limits::default() }
}

impl Server {
    async fn start(limits: Limits, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, dropped) = mpsc::unbounded_channel();
        let answers = Arc::new(Test { begun: Notify::new(), go_on: Notify::new(), dropped: told });
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(serve(listener, tls, limits, Arc::clone(&answers), stopped));
        Self { address, answers, dropped, stop, running }
    }

    async fn new() -> Self {
        Self::start(Limits::default(), None).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything the server sends until it closes.
    async fn say(&self, text: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }
}

/// Everything until the end.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer with a known length, of a connection that stays open.
async fn one(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    loop {
        text.push(stream.read_u8().await.unwrap());
        if text.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(text).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

#[tokio::test]
async fn header_names_are_in_title_case_and_the_length_is_told() {
    let server = Server::new().await;
    let answer = server.say("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nLocation: /there\r\n"), "{answer}");
    assert!(answer.contains("\r\nContent-Length: 2\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n/a"), "{answer}");
    let none = server.say("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(none.starts_with("HTTP/1.1 204") && !none.contains("Content-Length"), "{none}");
}

#[tokio::test]
async fn a_connection_is_kept_and_requests_may_be_sent_ahead() {
    let server = Server::new().await;
    let mut stream = server.connect().await;
    let requests = ["/1", "/2", "/3"].map(|path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
    stream.write_all(requests.concat().as_bytes()).await.unwrap();
    for path in ["/1", "/2", "/3"] {
        assert!(one(&mut stream).await.ends_with(path));
    }
    stream.write_all(requests[0].as_bytes()).await.unwrap();
    assert!(one(&mut stream).await.ends_with("/1"));
}

#[tokio::test]
async fn http_2_is_spoken_to_those_who_begin_with_it() {
    let server = Server::new().await;
    let mut stream = server.connect().await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4, "the first frame is SETTINGS");
}

#[tokio::test]
async fn content_streams_in_by_length_and_in_chunks() {
    let server = Server::new().await;
    let mut stream = server.connect().await;
    let content = vec![b'z'; 3 << 20];
    let head =
        format!("PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", content.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&content).await.unwrap();
    assert!(one(&mut stream).await.ends_with("\r\n3145728"));
    let chunked = "PUT /count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n";
    stream.write_all(chunked.as_bytes()).await.unwrap();
    assert!(one(&mut stream).await.ends_with("\r\n8"));
}

#[tokio::test]
async fn a_client_may_ask_before_it_sends() {
    let server = Server::new().await;
    let mut stream = server.connect().await;
    let head =
        "PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(one(&mut stream).await.starts_with("HTTP/1.1 100 Continue"));
    stream.write_all(b"ab").await.unwrap();
    assert!(one(&mut stream).await.ends_with("\r\n2"));
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_harms_nobody() {
    let server = Server::new().await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(10_000));
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(1 << 20));
    for junk in [
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PUT /count HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n",
        many.as_str(),
        long.as_str(),
    ] {
        let mut stream = server.connect().await;
        // The server may close before it has read everything.
        let _ = stream.write_all(junk.as_bytes()).await;
        let _ = stream.shutdown().await;
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let answer = server.say("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_peer_that_says_nothing_or_half_a_head_is_cut_off() {
    let server = Server::start(hasty(), None).await;
    for text in ["", "G", "GET / HTTP/1.1\r\nHost: x\r\nA: "] {
        let answer = server.say(text).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{text}: {answer}");
    }
}

#[tokio::test]
async fn content_that_stalls_is_given_up() {
    let server = Server::start(hasty(), None).await;
    let head = "PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc";
    let answer = server.say(head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn content_that_trickles_is_given_up() {
    let limits = Limits { pause: Duration::from_millis(300), pace: 1 << 20, ..Limits::default() };
    let server = Server::start(limits, None).await;
    let mut stream = server.connect().await;
    let head = "PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let trickle = async {
        // A byte now and then, each well before the pause is over.
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<String>().await
    };
    let answer = tokio::select! { answer = rest(&mut reader) => answer, never = trickle => never };
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let mut server = Server::start(hasty(), None).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(server.dropped.recv().await, Some(()), "the stream of the answer is gone");
}

#[tokio::test]
async fn an_answer_that_ends_early_does_not_look_whole() {
    let server = Server::new().await;
    let answer = server.say("GET /short HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!answer.ends_with("abcabcabca"), "{answer}");
    assert!(answer.is_empty() || answer.contains("Content-Length: 10"), "{answer}");
}

#[tokio::test]
async fn more_connections_than_there_are_seats_wait_their_turn() {
    let server = Server::start(Limits { connections: 1, ..Limits::default() }, None).await;
    let request = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut first = server.connect().await;
    first.write_all(request).await.unwrap();
    one(&mut first).await;
    let mut second = server.connect().await;
    second.write_all(request).await.unwrap();
    for _ in 0..10 {
        first.write_all(request).await.unwrap();
        one(&mut first).await;
    }
    let early = second.try_read(&mut [0; 1]).unwrap_err();
    assert_eq!(early.kind(), io::ErrorKind::WouldBlock);
    drop(first);
    assert!(one(&mut second).await.ends_with("/a"));
}

#[tokio::test]
async fn a_stop_lets_open_requests_end_and_takes_no_more() {
    let server = Server::new().await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    one(&mut idle).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.answers.begun.notified().await;
    server.stop.send(true).unwrap();
    assert_eq!(rest(&mut idle).await, "", "an idle connection is closed at once");
    server.answers.go_on.notify_one();
    let answer = rest(&mut busy).await;
    assert!(answer.ends_with("\"waited\""), "{answer}");
    server.running.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let limits = Limits { drain: Duration::from_millis(20), ..Limits::default() };
    let server = Server::start(limits, None).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.answers.begun.notified().await;
    server.stop.send(true).unwrap();
    server.running.await.unwrap().unwrap();
    assert_eq!(rest(&mut busy).await, "");
}

/// A certificate for `localhost`, as files and as a root of trust.
fn certificate() -> (tempfile::TempDir, TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let acceptor = tls::acceptor(&chain, &key).unwrap();
    (folder, acceptor, TlsConnector::from(Arc::new(client)))
}

#[tokio::test]
async fn tls_is_spoken_where_there_is_a_certificate() {
    let (_folder, acceptor, connector) = certificate();
    let server = Server::start(Limits::default(), Some(acceptor)).await;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, server.connect().await).await.unwrap();
    ask(&mut stream).await;
    let plain = server.say("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!plain.contains("200"), "{plain}");
}

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(one(stream).await.ends_with("/a"));
}

#[tokio::test]
async fn a_handshake_that_stalls_holds_no_seat() {
    let (_folder, acceptor, connector) = certificate();
    let limits = Limits { connections: 1, ..hasty() };
    let server = Server::start(limits, Some(acceptor)).await;
    let silent = server.connect().await;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, server.connect().await).await.unwrap();
    ask(&mut stream).await;
    drop(silent);
}

#[test]
fn files_that_are_no_certificates_are_told_by_name() {
    let (folder, ..) = certificate();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for (chain, key, named) in [
        (&empty, &key, "empty.pem"),
        (&chain, &empty, "empty.pem"),
        (&chain, &folder.path().join("no"), "no"),
    ] {
        let error = tls::acceptor(chain, key).err().unwrap().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_request_without_content_has_none() {
    let server = Server::new().await;
    let answer = server.say("GET /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("\r\n0"), "{answer}");
}
