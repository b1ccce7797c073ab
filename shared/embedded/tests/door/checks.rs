//! The order and the meaning of the checks before a handler.

use crate::world::{Nobody, World};
use bytes::Bytes;
use futures_util::stream;
use mano_ports::{
    door::{Settings, auth::Anyone},
    http::Content,
};
use std::{io, sync::Arc};

const THINGS: &str = "/nslcm/v2/things";

fn nothing() -> Content {
    Content::Bytes(Bytes::new())
}

fn body(text: &str) -> Content {
    Content::Bytes(Bytes::from(text.to_owned()))
}

#[tokio::test]
async fn a_path_that_is_unknown_is_404_before_anything_else() {
    let world = World::with(Settings::default(), Arc::new(Nobody)).await;
    for path in
        ["/", "/nslcm/v2", "/nslcm/v2/thing", "/nslcm/v2/things/", "/nslcm/v2/things//x/content"]
    {
        let answer = world.raw("PATCH", path, &[], body("{{{")).await;
        assert_eq!((answer.status, answer.route), (404, ""), "{path}");
        assert!(answer.detail().contains(path));
    }
}

#[tokio::test]
async fn a_method_that_is_not_defined_is_405_with_allow_also_for_ids_that_do_not_exist() {
    let world = World::with(Settings::default(), Arc::new(Nobody)).await;
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW"] {
        let answer = world.raw(method, THINGS, &[], body("{{{")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, POST"), "{method}");
    }
    let answer = world.raw("POST", "/nslcm/v2/things/none", &[], nothing()).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, PATCH, DELETE"));
    assert_eq!(answer.route, "/nslcm/v2/things/{thingId}");
}

/// What `WWW-Authenticate` says of credentials that are not taken.
fn said(error: &str, why: &str) -> String {
    format!("Bearer error=\"{error}\", error_description=\"{why}\"")
}

#[tokio::test]
async fn tokens_come_before_versions_and_say_what_is_wrong_with_them() {
    let world = World::guarded().await;
    for (header, status) in [
        (None, 401),
        (Some("Bear token-of-anna-0001"), 400),
        (Some("Bearer"), 400),
        (Some("Bearer two words"), 400),
        (Some("Basic YTpi"), 400),
        (Some("Bearer negativetoken"), 401),
    ] {
        let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
        let answer = world.raw("GET", THINGS, &headers, nothing()).await;
        assert_eq!(answer.status, status, "{header:?}");
        let challenge = match header {
            None => "Bearer".into(),
            Some(_) if status == 400 => said("invalid_request", &answer.detail()),
            Some(_) => said("invalid_token", &answer.detail()),
        };
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    let known = [("authorization", "bearer token-of-anna-0001")];
    let answer = world.raw("GET", THINGS, &known, nothing()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.detail().contains("Version"), "{}", answer.detail());
    let nobody = World::with(Settings::default(), Arc::new(Nobody)).await;
    assert_eq!(nobody.get(THINGS).await.status, 403);
}

#[tokio::test]
async fn a_token_leads_to_its_tenant_and_nowhere_else() {
    let world = World::guarded().await;
    let version = ("version", "2.0.0");
    let json = ("content-type", "application/json");
    let anna = ("authorization", "Bearer token-of-anna-0001");
    let bert = ("authorization", "Bearer token-of-bert-0002");
    let thing = r#"{"id":"t","size":1,"parent":"p","extra":{}}"#;
    let made = world.raw("POST", THINGS, &[version, json, bert], body(thing)).await;
    assert_eq!(made.status, 201);
    let one = "/nslcm/v2/things/t";
    assert_eq!(world.raw("GET", one, &[version, bert], nothing()).await.status, 200);
    assert_eq!(world.raw("GET", one, &[version, anna], nothing()).await.status, 404);
    assert_eq!(world.raw("GET", THINGS, &[version, anna], nothing()).await.body, "[]");
    let echo = world.raw("GET", "/mano/v1/echo", &[bert], nothing()).await.json();
    assert_eq!((echo["tenant"].as_str(), echo["name"].as_str()), (Some("acme"), Some("bert")));
}

#[tokio::test]
async fn the_version_is_required_on_v2_and_comes_back() {
    let world = World::new().await;
    let ask = async |value: Option<&str>| {
        let headers: Vec<_> = value.map(|value| ("version", value)).into_iter().collect();
        let answer = world.raw("GET", THINGS, &headers, nothing()).await;
        (answer.status, answer.header("version").to_owned())
    };
    assert_eq!(ask(Some("2.0.0")).await, (200, "2.0.0".into()));
    assert_eq!(ask(Some("2.2.0-impl:example.org:x:1")).await, (200, "2.2.0".into()));
    assert_eq!(ask(None).await, (400, "2.12.0".into()));
    assert_eq!(ask(Some("two")).await, (400, "2.12.0".into()));
    assert_eq!(ask(Some("1.3.0")).await, (406, "2.12.0".into()));
    let own = world.raw("GET", "/mano/v1/echo", &[], nothing()).await;
    assert_eq!((own.status, own.header("version")), (200, "1.0.0"));
    let lenient = Settings { versions_required: false, ..Settings::default() };
    let lenient = World::with(lenient, Arc::new(Anyone)).await;
    assert_eq!(lenient.raw("GET", THINGS, &[], nothing()).await.status, 200);
}

#[tokio::test]
async fn what_the_client_cannot_take_is_406() {
    let world = World::new().await;
    let version = ("version", "2.0.0");
    for (accept, status) in [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*;q=0.1, text/html", 200),
        ("application/problem+json", 200),
        ("text/html", 406),
        ("application/json;q=0, text/plain", 406),
        ("application/zip", 406),
    ] {
        let answer = world.raw("GET", THINGS, &[version, ("accept", accept)], nothing()).await;
        assert_eq!(answer.status, status, "{accept}");
    }
    let path = "/nslcm/v2/things/t/files/a/b.txt";
    for (accept, status) in [("text/plain", 200), ("text/*", 200), ("application/json", 406)] {
        let answer = world.raw("GET", path, &[version, ("accept", accept)], nothing()).await;
        assert_eq!(answer.status, status, "{accept}");
    }
}

#[tokio::test]
async fn content_of_another_type_is_415() {
    let world = World::new().await;
    let version = ("version", "2.0.0");
    let length = ("content-length", "2");
    for (method, path, sent, status) in [
        ("PATCH", "/nslcm/v2/things/t", Some("application/merge-patch+json"), 200),
        ("PATCH", "/nslcm/v2/things/t", Some("application/json"), 200),
        ("PATCH", "/nslcm/v2/things/t", Some("Application/JSON; charset=UTF-8"), 200),
        ("PATCH", "/nslcm/v2/things/t", Some("application/json; charset=latin1"), 415),
        ("PATCH", "/nslcm/v2/things/t", Some("text/plain"), 415),
        ("PATCH", "/nslcm/v2/things/t", None, 415),
        ("POST", "/nslcm/v2/things", Some("application/merge-patch+json"), 415),
        ("PUT", "/nslcm/v2/things/t/content", Some("application/zip"), 200),
        ("PUT", "/nslcm/v2/things/t/content", Some("application/json"), 415),
    ] {
        let mut headers = vec![version, length];
        headers.extend(sent.map(|sent| ("content-type", sent)));
        let answer = world.raw(method, path, &headers, body("{}")).await;
        assert_eq!(answer.status, status, "{method} {path} {sent:?}");
    }
    let nothing_sent = world.raw("PATCH", "/nslcm/v2/things/t", &[version], nothing()).await;
    assert_eq!(nothing_sent.status, 200, "no content needs no type");
}

#[tokio::test]
async fn unknown_query_parameters_are_400() {
    let world = World::new().await;
    for (uri, status) in [
        ("/nslcm/v2/things?filter=(eq,id,t)", 200),
        ("/nslcm/v2/things?all_fields", 200),
        ("/nslcm/v2/things?vnfdId=1", 400),
        ("/nslcm/v2/things?all_fields&all_fields", 400),
        ("/nslcm/v2/things?filter=%zz", 400),
        ("/nslcm/v2/things?filter=%ff", 400),
        ("/nslcm/v2/things/t?all_fields", 400),
        ("/mano/v1/echo?wait=1&&", 200),
        ("/mano/v1/echo?filter=x", 400),
    ] {
        assert_eq!(world.get(uri).await.status, status, "{uri}");
    }
    let detail = world.get("/mano/v1/echo?weight=1").await.detail();
    assert!(detail.contains("weight") && detail.contains("wait"), "{detail}");
}

#[tokio::test]
async fn paths_and_queries_are_decoded_once() {
    let world = World::new().await;
    let echo = world.get("/mano/v1/echo?wait=a%2Bb+c%2520").await.json();
    assert_eq!(echo["query"][0][1], "a+b c%20");
    let file = world.get("/nslcm/v2/things/t/files/a%20b/c%2Fd+e").await;
    assert_eq!(file.body, "a b/c/d+e");
    let echo = world.ask("PATCH", "/nslcm/v2/things/%C3%A4", "{}").await.json();
    assert_eq!(echo["path"]["id"], "ä");
    for path in ["/nslcm/v2/things/%ff", "/nslcm/v2/things/%0", "/nslcm/v2/things/%00"] {
        assert_eq!(world.get(path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let settings = Settings {
        max_json_bytes: 64,
        max_stream_bytes: 100,
        max_uri_bytes: 100,
        ..Settings::default()
    };
    let world = World::with(settings, Arc::new(Anyone)).await;
    let headers = [("version", "2.0.0"), ("content-type", "application/json")];
    let announced = [headers[0], headers[1], ("content-length", "65")];
    let unread = || Content::stream(Box::pin(stream::pending()));
    let post = "/nslcm/v2/things";
    assert_eq!(world.raw("POST", post, &announced, unread()).await.status, 413);
    let endless = Content::stream(Box::pin(stream::repeat_with(|| Ok(Bytes::from_static(b" ")))));
    assert_eq!(world.raw("POST", post, &headers, endless).await.status, 413);
    let whole = body(&format!("{{{}}}", " ".repeat(63)));
    assert_eq!(world.raw("POST", post, &headers, whole).await.status, 413);
    let zip = [headers[0], ("content-type", "application/zip"), ("content-length", "101")];
    assert_eq!(world.raw("PUT", "/nslcm/v2/things/t/content", &zip, unread()).await.status, 413);
    let long = format!("/nslcm/v2/things?filter={}", "x".repeat(100));
    assert_eq!(world.get(&long).await.status, 414);
}

#[tokio::test]
async fn content_that_breaks_off_or_stalls_is_the_clients_problem() {
    let world = World::new().await;
    let headers = [("version", "2.0.0"), ("content-type", "application/json")];
    for (kind, status) in [(io::ErrorKind::UnexpectedEof, 400), (io::ErrorKind::TimedOut, 408)] {
        let pieces = [Ok(Bytes::from_static(b"{")), Err(kind.into())];
        let broken = Content::stream(Box::pin(stream::iter(pieces)));
        let answer = world.raw("POST", "/nslcm/v2/things", &headers, broken).await;
        assert_eq!(answer.status, status, "{kind}");
    }
}

#[tokio::test]
async fn content_in_pieces_is_one_content() {
    let world = World::new().await;
    let headers = [("version", "2.0.0"), ("content-type", "application/json")];
    for cut in [1, 3, 9] {
        let text = br#"{"a":"bcd"}"#.as_slice();
        let pieces: Vec<_> = text.chunks(cut).map(|piece| Ok(Bytes::from_static(piece))).collect();
        let stream = Content::stream(Box::pin(stream::iter(pieces)));
        let answer = world.raw("PATCH", "/nslcm/v2/things/t", &headers, stream).await;
        assert_eq!(answer.json()["body"]["a"], "bcd");
    }
}

/// Bodies that have broken parsers: every one is answered 400 with a place, none is a defect.
#[tokio::test]
async fn what_is_no_json_object_is_400_with_its_place() {
    let world = World::new().await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    let wide = "[".repeat(1_000_000);
    let hidden = format!(r#"{{"a":"\"{}", "b":{}"#, "[".repeat(100), "[".repeat(100));
    for text in [
        "{",
        "}",
        "{]",
        "[]",
        "[{}]",
        "1",
        "null",
        "\"a\"",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":1e}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\n\"}",
        "{} {}",
        "{}x",
        "\u{feff}{}",
        "{\"a\":nul}",
        "{\"a\":\"\\ud800\"",
        "{'a':1}",
        "// {}\n{}",
        "{\"a\":NaN}",
        "\0",
        deep.as_str(),
        wide.as_str(),
        hidden.as_str(),
    ] {
        let answer = world.ask("PATCH", "/nslcm/v2/things/t", text).await;
        let shown: String = text.chars().take(40).collect();
        assert_eq!(answer.status, 400, "{shown}");
        assert!(answer.detail().contains("body"), "{shown}: {}", answer.detail());
    }
    let headers = [("version", "2.0.0"), ("content-type", "application/json")];
    let bytes = Content::Bytes(Bytes::from_static(b"{\"a\":\"\xff\"}"));
    let answer = world.raw("PATCH", "/nslcm/v2/things/t", &headers, bytes).await;
    assert!(answer.detail().contains("byte 7"), "{}", answer.detail());
    let shallow = format!("{}1{}", r#"{"a":"#.repeat(64), "}".repeat(64));
    assert_eq!(world.ask("PATCH", "/nslcm/v2/things/t", &shallow).await.status, 200);
    let deeper = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
    let detail = world.ask("PATCH", "/nslcm/v2/things/t", &deeper).await.detail();
    assert!(detail.contains("deeper than 64 levels"), "{detail}");
    let line = world.ask("PATCH", "/nslcm/v2/things/t", "{\n \"a\": x}").await.detail();
    assert!(line.contains("line 2 column"), "{line}");
}

/// Whatever bytes come, an answer goes out.
#[tokio::test]
async fn any_bytes_are_answered() {
    use proptest::{
        strategy::{Strategy, ValueTree},
        test_runner::TestRunner,
    };
    let world = World::new().await;
    let headers = [("version", "2.0.0"), ("content-type", "application/json")];
    let mut runner = TestRunner::deterministic();
    let texts = "[\\[\\]{}\",:0-9a-z\\\\ .\\-\u{0}\u{e9}]{0,60}";
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 0..80);
    for _ in 0..2000 {
        let text = texts.new_tree(&mut runner).unwrap().current();
        let wild = bytes.new_tree(&mut runner).unwrap().current();
        for content in [text.into_bytes(), wild] {
            let content = Content::Bytes(content.into());
            let answer = world.raw("PATCH", "/nslcm/v2/things/t", &headers, content).await;
            assert!([200, 400].contains(&answer.status), "{answer:?}");
        }
    }
    let paths = "/(nslcm|mano)/v[12]/[a-z%0-9/{}*+.;@:]{0,30}(\\?[a-z_=&%()',;+0-9]{0,40})?";
    for _ in 0..2000 {
        let path = paths.new_tree(&mut runner).unwrap().current();
        if path.parse::<http::Uri>().is_ok() {
            let answer = world.raw("GET", &path, &headers, nothing()).await;
            assert!(answer.status < 500, "{path}: {answer:?}");
        }
    }
}
