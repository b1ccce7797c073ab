//! The store against its contract, and what only a file can be asked: crashes, copies, batches.

use super::*;
use crate::testing::{Bus, World, copy_files};
use futures_util::future::join_all;
use mano_model::{
    TenantId,
    plan::{Add, Expect, Origin},
};
use mano_ports::contract::{Note, note, store::Fresh};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;
use uuid::Uuid;

async fn fresh() -> Fresh {
    let world = World::new().await;
    let heard = Box::new(Bus::of(world.host.bus()));
    Fresh { store: Arc::clone(world.host.store()) as _, heard, keep: Box::new(world) }
}

mano_ports::store_contract!(fresh().await);

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, &Options::default()).expect("open")
}

fn empty() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    (folder, store)
}

fn plan() -> Plan {
    Plan::new(Origin {
        id: Uuid::new_v4(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: TenantId::default(),
        actor: "tests".into(),
        correlation: None,
        causation: None,
        trace: None,
    })
}

fn version(store: &SqliteStore, id: &str) -> Option<u64> {
    let key = Key::of::<Note>(&TenantId::default(), id);
    store.get_one(&key).expect("read").map(|stored| stored.version)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_shares_transactions_and_a_refused_plan_hurts_no_neighbour() {
    let (_folder, store) = empty();
    store.commit(plan().create(&note("taken", ""))).await.expect("commit");
    let before = store.counts();
    let all = (0..200).map(|n| {
        let id = if n % 2 == 0 { format!("n{n}") } else { "taken".into() };
        let plan = plan().create(&note(&format!("beside-{n}"), "")).create(&note(&id, ""));
        store.commit(plan)
    });
    let results = join_all(all).await;
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), n % 2 == 0, "{n}: {result:?}");
        assert_eq!(version(&store, &format!("beside-{n}")).is_some(), n % 2 == 0, "{n}");
    }
    let after = store.counts();
    assert_eq!((after.plans - before.plans, after.refused - before.refused), (200, 100));
    assert!(after.transactions - before.transactions < 100, "{after:?}");
}

/// The disk after every transaction of `act`, each of which holds one job.
async fn images(act: impl AsyncFnOnce(&SqliteStore)) -> Vec<TempDir> {
    let folder = tempfile::tempdir().expect("a folder");
    let images = Arc::new(Mutex::new(Vec::new()));
    let (from, taken) = (folder.path().to_owned(), Arc::clone(&images));
    let tap = writer::Tap(Arc::new(move || {
        let image = tempfile::tempdir().expect("a folder");
        copy_files(&from, image.path());
        taken.lock().expect("images").push(image);
    }));
    let options = Options { tap: Some(tap), ..Options::default() };
    let store = SqliteStore::open(folder.path(), &options).expect("open");
    act(&store).await;
    drop(store);
    std::mem::take(&mut *images.lock().expect("images"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_durable_is_a_prefix_of_what_was_submitted() {
    let images = images(async |store| {
        for n in 0..10 {
            let id = format!("{n:02}-record").into_bytes();
            store.record(Duration::from_millis(2), move |db| {
                db.execute("INSERT INTO plan (id) VALUES (?1)", [&id]).map(drop)
            });
            if n % 3 == 0 {
                store.commit(plan().create(&note(&format!("{n:02}-note"), ""))).await.expect("ok");
            }
        }
    })
    .await;
    assert_eq!(images.len(), 14);
    for (n, image) in images.iter().enumerate() {
        let store = open(image.path());
        let records: i64 = store
            .read(|db| {
                let sql = "SELECT count(*) FROM plan WHERE id LIKE '%-record'";
                db.query_row(sql, [], |row| row.get(0))
            })
            .expect("read");
        let notes = (0..10).filter(|n| version(&store, &format!("{n:02}-note")).is_some()).count();
        assert_eq!(usize::try_from(records).expect("few") + notes, n + 1);
        let last_note = (0..10).rev().find(|n| version(&store, &format!("{n:02}-note")).is_some());
        assert!(last_note.is_none_or(|last| records > last), "a note came before its records");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_can_never_be_written_fails_alone() {
    let (_folder, store) = empty();
    store.record(Duration::from_millis(2), |db| {
        db.execute("INSERT INTO plan (id) VALUES (x'01')", []).map(drop)
    });
    store.record(Duration::from_millis(2), |db| {
        db.execute("INSERT INTO plan (id) VALUES (x'02')", [])?;
        db.execute("INSERT INTO plan (id) VALUES (x'01')", []).map(drop)
    });
    store.commit(plan().create(&note("a", ""))).await.expect("its neighbour");
    let wrong = store.write(|db| db.execute("INSERT INTO nothing VALUES (1)", []).map(drop)).await;
    assert!(wrong.is_err());
    store.commit(plan().create(&note("b", ""))).await.expect("the next");
    let ids: Vec<Vec<u8>> = store
        .read(|db| {
            let sql = "SELECT id FROM plan WHERE length(id) = 1";
            db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        })
        .expect("read");
    assert_eq!(ids, [vec![1]], "half of a record is none of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_taken_while_the_store_is_used_is_whole() {
    let (folder, store) = empty();
    for n in 0..50 {
        store.commit(plan().create(&note(&format!("n{n}"), "text"))).await.expect("commit");
    }
    let to = folder.path().join("copy");
    std::fs::create_dir(&to).expect("a folder");
    let (copied, ()) = tokio::join!(async { store.backup(&to.join("mano.db")) }, async {
        store.commit(plan().create(&note("meanwhile", ""))).await.expect("commit");
    });
    copied.expect("copied");
    assert!(SqliteStore::check_file(&to.join("mano.db")).expect("checked").is_empty());
    let copy = open(&to);
    assert!((0..50).all(|n| version(&copy, &format!("n{n}")) == Some(1)));
    assert!(copy.check().expect("checked").is_empty());
}

#[tokio::test]
async fn a_broken_file_is_told() {
    let (folder, store) = empty();
    let wide = "x".repeat(3000);
    for n in 0..50 {
        store.commit(plan().create(&note(&format!("n{n}"), &wide))).await.expect("commit");
    }
    drop(store);
    let path = folder.path().join("mano.db");
    let mut bytes = std::fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xA5);
    std::fs::write(&path, bytes).expect("written");
    let found = SqliteStore::check_file(&path);
    assert!(found.is_err() || found.is_ok_and(|found| !found.is_empty()));
}

#[tokio::test]
async fn one_process_owns_the_file() {
    let (folder, store) = empty();
    let second = SqliteStore::open(folder.path(), &Options::default());
    assert!(matches!(second, Err(OpenError::InUse(_))));
    let sim = Options { file: "sim.db".into(), ..Options::default() };
    drop(SqliteStore::open(folder.path(), &sim).expect("another file is another store"));
    drop(store);
    open(folder.path());
}

/// What a plan does to one of four documents.
#[derive(Debug, Clone)]
enum Deed {
    Put(Option<u64>),
    Delete(u64),
    Add(i64),
}

fn deed() -> impl Strategy<Value = (usize, Deed)> {
    let deeds = prop_oneof![
        proptest::option::of(0..4_u64).prop_map(Deed::Put),
        (0..4_u64).prop_map(Deed::Delete),
        (-3..4_i64).prop_map(Deed::Add),
    ];
    (0..4_usize, deeds)
}

/// Documents as a plain map: version and number.
type Model = BTreeMap<usize, (u64, i64)>;

/// The rules, written once more without any store.
fn expected(model: &Model, deeds: &BTreeMap<usize, Deed>) -> Option<Model> {
    let mut after = model.clone();
    for (id, deed) in deeds {
        let now = model.get(id).copied();
        match deed {
            Deed::Put(None) if now.is_none() => drop(after.insert(*id, (1, 0))),
            Deed::Put(Some(read_at)) if now.is_some_and(|(v, _)| v == *read_at) => {
                after.insert(*id, (read_at + 1, 0));
            }
            Deed::Delete(read_at) if now.is_some_and(|(v, _)| v == *read_at) => {
                after.remove(id);
            }
            Deed::Add(by) => {
                let (version, count) = now?;
                let count = (0..=5).contains(&(count + by)).then_some(count + by)?;
                after.insert(*id, (version + 1, count));
            }
            Deed::Put(_) | Deed::Delete(_) => return None,
        }
    }
    Some(after)
}

fn as_plan(deeds: &BTreeMap<usize, Deed>) -> Plan {
    deeds.iter().fold(plan(), |plan, (id, deed)| {
        let id = id.to_string();
        match deed {
            Deed::Put(None) => plan.create(&note(&id, "")),
            Deed::Put(Some(read_at)) => plan.put(Expect::Version(*read_at), &note(&id, "")),
            Deed::Delete(read_at) => plan.delete::<Note>(*read_at, id),
            Deed::Add(by) => plan.add::<Note>(id, vec![Add { field: "count", by: *by, max: 5 }]),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_plans_leave_what_the_rules_say_also_after_opening_again(
        plans in proptest::collection::vec((proptest::collection::vec(deed(), 1..4), any::<bool>()), 1..25)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = open(folder.path());
        let mut model = Model::new();
        for (deeds, again) in plans {
            let deeds: BTreeMap<usize, Deed> = deeds.into_iter().collect();
            let committed = runtime.block_on(store.commit(as_plan(&deeds)));
            let after = expected(&model, &deeds);
            prop_assert_eq!(committed.is_ok(), after.is_some(), "{:?} on {:?}", deeds, model);
            model = after.unwrap_or(model);
            if again {
                drop(store);
                store = open(folder.path());
            }
            for id in 0..4 {
                let key = Key::of::<Note>(&TenantId::default(), id.to_string());
                let found = store.get_one(&key).expect("read").map(|stored| {
                    (stored.version, stored.decode::<Note>().expect("a note").value.count)
                });
                prop_assert_eq!(found, model.get(&id).copied());
            }
        }
    }
}
