//! The server as a whole: it starts, answers, says how it is, and stops.

mod jwt;

use super::*;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn options(folder: &TempDir) -> Options {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Options { listen, data: folder.path().join("data"), ..Options::default() }
}

async fn start(folder: &TempDir) -> Running {
    serve(options(folder)).await.unwrap()
}

/// The answer to a request without content, head and all.
async fn ask(running: &Running, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: mano\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The value of one line of the metrics.
fn value<'m>(metrics: &'m str, line: &str) -> Option<&'m str> {
    metrics.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '))
}

#[tokio::test]
async fn it_is_healthy_and_ready_as_soon_as_it_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(&folder).await;
    assert!(ask(&running, "GET", "/healthz", "").await.starts_with("HTTP/1.1 200"));
    assert!(ask(&running, "GET", "/readyz", "").await.ends_with("ready\n"));
    let refused = ask(&running, "POST", "/healthz", "").await;
    assert!(refused.starts_with("HTTP/1.1 405") && refused.contains("Allow: GET, HEAD"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn every_function_answers() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(&folder).await;
    for path in [
        "/vnflcm/v2/vnf_instances",
        "/vnflcm/v2/vnf_lcm_op_occs",
        "/nslcm/v2/ns_instances",
        "/nslcm/v2/ns_lcm_op_occs",
        "/vnfpkgm/v2/vnf_packages",
        "/nsd/v2/ns_descriptors",
    ] {
        let answer = ask(&running, "GET", path, "Version: 2.0.0\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("[]"), "{path}: {answer}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_metrics_count_requests_by_route_and_status() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(&folder).await;
    for _ in 0..3 {
        ask(&running, "GET", "/nslcm/v2/ns_instances/none", "Version: 2.0.0\r\n").await;
    }
    ask(&running, "GET", "/nowhere", "").await;
    let metrics = ask(&running, "GET", "/metrics", "").await;
    let route = "route=\"/nslcm/v2/ns_instances/{nsInstanceId}\",method=\"GET\"";
    let requests = format!("mano_http_requests_total{{{route},status=\"404\"}}");
    assert_eq!(value(&metrics, &requests), Some("3"), "{metrics}");
    let count = format!("mano_http_request_duration_seconds_count{{{route}}}");
    assert_eq!(value(&metrics, &count), Some("3"));
    let all = format!("mano_http_request_duration_seconds_bucket{{{route},le=\"+Inf\"}}");
    assert_eq!(value(&metrics, &all), Some("3"));
    let nowhere = "mano_http_requests_total{route=\"\",method=\"GET\",status=\"404\"}";
    assert_eq!(value(&metrics, nowhere), Some("1"));
    assert_eq!(value(&metrics, "mano_http_requests_open"), Some("1"), "itself");
    for name in
        ["mano_facts_due", "mano_queue_waiting", "mano_queue_dead", "mano_store_transactions_total"]
    {
        assert!(value(&metrics, name).is_some(), "{name}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_folder_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(&folder).await;
    let error = serve(options(&folder)).await.err().unwrap();
    let told = format!("{error:#}");
    assert!(told.contains(&folder.path().join("data").display().to_string()), "{told}");
    running.stop().await.unwrap();
    start(&folder).await.stop().await.unwrap();
}

#[tokio::test]
async fn without_tls_and_tokens_it_stays_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = serve(Options { listen: everywhere, ..options(&folder) }).await.err().unwrap();
    let told = error.to_string();
    assert!(told.contains("--tokens") && told.contains("--jwt-issuer"), "{told}");
    let insecure = Options { listen: everywhere, insecure: true, ..options(&folder) };
    serve(insecure).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn tokens_guard_everything_but_health() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    std::fs::write(&tokens, "0123456789abcdef anna\n").unwrap();
    let callers = Callers { tokens: Some(tokens), ..Callers::default() };
    let guarded = Options { callers, ..options(&folder) };
    let running = serve(guarded).await.unwrap();
    let token = "Authorization: Bearer 0123456789abcdef\r\n";
    for (path, headers, status) in [
        ("/healthz", "", "200"),
        ("/readyz", "", "200"),
        ("/metrics", "", "401"),
        ("/metrics", token, "200"),
        ("/mano/v1/vims", "", "401"),
        ("/mano/v1/vims", token, "200"),
    ] {
        let answer = ask(&running, "GET", path, headers).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
        let asks = answer.to_lowercase().contains("\nwww-authenticate: bearer");
        assert_eq!(asks, status == "401", "{path}: {answer}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_the_options_is_told_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "short anna\n").unwrap();
    let callers = Callers { tokens: Some(wrong.clone()), ..Callers::default() };
    let tokens = Options { callers, ..options(&folder) };
    let tls = Options { tls_cert: Some(wrong.clone()), tls_key: Some(wrong), ..options(&folder) };
    for options in [tokens, tls] {
        let told = format!("{:#}", serve(options).await.err().unwrap());
        assert!(told.contains("wrong"), "{told}");
    }
}

#[tokio::test]
async fn a_taken_address_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(&folder).await;
    let other = tempfile::tempdir().unwrap();
    let taken = Options { listen: running.address(), ..options(&other) };
    let error = serve(taken).await.err().unwrap();
    assert!(error.to_string().contains("--listen"), "{error}");
    running.stop().await.unwrap();
}
