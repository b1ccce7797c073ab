//! The routes that ask a VIM, through the door that clients use.

use super::*;
use http::{Method, Request};
use mano_ports::{
    door::{Door, Settings, auth::Anyone},
    http::{Body, Content},
};

static FUNCTIONS: &[&Function] = &[&FUNCTION];

/// Asks as a client does: the status, the content, and the link to what follows.
async fn ask(w: &World, method: Method, path: &str, body: &str) -> (u16, Value, Option<String>) {
    let settings = Settings { api_root: Some("http://mano".into()), ..Settings::default() };
    let door = Door::new(FUNCTIONS, settings, Arc::new(Anyone)).unwrap();
    let request = Request::builder().method(method).uri(format!("/mano/v1{path}"));
    let request = request.header("content-type", "application/json").body(()).unwrap();
    let content = Content::Bytes(body.to_owned().into());
    let answer = door.answer(&w.cx, request.into_parts().0, content).await;
    let link = answer.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
    let body = match answer.body {
        Body::Json(text) => serde_json::from_slice(&text).unwrap(),
        Body::Empty | Body::Text(..) | Body::Stream(..) => Value::Null,
    };
    (answer.status.as_u16(), body, link)
}

async fn get(w: &World, path: &str) -> Value {
    let (status, body, _) = ask(w, Method::GET, path, "").await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn what_exists_is_told_from_what_nobody_knows() {
    let w = World::new().await;
    w.call("vim.ensure", "net", 0).await.unwrap();
    let driver = w.cx.vims.driver("sim").unwrap();
    let place = mano_ports::vim::Place { zone: "z".into(), joins: vec![], apart_group: None };
    let stray = placement("stray", ResourceKind::Network, 0, &[]).want;
    driver.ensure(&w.target().await, &stray, &place, "elsewhere/stray", 0).await.unwrap();
    let all = get(&w, "/vims/east/resources").await;
    let mut shown: Vec<_> = all.as_array().unwrap().iter().collect();
    shown.sort_by_key(|thing| thing["name"].as_str());
    assert_eq!(shown.iter().map(|t| &t["known"]).collect::<Vec<_>>(), [true, false]);
    assert_eq!(shown[0]["instanceId"], "vnf");
    assert_eq!((&shown[0]["kind"], &shown[0]["status"]), (&json!("NETWORK"), &json!("ACTIVE")));
    let unknown = get(&w, "/vims/east/resources?filter=(eq,known,false)").await;
    assert_eq!(unknown.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_only_may_exist_is_known_while_it_is_being_made() {
    let w = World::new().await;
    w.behave(Behaviour { asynchronous_ms: 1000, ..Behaviour::default() }).await;
    w.call_with("vim.ensure", "net", 0, "token").await;
    let all = get(&w, "/vims/east/resources").await;
    assert_eq!((&all[0]["status"], &all[0]["known"]), (&json!("BUILDING"), &json!(true)));
}

#[tokio::test]
async fn a_duplicate_of_a_known_thing_is_not_known() {
    let w = World::new().await;
    w.call("vim.ensure", "net", 0).await.unwrap();
    let id = w.row("net").await.unwrap().resource_id.unwrap();
    assert_eq!(ask(&w, Method::DELETE, &format!("/vims/east/resources/{id}"), "").await.0, 204);
    let driver = w.cx.vims.driver("sim").unwrap();
    let place = mano_ports::vim::Place { zone: "z".into(), joins: vec![], apart_group: None };
    let want = placement("net", ResourceKind::Network, 0, &[]).want;
    driver.ensure(&w.target().await, &want, &place, "op/net", 0).await.unwrap();
    assert_eq!(get(&w, "/vims/east/resources").await[0]["known"], false);
}

#[tokio::test]
async fn a_long_list_comes_in_pages_that_miss_nothing() {
    let w = World::new().await;
    let driver = w.cx.vims.driver("sim").unwrap();
    let place = mano_ports::vim::Place { zone: "z".into(), joins: vec![], apart_group: None };
    let amounts = Amounts::default();
    let want = Want { amounts, ..placement("n", ResourceKind::Network, 0, &[]).want };
    let target = w.target().await;
    for n in 0..230 {
        driver.ensure(&target, &want, &place, &format!("other/n-{n}"), 0).await.unwrap();
    }
    let mut path = "/vims/east/resources".to_owned();
    let mut sizes = Vec::new();
    let mut keys = std::collections::BTreeSet::new();
    loop {
        let (_, page, link) = ask(&w, Method::GET, &path, "").await;
        let page = page.as_array().unwrap().clone();
        sizes.push(page.len());
        keys.extend(page.iter().map(|thing| thing["key"].to_string()));
        let Some(link) = link else { break };
        let url = link.split(['<', '>']).nth(1).unwrap();
        path = url.trim_start_matches("http://mano/mano/v1").to_owned();
    }
    assert_eq!(sizes, [100, 100, 30]);
    assert_eq!(keys.len(), 230);
}

#[tokio::test]
async fn a_simulated_vim_behaves_as_it_is_told_over_http() {
    let w = World::new().await;
    let path = "/vims/east/behaviour";
    let told = r#"{"failNth":1,"failKind":"PERMANENT"}"#;
    assert_eq!(ask(&w, Method::PUT, path, told).await.0, 200);
    assert_eq!(w.call("vim.ensure", "net", 0).await, Err("Mano.Refused".into()));
    let mut shown = get(&w, path).await;
    assert_eq!((&shown["calls"], &shown["failNth"]), (&json!(1), &json!(1)));
    // What was shown, changed, can be sent back.
    shown["latencyMs"] = 5.into();
    assert_eq!(ask(&w, Method::PUT, path, &shown.to_string()).await.0, 200);
    assert_eq!(get(&w, path).await["calls"], 0);
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_with_the_reason() {
    let w = World::new().await;
    let put = |body: &'static str| ask(&w, Method::PUT, "/vims/east/behaviour", body);
    let (status, problem, _) = put(r#"{"failNht":1}"#).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().contains("failNht"), "{problem}");
    assert_eq!(put(r#"{"failNth":0}"#).await.0, 422);
    assert_eq!(put("[").await.0, 400);
    assert_eq!(ask(&w, Method::GET, "/vims/west/behaviour", "").await.0, 404);
    assert_eq!(ask(&w, Method::DELETE, "/vims/east/resources/nothing", "").await.0, 404);
}
