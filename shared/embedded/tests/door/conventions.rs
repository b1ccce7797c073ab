//! What every answer has, and how failures are told.

use crate::world::{LOST, World};
use bytes::Bytes;
use http::Method;
use mano_ports::{
    clock::Clock as _,
    door::{
        Door, Settings,
        auth::{Anyone, BadTokens, Tokens},
    },
    function::{Function, Route, Takes},
    http::{Content, Reply},
};
use std::sync::{Arc, atomic::Ordering::Relaxed};

fn nothing() -> Content {
    Content::Bytes(Bytes::new())
}

#[tokio::test]
async fn failures_are_problem_json_unless_accept_names_only_json() {
    let world = World::new().await;
    let version = ("version", "2.0.0");
    for (accept, media_type) in [
        (None, "application/problem+json"),
        (Some("*/*"), "application/problem+json"),
        (Some("application/json, application/problem+json"), "application/problem+json"),
        (Some("application/json"), "application/json"),
    ] {
        let mut headers = vec![version];
        headers.extend(accept.map(|accept| ("accept", accept)));
        let answer = world.raw("GET", "/nslcm/v2/things/none", &headers, nothing()).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, media_type));
        assert_eq!(answer.json()["title"], "Not Found");
        assert!(answer.detail().contains("'none'"));
    }
}

#[tokio::test]
async fn the_client_sees_the_sentence_and_never_the_inner_cause() {
    let world = World::new().await;
    for (why, status, retry) in [
        ("bug", 500, ""),
        ("store", 503, "1"),
        ("unavailable", 503, "1"),
        ("unauthorized", 401, ""),
    ] {
        let answer = world.ask("POST", &format!("/mano/v1/fail/{why}"), "{}").await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, retry), "{why}");
        assert!(!answer.detail().contains("secret"), "{}", answer.detail());
    }
    let unauthorized = world.ask("POST", "/mano/v1/fail/unauthorized", "{}").await;
    assert_eq!(unauthorized.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_panic_is_one_answer_and_the_door_stays_open() {
    let world = World::new().await;
    assert_eq!(world.ask("POST", "/mano/v1/panic", "{}").await.status, 500);
    assert_eq!(world.get("/nslcm/v2/things").await.status, 200);
}

#[tokio::test]
async fn a_lost_race_runs_the_handler_again_three_times() {
    let world = World::new().await;
    world.thing("t", 1, "p").await;
    let before = LOST.load(Relaxed);
    let answer = world.ask("DELETE", "/nslcm/v2/things/t", "").await;
    assert_eq!(LOST.load(Relaxed) - before, 4);
    assert_eq!(answer.status, 409);
    assert!(answer.detail().contains("'t'"), "{}", answer.detail());
    let headers = [("version", "2.0.0"), ("if-match", "\"7\"")];
    let answer = world.raw("DELETE", "/nslcm/v2/things/t", &headers, nothing()).await;
    assert_eq!(answer.status, 412);
}

#[tokio::test]
async fn a_handler_that_never_ends_is_answered_for() {
    let world = World::new().await;
    let asked = world.ask("POST", "/mano/v1/hang", "{}");
    let time = async {
        while !world.clock.jump(std::time::Duration::from_secs(60)) {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let answer = tokio::select! {
        answer = asked => answer,
        () = time => unreachable!(),
    };
    assert_eq!(answer.status, 504);
    // The deadline that handlers see, and the grace beyond it.
    assert_eq!(world.clock.now().as_second(), 25 + 2);
}

#[tokio::test]
async fn links_begin_with_the_api_root() {
    let world = World::new().await;
    let body = r#"{"id":"t","size":1,"parent":"p","extra":{}}"#;
    let made = world.ask("POST", "/nslcm/v2/things", body).await;
    assert_eq!(made.header("location"), "http://mano.example:8080/nslcm/v2/things/t");
    for (host, root) in [
        ("10.0.0.1:8443", "http://10.0.0.1:8443"),
        ("[::1]:80", "http://[::1]:80"),
        ("evil/../?x", "http://localhost"),
        ("a\"b", "http://localhost"),
    ] {
        let echo = world.raw("GET", "/mano/v1/echo", &[("host", host)], nothing()).await;
        assert_eq!(echo.json()["root"], root);
    }
    let fixed =
        Settings { api_root: Some("https://nfvo.example/prefix".into()), ..Settings::default() };
    let fixed = World::with(fixed, Arc::new(Anyone)).await;
    assert_eq!(fixed.get("/mano/v1/echo").await.json()["root"], "https://nfvo.example/prefix");
}

#[tokio::test]
async fn a_trace_goes_through_and_back() {
    let world = World::new().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let answer = world.raw("GET", "/mano/v1/echo", &[("traceparent", &parent)], nothing()).await;
    let ours = answer.header("traceparent").to_owned();
    assert!(ours.starts_with(&format!("00-{trace}-")) && ours.ends_with("-01") && ours != parent);
    assert_eq!(answer.json()["trace"], ours);
    let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
    for junk in ["", "00-x-y-01", &parent[1..], &format!("{parent}-00"), &zero] {
        let answer = world.raw("GET", "/mano/v1/echo", &[("traceparent", junk)], nothing()).await;
        assert_eq!(answer.header("traceparent"), "", "{junk}");
    }
    let begun = world.ask("POST", "/mano/v1/fail/x", "{}").await;
    assert_eq!(begun.header("traceparent").len(), 55);
}

#[tokio::test]
async fn every_interface_tells_its_versions_in_both_forms() {
    let world = World::new().await;
    for (path, prefix) in [
        ("/nslcm/v2/api_versions", "/nslcm/v2"),
        ("/nslcm/api_versions", "/nslcm"),
        ("/mano/v1/api_versions", "/mano/v1"),
    ] {
        let answer = world.raw("GET", path, &[], nothing()).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["uriPrefix"], prefix);
        let newest = if path.starts_with("/mano") { "1.0.0" } else { "2.12.0" };
        assert_eq!(answer.header("version"), newest, "{path}");
        assert!(answer.json()["apiVersions"][0]["version"].is_string());
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert_eq!(
                world.raw(method, path, &[], nothing()).await.status,
                405,
                "{method} {path}"
            );
        }
    }
    assert_eq!(world.raw("GET", "/vnflcm/api_versions", &[], nothing()).await.status, 404);
}

#[test]
fn two_routes_of_the_same_method_and_path_are_a_clash() {
    const fn route(path: &'static str) -> Route {
        Route {
            method: Method::GET,
            path,
            takes: Takes::Nothing,
            query: &[],
            handler: |_, _| Box::pin(async { Ok(Reply::empty(http::StatusCode::OK)) }),
        }
    }
    static TWICE: Function = Function {
        name: "twice",
        routes: &[route("/a/{x}"), route("/a/{y}")],
        steps: &[],
        listeners: &[],
        consumers: &[],
        requests: &[],
    };
    let clash = Door::new(&[&TWICE], Settings::default(), Arc::new(Anyone)).err().unwrap();
    assert!(clash.to_string().contains("GET /a/{y}"), "{clash}");
}

#[test]
fn a_token_file_is_read_strictly() {
    let long = "0123456789abcdef";
    assert!(Tokens::parse(&format!("# people\n\n{long} anna\nX{long} bert acme\n")).is_ok());
    for (text, error) in [
        (String::new(), BadTokens::None),
        ("# only this\n".into(), BadTokens::None),
        (format!("{long}\n"), BadTokens::Line(1)),
        (format!("\n{long} a b c\n"), BadTokens::Line(2)),
        ("short anna".into(), BadTokens::Short(1)),
        (format!("{long} anna\n{long} bert"), BadTokens::Twice(2)),
        (format!("{long} anna\nX{long} bert ä/ö"), BadTokens::Tenant(2)),
        (format!("{long} anna acme/../blue"), BadTokens::Tenant(1)),
        (format!("{long} anna {}", "a".repeat(257)), BadTokens::Tenant(1)),
    ] {
        assert_eq!(Tokens::parse(&text).unwrap_err(), error, "{text}");
    }
}
