//! One machine with the catalogue on it, a clock we hold, and archives to send.

use crate::store::AddressBlobs;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use mano_catalog::FUNCTION;
use mano_embedded::{
    FolderBlobs, HeldClock, Host, RandomIds, SqliteStore, host::Parts, store::Options,
    workflows::Engine,
};
use mano_model::plan::Announced;
use mano_ports::{
    Cx,
    blobs::{Address, ByteStream},
    clock::Clock,
    door::{Door, Settings, auth::Anyone},
    function::Function,
    http::{Body, Content},
    vim::NoVims,
};
use serde_json::{Value, json};
use std::{
    io::{Cursor, Write},
    path::Path,
    sync::Arc,
};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The catalogue, and what publishes facts.
static FUNCTIONS: &[&Function] = &[&FUNCTION, &mano_adapters::FUNCTION];

/// The catalogue, deaf: no workflow starts.
static DEAF: Function = Function { listeners: &[], ..FUNCTION };
static ALONE: &[&Function] = &[&DEAF];

/// The workflows, as every host reads them.
fn workflows() -> [(String, String); 2] {
    [
        ("package-onboard", include_str!("../../../workflows/package-onboard.asl.json")),
        ("nsd-onboard", include_str!("../../../workflows/nsd-onboard.asl.json")),
    ]
    .map(|(name, text)| (name.into(), text.into()))
}

/// One machine.
pub(crate) struct World {
    pub(crate) host: Arc<Host>,
    pub(crate) clock: Arc<HeldClock>,
    door: Arc<Door>,
    facts: Receiver<Arc<Announced>>,
    folder: TempDir,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn host(
    functions: &'static [&'static Function],
    folder: &Path,
    clock: &Arc<HeldClock>,
    addresses: bool,
) -> Arc<Host> {
    let store = Arc::new(SqliteStore::open(folder, &Options::default()).unwrap());
    let time: Arc<dyn Clock> = Arc::clone(clock) as _;
    let engine = Engine::open(&store, &time, workflows(), Default::default()).await;
    let parts = Parts {
        engine: engine.unwrap(),
        store,
        blobs: match addresses {
            true => Arc::new(AddressBlobs::open(&folder.join("blobs"))),
            false => Arc::new(FolderBlobs::open(&folder.join("blobs")).unwrap()),
        },
        vims: Arc::new(NoVims),
        clock: time,
        ids: Arc::new(RandomIds),
    };
    Host::start(functions, parts)
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        Self::on(FUNCTIONS, folder, clock, false).await
    }

    /// A machine whose blob store gives addresses.
    pub(crate) async fn with_addresses() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        Self::on(FUNCTIONS, folder, clock, true).await
    }

    /// Asks an address of the blob store, as a client does.
    pub(crate) fn http(&self, to: &Address, content: Option<&[u8]>) -> (u16, Vec<u8>) {
        crate::store::http(&self.folder.path().join("blobs"), to, content)
    }

    /// A machine that starts no workflow: its steps are the test's to call.
    pub(crate) async fn alone() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        Self::on(ALONE, folder, clock, false).await
    }

    async fn on(
        functions: &'static [&'static Function],
        folder: TempDir,
        clock: Arc<HeldClock>,
        addresses: bool,
    ) -> Self {
        let host = host(functions, folder.path(), &clock, addresses).await;
        let facts = host.bus().subscribe();
        let settings = Settings { api_root: Some("http://mano".into()), ..Settings::default() };
        let door = Arc::new(Door::new(FUNCTIONS, settings, Arc::new(Anyone)).unwrap());
        Self { host, clock, door, facts, folder }
    }

    /// The machine as it is found after its process was killed at this instant.
    pub(crate) async fn killed(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        self.host.store().backup(&folder.path().join("mano.db")).unwrap();
        let left = self.folder.path().join("blobs").join("content");
        if left.exists() {
            let to = folder.path().join("blobs").join("content");
            std::fs::create_dir_all(&to).unwrap();
            for blob in std::fs::read_dir(left).unwrap() {
                let blob = blob.unwrap();
                std::fs::copy(blob.path(), to.join(blob.file_name())).unwrap();
            }
        }
        Self::on(FUNCTIONS, folder, Arc::clone(&self.clock), false).await
    }

    /// The body of the next fact of this name.
    pub(crate) async fn heard(&mut self, name: &str) -> Value {
        loop {
            let fact = self.facts.recv().await.unwrap();
            if fact.fact.name == name {
                return fact.fact.body.clone();
            }
            assert!(!fact.fact.name.ends_with(".failed"), "instead of {name}: {}", fact.fact.body);
        }
    }

    /// Waits for a fact of one of two names.
    pub(crate) async fn either(&mut self, one: &str, other: &str) {
        loop {
            let fact = self.facts.recv().await.unwrap();
            if fact.fact.name == one || fact.fact.name == other {
                return;
            }
        }
    }

    /// Asks, as a client does.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(header::HeaderName, &str)],
        content: Content,
    ) -> Answered {
        ask(&self.door, self.host.cx(), method, path, headers, content).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.ask("GET", path, &[], nothing()).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Answered {
        let headers = [(header::CONTENT_TYPE, "application/json")];
        self.ask(method, path, &headers, Content::Bytes(body.to_string().into())).await
    }

    /// An entry without content; its path.
    pub(crate) async fn create(&self, collection: &str, body: Value) -> String {
        let created = self.send("POST", collection, body).await;
        assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.json());
        created.header(header::LOCATION).strip_prefix("http://mano").unwrap().to_owned()
    }

    /// Sends content, as a stream.
    pub(crate) async fn put(&self, path: &str, content: ByteStream) -> Answered {
        let headers = [(header::CONTENT_TYPE, "application/zip")];
        self.ask("PUT", path, &headers, Content::stream(content)).await
    }

    /// Sends content in the background.
    pub(crate) fn putting(
        &self,
        path: &str,
        content: ByteStream,
    ) -> tokio::task::JoinHandle<Answered> {
        let (door, cx, path) = (Arc::clone(&self.door), self.host.cx().clone(), path.to_owned());
        tokio::spawn(async move {
            let headers = [(header::CONTENT_TYPE, "application/zip")];
            ask(&door, &cx, "PUT", &path, &headers, Content::stream(content)).await
        })
    }

    /// A VNF package whose content is good; its path.
    pub(crate) async fn package(&mut self, vnfd_id: &str) -> String {
        let path = self.create(PACKAGES, json!({})).await;
        let sent = self.put(&format!("{path}/package_content"), whole(package(vnfd_id))).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED, "{:?}", sent.json());
        self.heard("package.onboarded").await;
        path
    }
}

async fn ask(
    door: &Door,
    cx: &Cx,
    method: &str,
    path: &str,
    headers: &[(header::HeaderName, &str)],
    content: Content,
) -> Answered {
    let request = http::Request::builder().method(Method::try_from(method).unwrap()).uri(path);
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    let version = if path.starts_with("/mano/") { "1.0.0" } else { "2.1.0" };
    head.headers.insert("version", HeaderValue::from_static(version));
    for (name, value) in headers {
        head.headers.insert(name, HeaderValue::try_from(*value).unwrap());
    }
    let answer = door.answer(cx, head, content).await;
    let bytes = match answer.body {
        Body::Empty => Vec::new(),
        Body::Json(bytes) | Body::Text(_, bytes) => bytes.to_vec(),
        Body::Stream(_, _, stream) => stream.map(|piece| piece.unwrap().to_vec()).concat().await,
    };
    Answered { status: answer.status, headers: answer.headers, bytes }
}

/// The collection of VNF packages.
pub(crate) const PACKAGES: &str = "/vnfpkgm/v2/vnf_packages";
/// The collection of NS descriptors.
pub(crate) const NSDS: &str = "/nsd/v2/ns_descriptors";

/// No content.
pub(crate) fn nothing() -> Content {
    Content::Bytes(Bytes::new())
}

/// Content that comes in pieces and is whole.
pub(crate) fn whole(bytes: Vec<u8>) -> ByteStream {
    let pieces: Vec<_> =
        bytes.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Box::pin(futures_util::stream::iter(pieces))
}

/// An archive of texts.
pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    archive_of(files.iter().map(|(name, text)| (*name, text.as_bytes())))
}

/// An archive of files.
pub(crate) fn archive_of<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    archive_as(SimpleFileOptions::default(), files)
}

fn archive_as<'a>(
    options: SimpleFileOptions,
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// How an archive names its entry.
const META: &str = "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: us\n\
    Entry-Definitions: Definitions/entry.yaml\nETSI-Entry-Manifest: router.mf\n";

/// A VNF package of one unit, with a script of 200 lines, without a flaw.
pub(crate) fn package(vnfd_id: &str) -> Vec<u8> {
    package_of(&VNFD.replace("{vnfd_id}", vnfd_id))
}

/// A VNF package whose descriptor names no version of TOSCA that exists.
pub(crate) fn odd_package() -> Vec<u8> {
    package_of(&VNFD.replace("{vnfd_id}", "v1").replace("yaml_1_3", "yaml_9_9"))
}

/// A VNF package whose level `more` has this number of instances.
pub(crate) fn package_growing_to(number: &str) -> Vec<u8> {
    let many = format!("more: {{ number_of_instances: {number} }}");
    let vnfd = VNFD.replace("{vnfd_id}", "v1").replace("more: { number_of_instances: 3 }", &many);
    let vnfd = vnfd.replace("max_number_of_instances: 3", "max_number_of_instances: 10000");
    assert!(vnfd.contains(number));
    package_of(&vnfd)
}

/// A VNF package of more than 4 MiB.
pub(crate) fn large_package() -> Vec<u8> {
    let noise = |n: &mut u32| {
        *n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from_u32(32 + (*n >> 26))
    };
    let mut n = 1;
    let script: String = std::iter::repeat_with(|| noise(&mut n)).take(6 << 20).flatten().collect();
    let package = scripted(&VNFD.replace("{vnfd_id}", "v1"), &script);
    assert!(package.len() > 4 << 20, "{}", package.len());
    package
}

/// A VNF package whose script has so many MiB and lies in it as it is.
pub(crate) fn stored_package(mib: usize) -> Vec<u8> {
    let (vnfd, script) = (VNFD.replace("{vnfd_id}", "v1"), "echo hello here\n".repeat(mib << 16));
    let files = [("Definitions/entry.yaml", &*vnfd), ("Files/Scripts/install.sh", &script)];
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    listed_as(stored, VNF_MANIFEST, &files)
}

fn package_of(entry: &str) -> Vec<u8> {
    scripted(entry, &"echo here\n".repeat(200))
}

fn scripted(entry: &str, script: &str) -> Vec<u8> {
    listed(VNF_MANIFEST, &[("Definitions/entry.yaml", entry), ("Files/Scripts/install.sh", script)])
}

/// An NSD archive with one profile of a VNF.
pub(crate) fn nsd(nsd_id: &str, vnfd_id: &str) -> Vec<u8> {
    let entry = NSD.replace("{nsd_id}", nsd_id).replace("{vnfd_id}", vnfd_id);
    listed(NS_MANIFEST, &[("Definitions/entry.yaml", &entry)])
}

/// An NSD archive whose level has this number of its one VNF.
pub(crate) fn nsd_of(number: &str) -> Vec<u8> {
    let entry = NSD.replace("{nsd_id}", "n1").replace("{vnfd_id}", "v1");
    let entry = entry
        .replace(
            "number_of_instances: { basic: 1 }",
            &format!("number_of_instances: {{ basic: {number} }}"),
        )
        .replace("max_number_of_instances: 2", &format!("max_number_of_instances: {number}"));
    assert_eq!(entry.matches(number).count(), 2);
    listed(NS_MANIFEST, &[("Definitions/entry.yaml", &entry)])
}

/// An archive with these files and a manifest that lists them.
fn listed(metadata: &str, files: &[(&str, &str)]) -> Vec<u8> {
    listed_as(SimpleFileOptions::default(), metadata, files)
}

fn listed_as(options: SimpleFileOptions, metadata: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut files = files.to_vec();
    files.push(("TOSCA-Metadata/TOSCA.meta", META));
    let mut manifest = metadata.to_owned();
    for (name, text) in &files {
        let hash = mano_tosca::Algorithm::Sha256.digest(&mut text.as_bytes()).unwrap();
        manifest.push_str(&format!("\nSource: {name}\nAlgorithm: SHA-256\nHash: {hash}\n"));
    }
    files.push(("router.mf", &manifest));
    archive_as(options, files.iter().map(|(name, text)| (*name, text.as_bytes())))
}

const VNF_MANIFEST: &str = "metadata:
  vnf_product_name: Router
  vnf_provider_id: Us
  vnf_package_version: 1.0
  vnf_release_date_time: 2026-01-01T00:00:00Z
";

const NS_MANIFEST: &str = "metadata:
  nsd_name: Branch
  nsd_designer: Us
  nsd_invariant_id: branch
  nsd_file_structure_version: 1.0
  nsd_release_date_time: 2026-01-01T00:00:00Z
";

const VNFD: &str = "tosca_definitions_version: tosca_simple_yaml_1_3
imports:
  - etsi_nfv_sol001_vnfd_types.yaml
node_types:
  us.Router:
    derived_from: tosca.nodes.nfv.VNF
topology_template:
  substitution_mappings:
    node_type: us.Router
  node_templates:
    router:
      type: us.Router
      properties:
        descriptor_id: {vnfd_id}
        provider: Us
        product_name: Router
        software_version: '1.0'
        descriptor_version: '1.0'
        flavour_id: small
        flavour_description: one unit
        vnfm_info: [mano]
    forwarding:
      type: tosca.nodes.nfv.Vdu.Compute
      properties:
        name: forwarding
        description: forwards
        vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 3 }
      capabilities:
        virtual_compute:
          properties:
            virtual_cpu: { num_virtual_cpu: 2 }
            virtual_memory: { virtual_mem_size: 2048 MiB }
      requirements:
        - virtual_storage: disk
    disk:
      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage
      properties:
        virtual_block_storage_data: { size_of_storage: 10 GiB }
    port:
      type: tosca.nodes.nfv.VduCp
      properties: { layer_protocols: [ipv4] }
      requirements:
        - virtual_binding: forwarding
        - virtual_link: inside
    inside:
      type: tosca.nodes.nfv.VnfVirtualLink
      properties:
        connectivity_type: { layer_protocols: [ipv4] }
        vl_profile:
          max_bitrate_requirements: { root: 1000 }
          min_bitrate_requirements: { root: 1000 }
  policies:
    - aspects:
        type: tosca.policies.nfv.ScalingAspects
        properties:
          aspects:
            throughput: { name: throughput, description: more, max_scale_level: 2, step_deltas: [one] }
    - start:
        type: tosca.policies.nfv.VduInitialDelta
        properties: { initial_delta: { number_of_instances: 1 } }
        targets: [forwarding]
    - deltas:
        type: tosca.policies.nfv.VduScalingAspectDeltas
        properties: { aspect: throughput, deltas: { one: { number_of_instances: 1 } } }
        targets: [forwarding]
    - levels:
        type: tosca.policies.nfv.InstantiationLevels
        properties:
          levels:
            basic: { description: one, scale_info: { throughput: { scale_level: 0 } } }
            more: { description: three, scale_info: { throughput: { scale_level: 2 } } }
          default_level: basic
    - basic:
        type: tosca.policies.nfv.VduInstantiationLevels
        properties: { levels: { basic: { number_of_instances: 1 }, more: { number_of_instances: 3 } } }
        targets: [forwarding]
";

const NSD: &str = "tosca_definitions_version: tosca_simple_yaml_1_3
imports:
  - etsi_nfv_sol001_nsd_types.yaml
node_types:
  us.Branch:
    derived_from: tosca.nodes.nfv.NS
topology_template:
  substitution_mappings:
    node_type: us.Branch
  policies:
    - levels:
        type: tosca.policies.nfv.NsInstantiationLevels
        properties:
          ns_levels: { basic: { description: one edge } }
          default_level: basic
    - edges:
        type: tosca.policies.nfv.VnfToInstantiationLevelMapping
        properties: { number_of_instances: { basic: 1 } }
        targets: [edge]
  node_templates:
    branch:
      type: us.Branch
      properties:
        descriptor_id: {nsd_id}
        designer: Us
        version: '1.0'
        name: Branch
        invariant_id: branch
        flavour_id: small
    edge:
      type: tosca.nodes.nfv.VNF
      properties:
        descriptor_id: {vnfd_id}
        descriptor_version: '1.0'
        provider: Us
        product_name: Router
        software_version: '1.0'
        flavour_id: small
        flavour_description: one unit
        vnfm_info: [mano]
        vnf_profile:
          instantiation_level: basic
          min_number_of_instances: 1
          max_number_of_instances: 2
";
