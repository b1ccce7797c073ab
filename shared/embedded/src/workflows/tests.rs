//! The engine against its contract, and what only a file can be asked: crashes at every turn.

mod children;
mod hostile;
mod language;
mod maps;
mod stage;

use super::*;
use crate::{
    HeldClock, Host,
    store::writer::Tap,
    testing::{World, copy, copy_files, host, host_with, workflows},
};
use async_trait::async_trait;
use mano_asl::Event;
use mano_model::TenantId;
use mano_ports::{
    contract::{Note, workflows::Engine as UnderTest},
    store::Store,
    workflows::{Outcome, Run, Workflows},
};
use serde_json::Value;
use tempfile::TempDir;

#[async_trait]
impl UnderTest for World {
    fn workflows(&self) -> Arc<dyn Workflows> {
        Arc::clone(self.host.engine()) as _
    }
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.host.store()) as _
    }
    async fn crash(&mut self) {
        *self = self.crashed().await;
    }
    fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

mano_ports::workflows_contract!(World::new().await);

fn input(op: &str, text: &str) -> Value {
    serde_json::json!({ "tenant": "contract", "op": op, "text": text })
}

/// Waits for a run's end on any host.
async fn over(engine: &Engine, workflow: &str, run: &str) -> Run {
    let ended = async {
        loop {
            let run = engine.describe(workflow, run).await.expect("described");
            if run.status != "RUNNING" {
                return run;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("ended")
}

/// The disk after every transaction of a world in which `act` happened.
async fn images(strict: bool, act: impl AsyncFnOnce(&Host)) -> Vec<TempDir> {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(HeldClock::new(jiff::Timestamp::UNIX_EPOCH));
    let images = Arc::new(Mutex::new(Vec::new()));
    let (from, taken) = (folder.path().to_owned(), Arc::clone(&images));
    let tap = Tap(Arc::new(move || {
        let image = tempfile::tempdir().expect("a folder");
        copy_files(&from, image.path());
        taken.lock().expect("images").push(image);
    }));
    let options = store_options(Some(tap));
    let engine = Options { strict, ..Options::default() };
    let host = host_with(folder.path(), &clock, &options, engine).await;
    act(&host).await;
    host.stop().await;
    std::mem::take(&mut *images.lock().expect("images"))
}

/// Whichever of its transactions a process died after, the run ends as if nothing had happened.
async fn a_run_survives_death_after_any_transaction(strict: bool) {
    let images = images(strict, async |host| {
        let engine = host.engine();
        engine.start("contract-wait", "w-0", input("w", "")).await.expect("started");
        let note = "token-w";
        let token = until_note(host, note).await;
        engine.resume(&token, Outcome::Success("done".into())).await.expect("resumed");
        over(engine, "contract-wait", "w-0").await;
    });
    let images = images.await;
    assert!(images.len() > 5, "{} transactions", images.len());
    for image in &images {
        let clock = Arc::new(HeldClock::new(jiff::Timestamp::UNIX_EPOCH));
        let host = host(image.path(), &clock).await;
        let engine = host.engine();
        // As the relay would: a start that was not marked as relayed comes again.
        engine.start("contract-wait", "w-0", input("w", "")).await.expect("started");
        let token = until_note(&host, "token-w").await;
        // As the adapters would: a resumption whose mark is not written comes again. The call may
        // have been made again with another token, if its start was lost.
        let mut tokens = vec![token];
        let ended = async {
            loop {
                for token in &tokens {
                    let done = Outcome::Success("done".into());
                    engine.resume(token, done).await.expect("resumed");
                }
                let run = engine.describe("contract-wait", "w-0").await.expect("described");
                if run.status != "RUNNING" {
                    return run;
                }
                tokio::task::yield_now().await;
                tokens = lines(&host, "token-w").await;
            }
        };
        let run = tokio::time::timeout(Duration::from_secs(60), ended).await.expect("ended");
        assert_eq!(
            (&*run.status, run.output),
            ("SUCCEEDED", Some(serde_json::json!({"said": "done"})))
        );
        let history = engine.history("contract-wait", "w-0", None, 1000).await.expect("history");
        let ids: Vec<_> = history.items.iter().filter_map(|row| row["id"].as_u64()).collect();
        assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
        host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_survives_death_after_any_transaction_when_written_behind() {
    a_run_survives_death_after_any_transaction(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_survives_death_after_any_transaction_when_strict() {
    a_run_survives_death_after_any_transaction(true).await;
}

async fn lines(host: &Host, note: &str) -> Vec<String> {
    let store: Arc<dyn Store> = Arc::clone(host.store()) as _;
    let found = store.find::<Note>(&TenantId::new("contract"), note).await.expect("read");
    found.map(|note| note.text.lines().map(Into::into).collect()).unwrap_or_default()
}

/// The last line of a note, once there is one.
async fn until_note(host: &Host, note: &str) -> String {
    let found = async {
        loop {
            if let Some(line) = lines(host, note).await.pop() {
                return line;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found).await.expect("a note")
}

fn store_options(tap: Option<Tap>) -> crate::store::Options {
    crate::store::Options { tap, ..crate::store::Options::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_sleeper_leaves_memory_and_wakes_by_its_timer_or_its_token() {
    let world = World::new().await;
    let engine = world.host.engine();
    engine.start("contract-sleep", "z-0", input("z", "")).await.expect("started");
    engine.start("contract-wait", "w-0", input("w", "")).await.expect("started");
    let token = until_note(&world.host, "token-w").await;
    let asleep = async {
        while engine.counts().in_memory > 0 {
            world.clock.jump(Duration::from_secs(60));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asleep).await.expect("both left memory");
    // What lies outside memory outlives the process without being loaded at the next start.
    let world = world.crashed().await;
    let engine = world.host.engine();
    assert_eq!(engine.counts().in_memory, 0);
    engine.resume(&token, Outcome::Success("done".into())).await.expect("resumed");
    assert_eq!(over(engine, "contract-wait", "w-0").await.status, "SUCCEEDED");
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(over(engine, "contract-sleep", "z-0").await.error.as_deref(), Some("Contract.Over"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_by_the_definition_it_began_with() {
    let world = World::new().await;
    let engine = world.host.engine();
    engine.start("contract-sleep", "z-0", input("z", "")).await.expect("started");
    let folder = tempfile::tempdir().expect("a folder");
    copy(world.host.store(), folder.path()).await;
    let store = Arc::new(SqliteStore::open(folder.path(), &store_options(None)).expect("open"));
    let changed =
        workflows().into_iter().map(|(name, text)| (name, text.replace("It slept.", "No.")));
    let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
    let engine = Engine::open(&store, &clock, changed, Options::default()).await.expect("open");
    let host = crate::testing::host_on(store, engine, &world.clock, folder.path());
    let engine = host.engine();
    assert!(engine.definition("contract-sleep").await.expect("text").contains("No."));
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(over(engine, "contract-sleep", "z-0").await.cause.as_deref(), Some("It slept."));
}

#[tokio::test]
async fn a_wrong_workflow_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SqliteStore::open(folder.path(), &store_options(None)).expect("open"));
    let clock: Arc<dyn Clock> = Arc::new(crate::SystemClock::default());
    let wrong = [("bad".to_owned(), r#"{"States": {}}"#.to_owned())];
    let refused = Engine::open(&store, &clock, wrong, Options::default()).await;
    let said = refused.err().expect("refused").to_string();
    assert!(said.contains("'bad'") && said.contains("StartAt"), "{said}");
}

/// A workflow that calls a hundred and fifty times, two turns each, and then waits for a token.
fn long() -> (String, String) {
    let text = r#"{"QueryLanguage": "JSONata", "StartAt": "Zero", "States": {
        "Zero": {"Type": "Pass", "Assign": {"n": 0, "op": "{% $states.input.op %}"}, "Next": "Call"},
        "Call": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {"FunctionName": "contract", "Payload": {"step": "contract.wait",
                "tenant": "contract", "op": "{% $op & '-' & $n %}", "run": 0,
                "token": "{% $states.context.Task.Token %}"}},
            "Assign": {"n": "{% $n + 1 %}"}, "Next": "More"},
        "More": {"Type": "Choice", "Choices": [
            {"Condition": "{% $n < 150 %}", "Next": "Call"}], "Default": "Done"},
        "Done": {"Type": "Succeed", "Output": "{% $n %}"}}}"#;
    ("long".into(), text.into())
}

async fn long_host(folder: &TempDir, clock: &Arc<HeldClock>) -> Arc<Host> {
    let store = Arc::new(SqliteStore::open(folder.path(), &store_options(None)).expect("open"));
    let time: Arc<dyn Clock> = Arc::clone(clock) as _;
    let engine = Engine::open(&store, &time, [long()], Options::default()).await.expect("open");
    crate::testing::host_on(store, engine, clock, folder.path())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_goes_on_from_its_snapshot_with_what_it_waited_for() {
    let clock = Arc::new(HeldClock::new(jiff::Timestamp::UNIX_EPOCH));
    let mut folder = tempfile::tempdir().expect("a folder");
    let mut host = long_host(&folder, &clock).await;
    host.engine().start("long", "l-0", input("l", "")).await.expect("started");
    let done = || Outcome::Success("done".into());
    for n in 0..150 {
        let token = until_note(&host, &format!("token-l-{n}")).await;
        if n % 60 == 59 {
            // The process dies while the token is out, some turns after the last snapshot.
            let next = tempfile::tempdir().expect("a folder");
            copy(host.store(), next.path()).await;
            host = long_host(&next, &clock).await;
            folder = next;
        }
        // After a death the call may be made again; its token is the same.
        host.engine().resume(&token, done()).await.expect("resumed");
    }
    let run = over(host.engine(), "long", "l-0").await;
    assert_eq!((&*run.status, run.output), ("SUCCEEDED", Some(serde_json::json!(150))));
    let id = rows::find(host.store(), "long", "l-0").expect("read").expect("there");
    let kept = rows::load(host.store(), id).expect("read").expect("there");
    assert!(kept.snapshot_turn >= 200, "{} turns in the snapshot", kept.snapshot_turn);
    assert!(folder.path().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_runs_go_on_after_a_crash() {
    let world = World::new().await;
    let engine = world.host.engine();
    let names: Vec<String> = (0..1000).map(|n| format!("m{n}")).collect();
    let starts = names.iter().map(|op| {
        let run = format!("{op}-0");
        async move { engine.start("contract-wait", &run, input(op, "")).await.expect("started") }
    });
    futures_util::future::join_all(starts).await;
    let world = world.crashed().await;
    assert_eq!(world.host.engine().counts().in_memory, 1000);
    for op in &names {
        let token = until_note(&world.host, &format!("token-{op}")).await;
        let engine = world.host.engine();
        engine.resume(&token, Outcome::Success("done".into())).await.expect("resumed");
    }
    for op in &names {
        let run = over(world.host.engine(), "contract-wait", &format!("{op}-0")).await;
        assert_eq!(run.status, "SUCCEEDED", "{op}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_ended_long_ago_is_forgotten() {
    let world = World::new().await;
    let engine = world.host.engine();
    engine.start("contract-call", "old-0", input("old", "hi")).await.expect("started");
    over(engine, "contract-call", "old-0").await;
    engine.start("contract-wait", "w-0", input("w", "")).await.expect("started");
    let token = until_note(&world.host, "token-w").await;
    world.clock.advance(Options::default().keep);
    let gone = async {
        while engine.describe("contract-call", "old-0").await.is_ok() {
            world.clock.jump(Duration::from_secs(60));
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("forgotten");
    engine.resume(&token, Outcome::Success("done".into())).await.expect("what runs is kept");
    assert_eq!(over(engine, "contract-wait", "w-0").await.status, "SUCCEEDED");
    let turns: i64 = world
        .host
        .store()
        .read(|db| {
            db.query_row("SELECT count(*) FROM turn WHERE place < (2 << 20)", [], |row| row.get(0))
        })
        .expect("read");
    assert_eq!(turns, 0, "nothing of the first execution is left");
}
