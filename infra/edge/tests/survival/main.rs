//! The real program, killed without warning again and again: what it accepted, it finishes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

/// So often it is killed.
const KILLS: usize = 8;
/// So many network functions are asked for between two kills.
const BATCH: usize = 6;

/// The running program; killed when dropped.
struct Program {
    child: Child,
    root: String,
}

impl Program {
    /// Starts it on a folder and returns once it says that it serves.
    fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mano"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--log", "json", "--data"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (told, hear) = std::sync::mpsc::channel();
        // The log has to be read to its end, or the program would wait for us.
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if line.contains("serving") {
                    let _ = told.send(());
                }
            }
        });
        hear.recv().unwrap();
        Self { child, root: format!("http://127.0.0.1:{port}") }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    /// GET of JSON.
    fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.root);
        let mut answer = Self::agent().get(url).header("version", version(path)).call().unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// POST; the `Location`'s last part if it was accepted.
    fn post(&self, path: &str, body: &Value) -> Option<String> {
        let url = format!("{}{path}", self.root);
        let answer =
            Self::agent().post(url).header("version", version(path)).send_json(body).ok()?;
        if !answer.status().is_success() {
            panic!("{path}: {:?}", answer.into_body().read_to_string());
        }
        let location = answer.headers().get("location")?.to_str().ok()?;
        Some(location.rsplit('/').next()?.to_owned())
    }
}

/// The version of the interface a path belongs to.
fn version(path: &str) -> &'static str {
    if path.starts_with("/mano/") { "1.0.0" } else { "2.0.0" }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `mano` with these words, which must succeed.
fn mano<'a>(words: impl IntoIterator<Item = &'a str>) {
    let out = Command::new(env!("CARGO_BIN_EXE_mano")).args(words).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Creates a network function and asks for its instantiation; both ids.
fn instantiate(program: &Program, vnfd: &str, name: &str) -> (String, String) {
    let body = json!({ "vnfdId": vnfd, "vnfInstanceName": name });
    let id = program.post("/vnflcm/v2/vnf_instances", &body).unwrap();
    let path = format!("/vnflcm/v2/vnf_instances/{id}/instantiate");
    let op = program.post(&path, &json!({ "flavourId": "standard" })).unwrap();
    (id, op)
}

/// On-boards an example package through the program's own command line; its `vnfdId`.
fn onboard(program: &Program, package: &str) -> String {
    let example = format!("{}/examples/{package}", env!("CARGO_MANIFEST_DIR"));
    mano(["--endpoint", &program.root, "package", "onboard", &example]);
    let packages = program.get("/vnfpkgm/v2/vnf_packages");
    packages[0]["vnfdId"].as_str().unwrap().to_owned()
}

fn add_vim(program: &Program) {
    let zone = json!({ "id": "z", "vcpus": 1000, "memoryGib": 4000, "storageGib": 100_000 });
    program
        .post("/mano/v1/vims", &json!({ "id": "v", "vimType": "sim", "zones": [zone] }))
        .unwrap();
    let slow = json!({ "latencyMs": 5 });
    let url = format!("{}/mano/v1/vims/v/behaviour", program.root);
    assert!(Program::agent().put(url).send_json(slow).unwrap().status().is_success());
}

#[test]
fn everything_accepted_is_finished_over_any_number_of_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    add_vim(&program);
    let vnfd = onboard(&program, "edge-cache");
    let mut accepted = BTreeSet::new();
    for round in 0..KILLS {
        for n in 0..BATCH {
            accepted.insert(instantiate(&program, &vnfd, &format!("{round}-{n}")));
        }
        // Somewhere in the middle: so many operations rest, the others are under way.
        wait_until(&program, |states| rested(states) >= round * BATCH + round % BATCH);
        program.kill();
        program = Program::start(folder.path());
    }
    wait_until(&program, |states| rested(states) == KILLS * BATCH);
    for (id, op) in &accepted {
        let op = program.get(&format!("/vnflcm/v2/vnf_lcm_op_occs/{op}"));
        assert_eq!(op["operationState"], "COMPLETED", "{op:#}");
        let vnf = program.get(&format!("/vnflcm/v2/vnf_instances/{id}"));
        assert_eq!(vnf["instantiationState"], "INSTANTIATED", "{vnf:#}");
    }
    nothing_twice_nothing_forgotten(&program, accepted.len());
}

fn rested(states: &[String]) -> usize {
    let running = ["STARTING", "PROCESSING", "ROLLING_BACK"];
    states.iter().filter(|s| !running.contains(&s.as_str())).count()
}

/// Asks for the states of all operations until they are as wished; each answer is awaited.
fn wait_until(program: &Program, wish: impl Fn(&[String]) -> bool) {
    for _ in 0..100_000 {
        let ops = program.get("/vnflcm/v2/vnf_lcm_op_occs");
        let ops = ops.as_array().unwrap().iter();
        let states: Vec<String> =
            ops.map(|op| op["operationState"].as_str().unwrap().to_owned()).collect();
        if wish(&states) {
            return;
        }
    }
    panic!("the operations do not come to rest");
}

/// Every network function of one unit, one storage and one link has exactly those.
fn nothing_twice_nothing_forgotten(program: &Program, vnfs: usize) {
    let mut found = 0;
    let url = format!("{}/mano/v1/vims/v/resources", program.root);
    let mut next = Some(url);
    while let Some(url) = next {
        let mut answer = Program::agent().get(url).call().unwrap();
        let link = answer.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        let page: Value = answer.body_mut().read_json().unwrap();
        for resource in page.as_array().unwrap() {
            assert_eq!(resource["known"], true, "{resource:#} is an orphan");
            found += 1;
        }
        next = link.and_then(|l| Some(l.split_once('<')?.1.split_once('>')?.0.to_owned()));
    }
    assert_eq!(found, vnfs * 3);
}

#[test]
fn what_was_under_way_at_a_backup_goes_on_after_it_was_put_back() {
    let room = tempfile::tempdir().unwrap();
    let [data, copy, again] = ["data", "copy", "again"].map(|name| room.path().join(name));
    let [from, to, new] = [&data, &copy, &again].map(|path| path.to_str().unwrap());
    let program = Program::start(&data);
    add_vim(&program);
    let vnfd = onboard(&program, "edge-cache");
    let ask = |n: usize| instantiate(&program, &vnfd, &n.to_string());
    let before: Vec<_> = (0..4 * BATCH).map(ask).collect();
    // It is asked for more and works on what it has while the copy is made.
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| mano(["backup", to, "--data", from]));
        let mut n = before.len();
        // One page of a list shows them all.
        while !copying.is_finished() && n < 90 {
            ask(n);
            n += 1;
        }
        copying.join().unwrap();
    });
    program.kill();
    mano(["doctor", "--backup", to]);
    mano(["restore", to, "--data", new]);
    let program = Program::start(&again);
    let vnfs = program.get("/vnflcm/v2/vnf_lcm_op_occs").as_array().unwrap().len();
    assert!(vnfs >= before.len(), "{vnfs}");
    wait_until(&program, |states| states.iter().all(|state| state == "COMPLETED"));
    for (_, op) in &before {
        let op = program.get(&format!("/vnflcm/v2/vnf_lcm_op_occs/{op}"));
        assert_eq!(op["operationState"], "COMPLETED", "{op:#}");
    }
    nothing_twice_nothing_forgotten(&program, vnfs);
    onboard(&program, "edge-router");
}

#[test]
fn a_folder_has_one_owner() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Program::start(folder.path());
    let out = Command::new(env!("CARGO_BIN_EXE_mano"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
}

/// The program for one machine is small because it leaves the cloud's clients out.
#[test]
fn the_program_carries_no_cloud() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_mano")).unwrap();
    for name in ["aws_smithy", "aws_sdk_", "aws_config"] {
        let found = program.windows(name.len()).any(|window| window == name.as_bytes());
        assert!(!found, "the program contains {name}");
    }
}
