//! The engine against its contract, and what only a file can be asked: crashes at every turn.

use super::*;
use crate::{
    HeldClock, Host,
    store::writer::Tap,
    testing::{World, copy, copy_files, host, host_with, workflows},
};
use mano_model::TenantId;
use mano_ports::{
    contract::{Note, workflows::Engine as UnderTest},
    store::Store,
};
use std::time::Duration;
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
            world.clock.jump(Duration::from_secs(10));
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
