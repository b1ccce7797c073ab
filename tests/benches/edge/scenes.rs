//! The scenes that are measured, each on a fresh server.

use crate::{
    client::Client,
    descriptors::{PAIR, SMALL, nsd, vnfd},
    measure::{Series, line, rate, shown},
    raw,
    server::{Server, folder},
};
use mano_embedded::{SqliteStore, store};
use mano_model::{
    TenantId,
    catalog::usage::{Descriptor, Usage},
    ids,
    plan::{Origin, Plan},
    vnf::create::{Naming, instance},
};
use mano_ports::store::Store;
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// So many clients load the server side by side.
const CLIENTS: usize = 32;
/// So many operations are under way when the server is killed.
const IN_FLIGHT: usize = 1000;

/// Every scene, or the one named.
pub(crate) async fn all(only: Option<&str>) {
    println!("| what | reached | aim |\n|---|---|---|");
    let wanted = |name: &str| only.is_none_or(|o| o == name);
    let probe = folder();
    let fsyncs = raw::fsyncs_per_second(probe.path());
    line("raw: fsync of 4 KiB, one after the other", &format!("{fsyncs:.0}/s"), "-");
    if wanted("start") {
        start().await;
    }
    if wanted("single") {
        single().await;
    }
    if wanted("crowd") {
        crowd().await;
    }
    if wanted("service") {
        service().await;
    }
    if wanted("recovery") {
        recovery().await;
    }
    if wanted("onboard") {
        onboard().await;
    }
    if wanted("million") {
        million().await;
    }
}

/// A folder with the descriptors in it.
async fn stocked(path: &Path) {
    let store = SqliteStore::open(path, &store::Options::default()).unwrap();
    let plan = Plan::new(origin("stock"))
        .create(&vnfd())
        .create(&Usage::none(Descriptor::Vnfd, SMALL, "small-pkg"))
        .create(&nsd(99))
        .create(&Usage::none(Descriptor::Nsd, PAIR, "pair-info"));
    store.commit(plan).await.unwrap();
}

fn origin(name: &str) -> Origin {
    Origin {
        id: ids::derived(&["bench", name]),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: TenantId::default(),
        actor: "bench".into(),
        correlation: None,
        causation: None,
        trace: None,
    }
}

/// A server with descriptors and a roomy VIM, and a client of it.
async fn serving(path: &Path) -> (Server, Client) {
    stocked(path).await;
    let server = Server::start(path).await;
    let mut client = Client::connect(server.port).await.unwrap();
    let zone = json!({ "id": "z", "vcpus": 10_000_000, "memoryGib": 10_000_000, "storageGib": 1_000_000_000 });
    let vim = json!({ "id": "vim", "vimType": "sim", "zones": [zone] });
    let added = client.post("/mano/v1/vims", &vim).await;
    assert_eq!(added.status, 201, "{}", added.text());
    (server, client)
}

/// A request that makes an instance document of 2 KB.
fn new_vnf(name: &str) -> Value {
    json!({ "vnfdId": SMALL, "vnfInstanceName": name, "metadata": { "note": "x".repeat(1600) } })
}

async fn start() {
    let home = folder();
    drop(Server::start(home.path()).await);
    let mut woke = Series::default();
    for _ in 0..10 {
        let server = Server::start(home.path()).await;
        woke.add(server.woke_in);
    }
    line("start to first answer, p50 of 10", &shown(woke.percentile(50)), "≤ 100 ms");
    let server = Server::start(home.path()).await;
    line("resident memory, idle", &format!("{} MiB", server.resident_mib()), "≤ 40 MB");
}

async fn single() {
    let home = folder();
    let (server, mut client) = serving(home.path()).await;
    let (mut post, mut life) = (Series::default(), Series::default());
    for n in 0..300 {
        let begun = Instant::now();
        let id = create(&mut client, &format!("single-{n}")).await;
        post.add(begun.elapsed());
        let begun = Instant::now();
        instantiate(&mut client, &id, Duration::from_micros(300)).await;
        life.add(begun.elapsed());
    }
    line("POST of an instance, p50", &shown(post.percentile(50)), "≤ 2 ms");
    line("POST of an instance, p99", &shown(post.percentile(99)), "-");
    line("VNF instantiate to COMPLETED, alone, p50", &shown(life.percentile(50)), "≤ 10 ms");
    line("VNF instantiate to COMPLETED, alone, p99", &shown(life.percentile(99)), "-");
    reads(&server, &mut client).await;
}

async fn create(client: &mut Client, name: &str) -> String {
    let created = client.post("/vnflcm/v2/vnf_instances", &new_vnf(name)).await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.id()
}

/// Asks for an instantiation and looks until it is COMPLETED, pausing between two looks.
async fn instantiate(client: &mut Client, id: &str, pause: Duration) {
    let path = format!("/vnflcm/v2/vnf_instances/{id}/instantiate");
    let asked = client.post(&path, &json!({ "flavourId": "standard" })).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    completed(client, &format!("/vnflcm/v2/vnf_lcm_op_occs/{}", asked.id()), pause).await;
}

async fn completed(client: &mut Client, path: &str, pause: Duration) {
    loop {
        let op = client.get(path).await.json();
        match op["operationState"].as_str() {
            Some("COMPLETED") => return,
            Some("STARTING" | "PROCESSING") => tokio::time::sleep(pause).await,
            _ => panic!("{op:#}"),
        }
    }
}

/// GET of one document by many connections.
async fn reads(server: &Server, client: &mut Client) {
    let id = create(client, "read").await;
    let path = format!("/vnflcm/v2/vnf_instances/{id}");
    let size = client.get(&path).await.body.len();
    let begun = Instant::now();
    let length = Duration::from_secs(5);
    let mut readers = Vec::new();
    for _ in 0..CLIENTS {
        let (port, path) = (server.port, path.clone());
        readers.push(tokio::spawn(async move {
            let mut client = Client::connect(port).await.unwrap();
            let (mut count, mut took) = (0_usize, Series::default());
            while begun.elapsed() < length {
                let asked = Instant::now();
                assert_eq!(client.get(&path).await.status, 200);
                took.add(asked.elapsed());
                count += 1;
            }
            (count, took)
        }));
    }
    let (mut count, mut took) = (0, Series::default());
    for reader in readers {
        let (more, series) = reader.await.unwrap();
        count += more;
        took.join(series);
    }
    let what = format!("GET of a document of {size} bytes, {CLIENTS} connections");
    line(&what, &rate(count, begun.elapsed()), "≥ 20,000/s");
    line(&format!("{what}, p99"), &shown(took.percentile(99)), "-");
}

async fn crowd() {
    let home = folder();
    let (server, _) = serving(home.path()).await;
    let each = 10_000 / CLIENTS;
    let begun = Instant::now();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let port = server.port;
        clients.push(tokio::spawn(async move {
            let mut client = Client::connect(port).await.unwrap();
            for n in 0..each {
                let id = create(&mut client, &format!("crowd-{number}-{n}")).await;
                // Looking more often would measure the looking.
                instantiate(&mut client, &id, Duration::from_millis(25)).await;
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    let what = format!("VNF create and instantiate to COMPLETED, {CLIENTS} clients");
    line(&what, &rate(each * CLIENTS, begun.elapsed()), "≥ 300/s");
    let rss = format!("{} MiB", server.resident_mib());
    line(&format!("resident memory after {} instances", each * CLIENTS), &rss, "≤ 150 MB");
    server.kill();
    let begun = Instant::now();
    let server = Server::start(home.path()).await;
    line("start after kill -9, with those instances", &shown(begun.elapsed()), "≤ 100 ms");
    drop(server);
}

async fn service() {
    let home = folder();
    let (_server, mut client) = serving(home.path()).await;
    let mut took = Series::default();
    for n in 0..5 {
        let body = json!({ "nsdId": PAIR, "nsName": format!("ns-{n}"), "nsDescription": "" });
        let id = client.post("/nslcm/v2/ns_instances", &body).await.id();
        let begun = Instant::now();
        let path = format!("/nslcm/v2/ns_instances/{id}/instantiate");
        let asked = client.post(&path, &json!({ "nsFlavourId": "standard" })).await;
        assert_eq!(asked.status, 202, "{}", asked.text());
        let path = format!("/nslcm/v2/ns_lcm_op_occs/{}", asked.id());
        completed(&mut client, &path, Duration::from_millis(2)).await;
        took.add(begun.elapsed());
    }
    line("NS of 100 VNFs to COMPLETED, p50 of 5", &shown(took.percentile(50)), "≤ 500 ms");
}

/// A thousand operations under way at a slow VIM, killed: when has each asked the VIM again?
async fn recovery() {
    let home = folder();
    let (server, mut client) = serving(home.path()).await;
    // A failure that never comes makes the VIM count its calls.
    let slow = json!({ "latencyMs": 5000, "failNth": 1_000_000_000 });
    let slow = slow.to_string();
    let path = "/mano/v1/vims/vim/behaviour";
    let told = client.ask("PUT", path, "application/json", slow.as_bytes()).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let port = server.port;
        clients.push(tokio::spawn(async move {
            let mut client = Client::connect(port).await.unwrap();
            for n in (0..IN_FLIGHT).filter(|n| n % CLIENTS == number) {
                let id = create(&mut client, &format!("flight-{n}")).await;
                let path = format!("/vnflcm/v2/vnf_instances/{id}/instantiate");
                let asked = client.post(&path, &json!({ "flavourId": "standard" })).await;
                assert_eq!(asked.status, 202, "{}", asked.text());
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    let before = calls(&mut client).await;
    server.kill();
    let begun = Instant::now();
    let server = Server::start(home.path()).await;
    let mut client = Client::connect(server.port).await.unwrap();
    while calls(&mut client).await < before + IN_FLIGHT as u64 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(begun.elapsed() < Duration::from_secs(60), "operations do not go on");
    }
    let what = format!("kill -9 with {IN_FLIGHT} operations under way: all go on after");
    line(&what, &shown(begun.elapsed()), "≤ 1 s");
}

/// How often the VIM was called.
async fn calls(client: &mut Client) -> u64 {
    let behaviour = client.get("/mano/v1/vims/vim/behaviour").await.json();
    behaviour["calls"].as_u64().unwrap()
}

async fn onboard() {
    let home = folder();
    let (_server, mut client) = serving(home.path()).await;
    let mut took = Series::default();
    for n in 0..20 {
        let archive = crate::package::nth(n, 100 << 10);
        let info = client.post("/vnfpkgm/v2/vnf_packages", &json!({})).await.id();
        let path = format!("/vnfpkgm/v2/vnf_packages/{info}");
        let begun = Instant::now();
        let put = client
            .ask("PUT", &format!("{path}/package_content"), "application/zip", &archive)
            .await;
        assert_eq!(put.status, 202, "{}", put.text());
        loop {
            let shown = client.get(&path).await.json();
            match shown["onboardingState"].as_str() {
                Some("ONBOARDED") => break,
                Some("UPLOADING" | "PROCESSING") => {}
                _ => panic!("{shown:#}"),
            }
        }
        took.add(begun.elapsed());
    }
    line("on-boarding 100 KB to ONBOARDED, p50 of 20", &shown(took.percentile(50)), "≤ 20 ms");
}

async fn million() {
    let home = folder();
    stocked(home.path()).await;
    let begun = Instant::now();
    {
        let store = SqliteStore::open(home.path(), &store::Options::default()).unwrap();
        let store = std::sync::Arc::new(store);
        let mut writers = Vec::new();
        for writer in 0..64_usize {
            let store = std::sync::Arc::clone(&store);
            writers.push(tokio::spawn(async move {
                for batch in (0..1_000_000 / 80).filter(|b| b % 64 == writer) {
                    seed(&store, batch).await;
                }
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
    }
    line("seeding 1,000,000 instances through commit", &shown(begun.elapsed()), "-");
    let server = Server::start(home.path()).await;
    let mut client = Client::connect(server.port).await.unwrap();
    let (mut took, mut path) = (Series::default(), "/vnflcm/v2/vnf_instances".to_owned());
    for _ in 0..2_000 {
        let begun = Instant::now();
        let page = client.get(&path).await;
        took.add(begun.elapsed());
        assert_eq!(page.status, 200, "{}", page.text());
        let next = page.header("link").expect("more pages").to_owned();
        let next = next.trim_start_matches('<').split('>').next().unwrap().to_owned();
        path = next.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap();
    }
    line("page of 100 at 1,000,000 instances, p50", &shown(took.percentile(50)), "-");
    line("page of 100 at 1,000,000 instances, p99", &shown(took.percentile(99)), "≤ 10 ms");
    line("resident memory then", &format!("{} MiB", server.resident_mib()), "-");
}

/// Eighty instances in one plan.
async fn seed(store: &SqliteStore, batch: usize) {
    let vnfd = vnfd();
    let mut plan = Plan::new(origin(&format!("seed-{batch}")));
    for n in 0..80 {
        let id = ids::derived(&["seed", &batch.to_string(), &n.to_string()]).to_string();
        let naming = Naming { name: Some(format!("seeded-{batch}-{n}")), ..Naming::default() };
        plan = plan.create(&instance(id, &vnfd, naming));
    }
    store.commit(plan).await.unwrap();
}
