//! Servers that say what they are told to say: what they and their stores hear from the command line.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use mano_edge::{sign::Signer, sum};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    sync::{Arc, Mutex},
    thread,
};
use tempfile::TempDir;

/// What was asked: method and path, headers, content.
#[derive(Debug, Clone)]
struct Asked {
    what: String,
    headers: BTreeMap<String, String>,
    content: Vec<u8>,
}

type Log = Arc<Mutex<Vec<Asked>>>;
/// Status, headers, content.
type Said = (u16, String, Vec<u8>);

/// Somebody who answers as told, and remembers what was asked; its address.
fn listening(answer: impl Fn(&Asked) -> Said + Send + 'static) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let log = Log::default();
    let ours = Arc::clone(&log);
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever asks may go at any time.
            let _ = hear(&stream.unwrap(), &answer, &ours);
        }
    });
    (address, log)
}

/// Reads one request, remembers it, and then answers: what was answered is remembered.
fn hear(stream: &TcpStream, answer: &impl Fn(&Asked) -> Said, log: &Log) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let what = line.rsplit_once(' ')?.0.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut writer = stream;
    if headers.contains_key("expect") {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut content = vec![0; length];
    reader.read_exact(&mut content).ok()?;
    let asked = Asked { what, headers, content };
    let (status, more, said) = answer(&asked);
    log.lock().unwrap().push(asked);
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n",
        said.len()
    );
    writer.write_all(head.as_bytes()).ok()?;
    writer.write_all(&said).ok()
}

/// A server that keeps no content itself, and its store, which answers PUT with a status.
fn world(status: u16) -> (String, Log, Log) {
    let (store, stored) = listening(move |asked| {
        let why = b"<Error><Message>The sum is another.</Message></Error>".to_vec();
        match asked.what.split(' ').next() {
            Some("PUT") => (status, String::new(), if status == 200 { Vec::new() } else { why }),
            _ => (200, String::new(), b"the archive".to_vec()),
        }
    });
    let (server, served) = listening(move |asked| {
        let (method, path) = asked.what.split_once(' ').unwrap();
        let there = format!("Location: {store}/blobs/x?X-Amz-Signature=secret\r\n");
        match (method, path.ends_with("package_content")) {
            ("POST", _) => (201, "Location: http://h/p1\r\n".into(), br#"{"id":"p1"}"#.to_vec()),
            ("PUT", true) => (307, there, br#"{"headers":{"x-sum":"s"}}"#.to_vec()),
            ("GET", true) => (307, there, Vec::new()),
            ("DELETE", _) => (204, String::new(), Vec::new()),
            _ => (200, String::new(), br#"{"id":"p1","onboardingState":"ONBOARDED"}"#.to_vec()),
        }
    });
    (server, served, stored)
}

fn mano(room: &TempDir, server: &str, words: &[&str]) -> Output {
    asked_as(&[("MANO_TOKEN", "ours")], room, server, words)
}

/// The command by somebody whose environment says who that is.
fn asked_as(who: &[(&str, &str)], room: &TempDir, server: &str, words: &[&str]) -> Output {
    let mut mano = Command::new(env!("CARGO_BIN_EXE_mano"));
    mano.env_clear().env("MANO_ENDPOINT", server).envs(who.iter().copied());
    mano.current_dir(room.path()).args(words).output().unwrap()
}

/// A room with an archive of so many bytes; nobody here looks into it.
fn room(bytes: usize) -> (TempDir, Vec<u8>) {
    let room = tempfile::tempdir().unwrap();
    let archive: Vec<u8> = (0..bytes).map(|n| n.to_le_bytes()[n % 3]).collect();
    std::fs::write(room.path().join("x.csar"), &archive).unwrap();
    (room, archive)
}

fn find(log: &Log, what: &str) -> Vec<Asked> {
    let log = log.lock().unwrap();
    log.iter().filter(|asked| asked.what.starts_with(what)).cloned().collect()
}

#[test]
fn a_large_archive_is_announced_and_sent_on_without_our_token() {
    let (server, served, stored) = world(200);
    let (room, archive) = room((4 << 20) + 1);
    let done = mano(&room, &server, &["package", "onboard", "x.csar"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let announced = find(&served, "PUT ");
    assert_eq!(announced.len(), 1);
    assert_eq!(announced[0].headers["x-mano-content-length"], archive.len().to_string());
    assert!(announced[0].headers["repr-digest"].starts_with("sha-256=:"), "{announced:?}");
    assert_eq!(announced[0].headers["authorization"], "Bearer ours");
    assert!(announced[0].content.is_empty(), "nothing is sent before we know where to");
    let sent = find(&stored, "PUT /blobs/x?X-Amz-Signature=secret");
    assert_eq!(sent.len(), 1);
    assert!(sent[0].content == archive, "it is sent as it is");
    assert_eq!(sent[0].headers["x-sum"], "s");
    for ours in ["authorization", "version"] {
        assert_eq!(sent[0].headers.get(ours), None, "the store need not know {ours}");
    }
}

#[test]
fn a_refusal_of_the_store_is_told_without_the_signature_and_leaves_no_record() {
    let (server, served, _) = world(400);
    let (room, _) = room((4 << 20) + 1);
    let done = mano(&room, &server, &["package", "onboard", "x.csar"]);
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("The sum is another") && told.contains("/blobs/x"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    assert_eq!(find(&served, "DELETE ").len(), 1);
}

#[test]
fn an_archive_is_fetched_from_where_the_server_sends_us() {
    let (server, served, stored) = world(200);
    let (room, _) = room(0);
    let id = "00000000-0000-4000-8000-000000000001";
    let done = mano(&room, &server, &["package", "download", id, "--to", "y.csar"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(std::fs::read(room.path().join("y.csar")).unwrap(), b"the archive");
    let asked = find(&served, "GET ");
    assert!(asked[0].headers["accept"].starts_with("application/zip"), "{asked:?}");
    assert_eq!(find(&stored, "GET ")[0].headers.get("authorization"), None);
}

const KEYS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "session"),
    ("AWS_REGION", "eu-west-3"),
];

/// What its signature must be, going by what arrived.
fn signature(asked: &Asked) -> String {
    let keys = |name: &str| KEYS.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    let signer = Signer::new("execute-api", "127.0.0.1", keys).unwrap();
    let (method, path) = asked.what.split_once(' ').unwrap();
    let uri = format!("http://{}{path}", asked.headers["host"]).parse().unwrap();
    let date = &asked.headers["x-amz-date"];
    let now = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).unwrap();
    let now = now.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let sum = sum::of(&asked.content);
    let headers = signer.headers(&method.parse().unwrap(), &uri, &sum, now);
    headers.last().unwrap().1.to_str().unwrap().to_owned()
}

#[test]
fn each_request_is_signed_where_that_is_asked_for_and_the_store_sees_none_of_it() {
    for size in [1 << 10, (4 << 20) + 1] {
        let (server, served, stored) = world(200);
        let (room, _) = room(size);
        asked_as(&KEYS, &room, &server, &["--iam", "package", "onboard", "x.csar"]);
        let filter = "(eq,vnfProductName,a b)";
        asked_as(&KEYS, &room, &server, &["--iam", "package", "list", "--filter", filter]);
        let asked = find(&served, "");
        let count = |what: &str| asked.iter().filter(|a| a.what.starts_with(what)).count();
        assert_eq!((count("POST"), count("PUT")), (1, 1), "{asked:?}");
        assert!(asked.last().unwrap().what.contains("filter="), "{asked:?}");
        for asked in asked {
            assert_eq!(asked.headers["authorization"], signature(&asked), "{}", asked.what);
            assert_eq!(asked.headers["x-amz-security-token"], "session");
        }
        for stored in find(&stored, "") {
            let none = |name: &&String| *name == "authorization" || name.starts_with("x-amz");
            assert_eq!(stored.headers.keys().find(none), None, "{}", stored.what);
        }
    }
}

#[test]
fn who_cannot_sign_is_told_what_is_missing_before_anything_is_asked() {
    let (server, served, _) = world(200);
    let (room, _) = room(0);
    let words = ["package", "list"];
    for (who, missing) in [
        (&[("MANO_IAM", "true")][..], "AWS_ACCESS_KEY_ID"),
        (&[("MANO_IAM", "1"), KEYS[0], KEYS[1]], "AWS_REGION"),
        (&[("MANO_IAM", "1"), ("MANO_TOKEN", "ours")], "--token"),
    ] {
        let done = asked_as(who, &room, &server, &words);
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{told}");
        assert!(told.contains(missing), "{told}");
    }
    assert!(find(&served, "").is_empty());
}

#[test]
fn a_variable_that_wants_no_signature_leaves_the_token_alone() {
    for no in ["false", "0", ""] {
        let (server, served, _) = world(200);
        let (room, _) = room(0);
        let who = [("MANO_IAM", no), ("MANO_TOKEN", "ours")];
        let done = asked_as(&who, &room, &server, &["package", "list"]);
        let asked = find(&served, "");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!asked.is_empty(), "MANO_IAM={no}: {told}");
        assert_eq!(asked[0].headers["authorization"], "Bearer ours");
    }
}

/// A server whose looks at runs answer in this order; the last one again and again.
fn looking(answers: &'static [&'static str]) -> (String, Log) {
    let asked = Mutex::new(answers.iter().peekable());
    listening(move |_| {
        let mut asked = asked.lock().unwrap();
        let answer = if asked.len() > 1 { asked.next() } else { asked.peek().copied() };
        (200, String::new(), answer.unwrap().as_bytes().to_vec())
    })
}

#[test]
fn runs_are_driven_on_until_all_were_looked_at() {
    let answers = &[
        r#"{"started": ["op-1-0"], "closed": [], "running": 2, "next": "ns-op/PROCESSING:op-1"}"#,
        r#"{"started": [], "closed": ["op-2-1"], "running": 3, "next": null}"#,
        r#"{"started": ["package-1-1"], "closed": [], "running": 0, "next": null}"#,
    ];
    let (room, _) = room(0);
    let (server, served) = looking(answers);
    let done = mano(&room, &server, &["op", "redrive", "--runs"]);
    let (out, told) = (String::from_utf8(done.stdout).unwrap(), done.stderr);
    assert!(done.status.success(), "{out}{}", String::from_utf8_lossy(&told));
    let asked = find(&served, "POST /mano/v1/operations/redrive");
    assert_eq!(asked.len(), 2);
    assert!(asked[1].what.ends_with("?after=ns-op%2FPROCESSING%3Aop-1"), "{}", asked[1].what);
    assert_eq!(find(&served, "POST /mano/v1/onboardings/redrive").len(), 1);
    assert!(String::from_utf8(told).unwrap().contains("1 started again"), "it shows progress");
    for words in ["op-1-0", "op-2-1", "2 started again, 1 told to their records, 5 go on"] {
        assert!(out.contains(words), "{words} is not in: {out}");
    }
    let (server, _) = looking(answers);
    let done = mano(&room, &server, &["op", "redrive", "--runs", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let all = serde_json::json!({ "started": ["op-1-0", "package-1-1"], "closed": ["op-2-1"], "running": 5 });
    assert_eq!(told, all);
}
