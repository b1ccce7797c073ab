//! A deployment that knows its callers by tokens, and the command line with both kinds of proof.

use crate::{
    cloud::{Client, Said, given, now},
    uploads::large,
};
use http::{HeaderMap, Method};
use mano_ports::{door::jwt::mint::Mint, hex::unhex};
use serde_json::{Value, json};
use std::process::{Command, Output};

const PACKAGES: &str = "/vnfpkgm/v2/vnf_packages";

/// A token of the issuer that the deployment trusts, good for ten minutes from `begin` seconds from now.
fn token(tenant: &str, begin: i64) -> String {
    let seed = unhex(&given("MANO_AWS_ISSUER")).unwrap().try_into().unwrap();
    let begin = now().as_second() + begin;
    Mint::seeded("stories", &seed).token(&json!({
        "iss": "https://idp.example", "aud": "mano", "sub": "oss", "tenant": tenant,
        "nbf": begin, "exp": begin + 600,
    }))
}

/// Asks the deployment that takes tokens.
fn ask(method: &Method, path: &str, token: Option<&str>, body: &str) -> Said {
    let mut headers = HeaderMap::new();
    let version = if path.starts_with("/mano/") { "1.0.0" } else { "2.1.0" };
    headers.insert("version", version.parse().unwrap());
    if !body.is_empty() {
        headers.insert("content-type", "application/json".parse().unwrap());
    }
    if let Some(token) = token {
        headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let url = format!("{}{path}", given("MANO_AWS_JWT_API"));
    Client::new().send(method, &url, headers.iter(), body.as_bytes())
}

fn json_of(said: &Said) -> Value {
    serde_json::from_slice(&said.2).unwrap_or(Value::Null)
}

#[test]
fn a_token_says_whose_data_is_seen() {
    let (ours, theirs) = (token("acme", 0), token("other", 0));
    let made = ask(&Method::POST, PACKAGES, Some(&ours), "{}");
    assert_eq!(made.0, 201, "{}", json_of(&made));
    let path = format!("{PACKAGES}/{}", json_of(&made)["id"].as_str().unwrap());
    assert_eq!(ask(&Method::GET, &path, Some(&ours), "").0, 200);
    assert_eq!(ask(&Method::GET, &path, Some(&theirs), "").0, 404);
    assert_eq!(json_of(&ask(&Method::GET, PACKAGES, Some(&theirs), "")), json!([]));
    assert_eq!(ask(&Method::DELETE, &path, Some(&theirs), "").0, 404);
    assert_eq!(ask(&Method::DELETE, &path, Some(&ours), "").0, 204);
}

#[test]
fn who_shows_no_good_token_is_told_why() {
    for (token, why) in [
        (None, "token"),
        (Some(token("acme", -900)), "expired"),
        (Some(token("acme", 900)), "not valid before"),
        (Some(Mint::ed("stories").token(&json!({}))), "signature"),
    ] {
        let said = ask(&Method::GET, PACKAGES, token.as_deref(), "");
        let problem = json_of(&said);
        assert_eq!((said.0, &problem["status"]), (401, &json!(401)), "{why}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{why}: {problem}");
    }
}

/// The command line, as an operator has it.
fn mano(endpoint: &str, who: &[&str], words: &[&str], room: &std::path::Path) -> Output {
    let mut mano = Command::new(given("MANO_BIN"));
    mano.args(who).args(["--endpoint", endpoint]).args(words).current_dir(room).output().unwrap()
}

#[test]
fn the_command_line_takes_a_large_package_there_and_back() {
    let room = tempfile::tempdir().unwrap();
    let archive = large();
    std::fs::write(room.path().join("large.csar"), &archive).unwrap();
    let token = token("acme", 0);
    for (endpoint, who) in
        [(given("MANO_AWS_JWT_API"), &["--token", &token][..]), (given("MANO_AWS_API"), &["--iam"])]
    {
        let run = |words: &[&str]| {
            let done = mano(&endpoint, who, words, room.path());
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
            String::from_utf8(done.stdout).unwrap()
        };
        let shown = run(&["-o", "json", "package", "onboard", "large.csar"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown[0]["onboardingState"], "ONBOARDED", "{shown}");
        let id = shown[0]["id"].as_str().unwrap();
        run(&["package", "download", id, "--to", "back.csar"]);
        assert!(std::fs::read(room.path().join("back.csar")).unwrap() == archive);
        std::fs::remove_file(room.path().join("back.csar")).unwrap();
        run(&["package", "disable", id]);
        run(&["package", "delete", id]);
    }
}
