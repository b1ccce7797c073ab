//! The laws of the store.

use super::{Memory, Note, fresh, ids, note, tenant, until};
use crate::store::{Error, Query, Store};
use async_trait::async_trait;
use mano_model::{
    TenantId,
    plan::{Add, Announced, Change, Expect, Fact, Index, Key, Kind, Plan},
};
use serde_json::json;
use std::{slice::from_ref, sync::Arc};

/// Whoever listens to the facts of the store under test.
#[async_trait]
pub trait Heard: Send + Sync {
    /// The facts heard since the last call, once there are at least `n`.
    async fn at_least(&mut self, n: usize) -> Vec<Announced>;
}

/// A fresh, empty store and its listener.
pub struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What became of its facts.
    pub heard: Box<dyn Heard>,
    /// Whatever must live as long.
    pub keep: Box<dyn std::any::Any + Send>,
}

fn plan() -> Plan {
    Plan::new(fresh())
}

fn key(id: &str) -> Key {
    Key::of::<Note>(&tenant(), id)
}

async fn put(store: &Memory, id: &str, text: &str) {
    store.commit(plan().put(Expect::Anything, &note(id, text))).await.expect("commit");
}

async fn read(store: &Memory, id: &str) -> Option<(u64, Note)> {
    let found = store.find::<Note>(&tenant(), id).await.expect("read");
    found.map(|found| (found.version, found.value))
}

fn add(id: &str, by: i64, max: i64) -> Plan {
    plan().add::<Note>(id, vec![Add { field: "count", by, max }])
}

/// A read after a commit sees that commit.
pub async fn a_read_after_a_commit_sees_that_commit(fresh: Fresh) {
    let store = &*fresh.store;
    for n in 0..50 {
        let text = n.to_string();
        put(store, "a", &text).await;
        assert_eq!(read(store, "a").await, Some((n + 1, note("a", &text))));
    }
    let many = store.get_many(&[key("b"), key("a"), key("c")]).await.expect("read");
    let ids: Vec<_> = many.iter().map(|found| found.as_ref().map(|s| &*s.key.id)).collect();
    assert_eq!(ids, [None, Some("a"), None], "in the order of the keys");
}

/// A plan whose expectations do not all hold changes nothing and announces nothing.
pub async fn a_broken_expectation_changes_and_announces_nothing(mut fresh: Fresh) {
    let store = &*fresh.store;
    put(store, "is", "before").await;
    let broken = [
        ("is", Expect::Absent),
        ("is", Expect::Version(7)),
        ("is not", Expect::Present),
        ("is not", Expect::Version(1)),
    ];
    for (id, expect) in broken {
        for change in [Change::Check, Change::Delete] {
            let refused = plan().create(&note("new", "")).write(key(id), expect, change);
            let refused = refused.tell::<Note>("is", "contract.refused", json!({}));
            let error = store.commit(refused).await.expect_err("broken");
            assert!(matches!(&error, Error::Conflict(k) if *k == key(id)), "{error:?}");
        }
    }
    assert_eq!(read(store, "is").await, Some((1, note("is", "before"))));
    assert_eq!(read(store, "new").await, None);
    store.commit(plan().tell::<Note>("is", "contract.told", json!({}))).await.expect("commit");
    let heard = fresh.heard.at_least(1).await;
    let heard: Vec<_> = heard.iter().map(|fact| (&*fact.fact.name, fact.seq)).collect();
    assert_eq!(heard, [("contract.told", 1)]);
}

/// The same plan id twice commits once, also much later.
pub async fn the_same_plan_twice_commits_once(fresh: Fresh) {
    let store = &*fresh.store;
    let once = plan().create(&note("a", "once"));
    store.commit(once.clone()).await.expect("first");
    store.commit(once.clone()).await.expect("again: a success that changes nothing");
    for n in 0..100 {
        put(store, &format!("other-{n}"), "").await;
    }
    store.commit(plan().update(1, &note("a", "later"))).await.expect("a later change");
    store.commit(once).await.expect("much later");
    assert_eq!(read(store, "a").await, Some((2, note("a", "later"))));
}

/// Of two plans that read the same version, one commits.
pub async fn of_two_plans_that_read_the_same_one_commits(fresh: Fresh) {
    let store = &*fresh.store;
    put(store, "a", "start").await;
    let race = |text: &str| store.commit(plan().update(1, &note("a", text)));
    let (one, two) = tokio::join!(race("one"), race("two"));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let won = if one.is_ok() { "one" } else { "two" };
    assert_eq!(read(store, "a").await, Some((2, note("a", won))));
}

/// A key occurs once in a plan; a plan has at most so many rows and bytes.
pub async fn a_plan_has_bounds(fresh: Fresh) {
    let store = &*fresh.store;
    let twice = plan().create(&note("a", "")).put(Expect::Anything, &note("a", ""));
    let error = store.commit(twice).await.expect_err("a key twice");
    assert!(matches!(&error, Error::Twice(k) if *k == key("a")), "{error:?}");
    let rows =
        |n: usize| {
            (0..n - 1)
                .fold(plan(), |plan, n| plan.create(&note(&format!("r{n:03}"), "")))
                .tell::<Note>("r", "contract.rows", json!({}))
        };
    let error = store.commit(rows(Plan::MAX_ROWS + 1)).await.expect_err("too many rows");
    assert!(matches!(error, Error::TooLarge { rows, .. } if rows == Plan::MAX_ROWS + 1));
    let wide = "x".repeat(Plan::MAX_BYTES / 10);
    let bytes = (0..11).fold(plan(), |plan, n| plan.create(&note(&format!("b{n}"), &wide)));
    let error = store.commit(bytes).await.expect_err("too many bytes");
    assert!(matches!(error, Error::TooLarge { bytes, .. } if bytes > Plan::MAX_BYTES));
    assert!(ids(store, Query::all::<Note>(&tenant())).await.is_empty(), "nothing was written");
    store.commit(rows(Plan::MAX_ROWS)).await.expect("as many as may be");
}

/// A fact over its bound is refused, with everything else that its plan says.
pub async fn a_fact_has_a_bound(mut fresh: Fresh) {
    let store = &*fresh.store;
    let told = |id: &str, bytes: usize| {
        // Two bytes are the quotes.
        let body = json!("x".repeat(bytes - 2));
        plan().create(&note(id, "")).tell::<Note>(id, "contract.told", body)
    };
    let error = store.commit(told("large", Fact::MAX_BYTES + 1)).await.expect_err("too large");
    assert!(matches!(error, Error::FactTooLarge { bytes, .. } if bytes == Fact::MAX_BYTES + 1));
    store.commit(told("small", Fact::MAX_BYTES)).await.expect("as large as may be");
    assert_eq!(ids(store, Query::all::<Note>(&tenant())).await, ["small"]);
    let heard = fresh.heard.at_least(1).await;
    assert!(heard.iter().all(|fact| fact.fact.about == key("small")));
}

/// A document's version is 1 when new and grows by one with every write; an id that was deleted
/// and created again starts at 1.
pub async fn a_version_counts_writes(fresh: Fresh) {
    let store = &*fresh.store;
    let version = async || read(store, "a").await.map(|(version, _)| version);
    put(store, "a", "").await;
    assert_eq!(version().await, Some(1));
    put(store, "a", "").await;
    store.commit(add("a", 1, 9)).await.expect("an addition is a write");
    assert_eq!(version().await, Some(3));
    store.commit(plan().check::<Note>(Expect::Version(3), "a")).await.expect("a look is none");
    store.commit(plan().delete::<Note>(3, "a")).await.expect("delete");
    assert_eq!(version().await, None);
    let absent = plan().write(key("a"), Expect::Anything, Change::Delete);
    store.commit(absent).await.expect("what is absent stays absent");
    store.commit(plan().create(&note("a", ""))).await.expect("again");
    assert_eq!(version().await, Some(1));
}

/// An addition, of nothing too, that would leave its bounds fails the plan; a number that is not
/// there counts as 0.
pub async fn an_addition_stays_within_its_bounds(fresh: Fresh) {
    let store = &*fresh.store;
    put(store, "a", "").await;
    let other = |by, max| {
        let adds = vec![Add { field: "count", by, max }, Add { field: "never", by, max }];
        plan().create(&note("b", "")).add::<Note>("a", adds)
    };
    for (by, max) in [(-1, 5), (6, 5), (i64::MIN, 5)] {
        let error = store.commit(other(by, max)).await.expect_err("out of bounds");
        assert!(matches!(&error, Error::Exhausted { key: k, .. } if *k == key("a")), "{error:?}");
        assert_eq!(read(store, "b").await, None, "the whole plan fails");
    }
    store.commit(other(5, 5)).await.expect("to the bound");
    let error = store.commit(add("a", 0, 4)).await.expect_err("beyond the bound already");
    assert!(matches!(error, Error::Exhausted { .. }), "{error:?}");
    let body = store.get(&key("a")).await.expect("read").expect("there").body;
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&body["count"], &body["never"], &body["text"]), (&json!(5), &json!(5), &json!("")));
    let error = store.commit(add("nobody", 1, 5)).await.expect_err("nothing to add to");
    assert!(matches!(error, Error::Conflict(_)));
}

/// Adds of different plans commute: none is lost, and together they stay within the bound.
pub async fn additions_at_the_same_time_all_count(fresh: Fresh) {
    let store = &*fresh.store;
    put(store, "a", "").await;
    let all = (0..30).map(|_| store.commit(add("a", 1, 20)));
    let results = futures_util::future::join_all(all).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 20);
    assert_eq!(read(store, "a").await.map(|(version, note)| (version, note.count)), Some((21, 20)));
}

/// A page is ordered by id (bytes of UTF-8), shows no other kind, tenant or parent, and leads to
/// every document.
pub async fn pages_lead_to_every_document_in_order(fresh: Fresh) {
    let store = &*fresh.store;
    let mut expected: Vec<String> =
        ["B", "a", "a b", "a-", "a/", "a/1", "a/10", "a/2", "a/é", "a0", "ab/1", "é", "😀"]
            .map(Into::into)
            .to_vec();
    for id in expected.iter().rev() {
        put(store, id, "").await;
    }
    let mut strange = super::fresh();
    strange.tenant = TenantId::new("somebody else");
    store.commit(Plan::new(strange).create(&note("a/3", ""))).await.expect("commit");
    expected.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    for limit in [1, 2, 5, 100] {
        let all = Query::all::<Note>(&tenant()).limit(limit);
        assert_eq!(ids(store, all.clone()).await, expected, "limit {limit}");
        let children = ids(store, all.clone().within("a")).await;
        assert_eq!(children, ["a/", "a/1", "a/10", "a/2", "a/é"], "limit {limit}");
        let rest = ids(store, all.clone().within("a").after(Some("a/10".into()))).await;
        assert_eq!(rest, ["a/2", "a/é"]);
        let before = ids(store, all.clone().within("a").after(Some("B".into()))).await;
        assert_eq!(before, children, "from before the first child");
        assert!(ids(store, all.within("a").after(Some("b".into()))).await.is_empty());
    }
    let other = Query { kind: Kind::Watch, ..Query::all::<Note>(&tenant()) };
    assert!(ids(store, other).await.is_empty());
}

/// By an index, a page shows what is found there now, though it may lag.
pub async fn an_index_finds_what_is_under_it(fresh: Fresh) {
    let store = &*fresh.store;
    let shelve = async |id: &str, shelf: Option<&str>| {
        let value = Note { shelf: shelf.map(Into::into), ..note(id, "") };
        store.commit(plan().put(Expect::Anything, &value)).await.expect("commit");
    };
    for n in 0..7 {
        shelve(&format!("n{n}"), Some("left")).await;
    }
    shelve("n2", Some("right")).await;
    shelve("n3", None).await;
    store.commit(add("n4", 1, 1)).await.expect("an addition leaves it where it is");
    store.commit(plan().delete::<Note>(1, "n5")).await.expect("delete");
    let under = |shelf: &'static str| {
        let query = Query::all::<Note>(&tenant()).by(Index::VimId, shelf).limit(2);
        ids(store, query)
    };
    let settled = |shelf, expected: &'static [&str]| {
        until(shelf, move || async move { (under(shelf).await == expected).then_some(()) })
    };
    settled("left", &["n0", "n1", "n4", "n6"]).await;
    settled("right", &["n2"]).await;
    let after = Query::all::<Note>(&tenant()).by(Index::VimId, "left").after(Some("n1".into()));
    assert_eq!(ids(store, after).await, ["n4", "n6"]);
}

/// Every fact of a commit is delivered at least once to every listener; facts about one document
/// in the order of their `seq`, which rises by one from 1.
pub async fn every_fact_is_heard_in_the_order_of_its_document(mut fresh: Fresh) {
    let store = &*fresh.store;
    let told: Vec<(&str, usize)> = (0..60).map(|n| (["a", "b", "gone"][n % 3], n)).collect();
    for chunk in told.chunks(5) {
        let plan = chunk.iter().fold(plan(), |plan, (about, n)| {
            plan.tell::<Note>(*about, "contract.told", json!({ "n": n }))
        });
        store.commit(plan).await.expect("commit");
    }
    let mut heard: Vec<Announced> = Vec::new();
    let distinct = |heard: &[Announced]| {
        heard.iter().map(|fact| fact.id).collect::<std::collections::HashSet<_>>().len()
    };
    while distinct(&heard) < told.len() {
        heard.extend(fresh.heard.at_least(1).await);
    }
    for about in ["a", "b", "gone"] {
        let mut seen: Vec<&Announced> = Vec::new();
        for fact in heard.iter().filter(|fact| fact.fact.about == key(about)) {
            // A second delivery is allowed; what is new must be next.
            if !seen.iter().any(|before| before.id == fact.id) {
                seen.extend(from_ref(&fact));
            }
        }
        let order: Vec<_> =
            seen.iter().map(|fact| (fact.seq, fact.fact.body["n"].clone())).collect();
        let expected = told.iter().filter(|(a, _)| *a == about).zip(1..);
        let expected: Vec<_> = expected.map(|((_, n), seq)| (seq, json!(n))).collect();
        assert_eq!(order, expected, "about {about}");
    }
}

/// Stamps the store's laws out for one implementation: `$make` makes a [`Fresh`].
#[macro_export]
macro_rules! store_contract {
    ($make:expr) => {
        $crate::laws!(store, $make;
            a_read_after_a_commit_sees_that_commit,
            a_broken_expectation_changes_and_announces_nothing,
            the_same_plan_twice_commits_once,
            of_two_plans_that_read_the_same_one_commits,
            a_plan_has_bounds,
            a_fact_has_a_bound,
            a_version_counts_writes,
            an_addition_stays_within_its_bounds,
            additions_at_the_same_time_all_count,
            pages_lead_to_every_document_in_order,
            an_index_finds_what_is_under_it,
            every_fact_is_heard_in_the_order_of_its_document
        );
    };
}

/// One test per law of a port.
#[macro_export]
macro_rules! laws {
    ($port:ident, $make:expr; $($law:ident),+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            $crate::contract::$port::$law($make).await;
        })+
    };
}
