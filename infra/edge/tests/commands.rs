//! The command line against a real server: what it prints, and with which exit status it ends.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

#[path = "commands/doctor.rs"]
mod doctor;
#[path = "commands/lists.rs"]
mod lists;
#[path = "commands/refused.rs"]
mod refused;

use mano_edge::serve::{Options, Running, serve};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A server on a fresh folder, and the program that talks to it.
struct World {
    runtime: Runtime,
    running: Option<Running>,
    url: String,
    room: TempDir,
}

impl World {
    /// With the server in this process.
    fn new() -> Self {
        let room = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = runtime.block_on(serve(options(&room, anywhere))).unwrap();
        let url = running.url();
        Self { runtime, running: Some(running), url, room }
    }

    /// Without a server.
    fn alone() -> Self {
        let (room, runtime) = (tempfile::tempdir().unwrap(), Runtime::new().unwrap());
        Self { runtime, running: None, url: String::new(), room }
    }

    /// Starts a server of its own process; returns when it serves.
    fn spawn_server(&mut self, listen: &str) -> Child {
        let mut server = self.mano(&format!("serve --data data --listen {listen}"));
        let mut server = server.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
        let url = log.by_ref().find_map(|line| {
            let line = line.unwrap();
            Some(line.strip_prefix("serving at ")?.split(';').next()?.to_owned())
        });
        // The log has to be read to its end, or the server would wait for us.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        self.url = url.unwrap();
        server
    }

    /// `mano` with these words.
    fn mano(&self, words: &str) -> Command {
        let mut mano = Command::new(env!("CARGO_BIN_EXE_mano"));
        mano.env_clear().env("MANO_ENDPOINT", &self.url).current_dir(self.room.path());
        mano.args(words.split_whitespace());
        mano
    }

    /// Runs `mano` with these words.
    fn run(&self, words: &str) -> Output {
        self.mano(words).output().unwrap()
    }

    /// Runs what must succeed; its standard output.
    fn good(&self, words: &str) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(0), "mano {words}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs what must not succeed; its standard error.
    fn bad(&self, words: &str, status: i32) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(status), "mano {words}: {}", told(&output));
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs what must not succeed; its standard output.
    fn bad_result(&self, words: &str) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "mano {words}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs what must succeed; its JSON.
    fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.good(&format!("{words} -o json"))).unwrap()
    }

    /// Two VIMs, the example packages, and an instance called `edge-1`.
    fn with_service() -> Self {
        let world = Self::new();
        world.stock();
        world
    }

    /// Registers two VIMs, on-boards the examples, and creates an instance called `edge-1`.
    fn stock(&self) {
        self.good("vim add east");
        self.good("vim add west");
        let folder = |name: &str| example(name).display().to_string();
        let (router, cache) = (folder("edge-router"), folder("edge-cache"));
        self.good(&format!("package onboard {router} {cache}"));
        self.good(&format!("nsd onboard {}", folder("edge-service")));
        self.good("ns create edge-service --name edge-1");
    }

    /// The names of what exists at the VIMs, by their own memory.
    fn existing(&self) -> Vec<String> {
        let of = |vim: &str| self.json(&format!("vim resources {vim}")).as_array().unwrap().clone();
        let all = of("east").into_iter().chain(of("west"));
        all.map(|resource| resource["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = self.runtime.block_on(running.stop());
        }
    }
}

fn options(room: &TempDir, listen: SocketAddr) -> Options {
    Options { listen, data: room.path().join("data"), ..Options::default() }
}

fn told(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

/// The folder of an example package.
fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn a_vim_is_registered_shown_and_let_go() {
    let world = World::new();
    world.good("vim add east --zone a:vcpus=8,memory=16,storage=100 --zone b:vcpus=4");
    let list = world.good("vim list");
    assert!(list.contains("east") && list.contains("a b") && list.contains("0 of 12"), "{list}");
    world.good("vim behaviour east --set latencyMs=5 --set failNth=2");
    let behaviour = world.json("vim behaviour east --set failNth=null");
    assert_eq!((&behaviour["latencyMs"], behaviour.get("failNth")), (&5.into(), None));
    let refused = world.bad("vim behaviour east --set latency=5", 1);
    assert!(refused.contains("latency"), "{refused}");
    world.good("vim delete east");
    let absent = world.bad("vim show east", 1);
    assert!(absent.contains("there is no VIM 'east'") && absent.contains("next:"), "{absent}");
}

#[test]
fn packages_are_found_by_name_and_refused_with_file_and_line() {
    let world = World::with_service();
    let shown = world.json("package show edge-router");
    assert_eq!(shown["onboardingState"], "ONBOARDED");
    let id = shown["id"].as_str().unwrap();
    assert_eq!(world.json(&format!("package show {}", &id[..12]))["id"], id);
    assert!(world.bad("package delete edge-router", 1).contains("--disable"));
    let broken = world.room.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    let text = "tosca_definitions_version: tosca_simple_yaml_1_3\ntopology_template: 7\n";
    std::fs::write(broken.join("vnfd.yaml"), text).unwrap();
    let refused = world.bad("package onboard broken", 1);
    assert!(refused.contains("broken was not on-boarded"), "{refused}");
    assert!(refused.contains("vnfd.yaml:"), "{refused}");
    assert_eq!(world.json("package list").as_array().unwrap().len(), 2, "what was refused is gone");
}

#[test]
fn where_nothing_stands_still_nothing_is_driven_on() {
    let world = World::new();
    let told = world.good("op redrive --runs");
    assert_eq!(told, "0 started again, 0 told to their records, 0 go on");
    assert_eq!(world.json("op redrive --runs")["running"], 0);
    assert!(world.bad("op redrive", 2).contains("ID"));
    assert!(world.bad("op redrive 17 --runs", 2).contains("--runs"));
}

#[test]
fn a_large_archive_comes_back_as_it_was_sent() {
    let world = World::new();
    // More than passes through the interfaces of every home, and nothing that packs well.
    let next = |n: &u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let noise = std::iter::successors(Some(1_u32), next).map(|n| n.to_le_bytes()[3]);
    let folder = world.room.path().join("large");
    copied(&example("edge-router"), &folder);
    std::fs::write(folder.join("Files/noise.bin"), noise.take(6 << 20).collect::<Vec<_>>())
        .unwrap();
    world.good("package pack large");
    let archive = std::fs::read(world.room.path().join("large.csar")).unwrap();
    assert!(archive.len() > 4 << 20, "{}", archive.len());
    world.good("package onboard large.csar");
    world.good("package download edge-router --to back.csar");
    assert!(std::fs::read(world.room.path().join("back.csar")).unwrap() == archive);
    let absent = world.bad("package download nothing-of-this-name", 1);
    assert!(absent.contains("mano package list"), "{absent}");
}

/// Copies a folder.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            copied(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn a_service_is_deployed_scaled_taken_down_and_deleted_by_its_name() {
    let world = World::with_service();
    let told = world.good("ns instantiate edge-1 --flavour standard");
    assert!(told.starts_with("INSTANTIATE of NS edge-1 is COMPLETED"), "{told}");
    let small = world.existing().len();
    assert!(world.good("ns show edge-1").contains("COMPUTE"));
    let refused = world.bad("ns instantiate edge-1 --flavour standard", 1);
    assert!(refused.contains("INSTANTIATED") && refused.contains("409"), "{refused}");
    world.good("ns scale edge-1 out --aspect caching");
    assert!(world.existing().len() > small);
    world.good("ns scale edge-1 in --aspect caching");
    assert_eq!(world.existing().len(), small);
    let op = world.good("ns terminate edge-1 --no-wait");
    world.good(&format!("op watch {op}"));
    assert_eq!(world.existing(), Vec::<String>::new());
    world.good("ns delete edge-1");
    assert_eq!(world.json("vnf list").as_array().unwrap().len(), 0);
    let states = world.json("op list --kind ns");
    assert!(states.as_array().unwrap().iter().all(|op| op["operationState"] == "COMPLETED"));
}

#[test]
fn what_a_vim_loses_is_healed() {
    let world = World::with_service();
    world.good("ns instantiate edge-1 --flavour standard --quiet");
    let before = world.existing().len();
    let machine = |vim: &str| {
        let there = world.json(&format!("vim resources {vim}"));
        let machine = there.as_array().unwrap().iter().find(|r| r["kind"] == "COMPUTE").cloned();
        machine.map(|machine| (vim.to_owned(), machine["resourceId"].as_str().unwrap().to_owned()))
    };
    let (vim, lost) = machine("east").or_else(|| machine("west")).unwrap();
    world.good(&format!("vim lose {vim} {lost}"));
    assert_eq!(world.existing().len() + 1, before);
    world.good("ns heal edge-1");
    assert_eq!(world.existing().len(), before);
    assert!(!world.good(&format!("vim resources {vim}")).contains(&lost));
    world.good(&format!("vim resources {vim} --unknown"));
}

#[test]
fn a_watch_outlives_the_death_of_the_server() {
    let mut world = World::alone();
    let mut server = world.spawn_server("127.0.0.1:0");
    world.stock();
    for vim in ["east", "west"] {
        world.good(&format!("vim behaviour {vim} --set asynchronousMs=700"));
    }
    let op = world.good("ns instantiate edge-1 --flavour standard --no-wait");
    let mut watch = world.mano(&format!("op watch {op}")).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("PROCESSING"));
    server.kill().unwrap();
    server.wait().unwrap();
    let address = world.url.trim_start_matches("http://").to_owned();
    let mut server = world.spawn_server(&address);
    let last = lines.map_while(Result::ok).last().unwrap();
    assert!(watch.wait().unwrap().success(), "{last}");
    assert_eq!(world.json(&format!("op show {op}"))["operationState"], "COMPLETED");
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_failure_says_which_decisions_there_are_and_each_is_one_command() {
    let world = World::with_service();
    for vim in ["east", "west"] {
        world.good(&format!(r#"vim behaviour {vim} --set refuse=[{{"kind":"COMPUTE"}}]"#));
    }
    let failed = world.bad("ns instantiate edge-1 --flavour standard", 1);
    assert!(failed.contains("FAILED_TEMP") && failed.contains("mano op rollback"), "{failed}");
    let waiting = world.json("op list --kind ns --state FAILED_TEMP");
    let op = waiting[0]["id"].as_str().unwrap().to_owned();
    let findings = world.run("doctor");
    assert_eq!(findings.status.code(), Some(1), "{}", told(&findings));
    assert!(told(&findings).contains(&op), "{}", told(&findings));
    for vim in ["east", "west"] {
        world.good(&format!("vim behaviour {vim} --reset"));
    }
    let rolled_back = world.good(&format!("op rollback {}", &op[..13]));
    assert!(rolled_back.contains("ROLLED_BACK"), "{rolled_back}");
    assert_eq!(world.existing(), Vec::<String>::new());
    world.good("doctor");
}

#[test]
fn what_was_given_up_is_released() {
    let world = World::with_service();
    for vim in ["east", "west"] {
        world.good(&format!(r#"vim behaviour {vim} --set refuse=[{{"kind":"COMPUTE"}}]"#));
    }
    world.bad("ns instantiate edge-1 --flavour standard", 1);
    let op = world.json("op list --kind ns")[0]["id"].as_str().unwrap().to_owned();
    assert!(world.good(&format!("op fail {op}")).contains("is FAILED"));
    assert_ne!(world.existing(), Vec::<String>::new());
    assert!(world.good("ns release edge-1").contains("holds nothing"));
    assert_eq!(world.existing(), Vec::<String>::new());
}

#[test]
fn the_engine_can_be_looked_into() {
    let world = World::with_service();
    world.good("ns instantiate edge-1 --flavour standard");
    assert!(world.good("workflow list").contains("vnf-instantiate"));
    assert_eq!(world.json("workflow show ns-instantiate")["QueryLanguage"], "JSONata");
    let runs = world.json("workflow runs ns-instantiate");
    let run = runs[0]["name"].as_str().unwrap();
    assert_eq!(runs[0]["status"], "SUCCEEDED");
    let history = world.good(&format!("workflow history ns-instantiate {run}"));
    assert!(history.contains("ExecutionSucceeded"), "{history}");
    assert_eq!(world.good(&format!("workflow history ns-instantiate {}", &run[..8])), history);
    let absent = world.bad("workflow history ns-instantiate zz", 1);
    assert!(absent.contains("mano workflow runs"), "{absent}");
}

#[test]
fn misuse_ends_with_two_and_absence_with_one() {
    let world = World::new();
    world.bad("ns instanciate x", 2);
    world.bad("--endpoint nonsense ns list", 2);
    world.bad("ns instantiate x --body absent.json", 1);
    let absent = world.bad("ns show nothing-of-this-name", 1);
    assert!(absent.contains("mano ns list"), "{absent}");
    let nobody = world.bad("--endpoint http://127.0.0.1:1 ns list", 1);
    assert!(nobody.contains("nothing answers at http://127.0.0.1:1"), "{nobody}");
}

#[test]
fn the_demonstration_leaves_nothing() {
    let world = World::new();
    let told = world.good("demo --pace 1 --svg story.svg");
    for sentence in
        ["HEAL NS", "ROLLED_BACK", "nothing: no resource at any VIM", "What happened when"]
    {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    let drawn = std::fs::read_to_string(world.room.path().join("story.svg")).unwrap();
    assert!(drawn.starts_with("<svg") && drawn.ends_with("</svg>\n"));
}
