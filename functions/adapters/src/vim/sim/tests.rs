//! The simulated VIM on a file of its own: the port's law, and its bad days.

use super::*;
use crate::vim::contract::{alone, done, vim_contract, want};
use mano_embedded::{
    HeldClock, SqliteStore,
    store::{Options, Synchronous},
};
use mano_model::{
    TenantId,
    resource::Amounts,
    sim::{FailKind, Pattern, SimSite},
    vim,
};
use mano_ports::vim::Vim as _;
use tempfile::TempDir;

/// A VIM, and a second process that speaks to it.
pub(crate) struct World {
    pub(crate) vim: Arc<Driver>,
    other: Arc<Driver>,
    pub(crate) clock: Arc<HeldClock>,
    pub(crate) at: Target,
    _folder: TempDir,
}

/// Nothing here survives a power cut, and nothing has to.
fn quick() -> Options {
    Options { synchronous: Synchronous::Off, ..Options::default() }
}

pub(crate) fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path(), &quick()).unwrap());
    let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
    let capacity = Amounts { vcpu_milli: 8000, memory_mib: 1 << 20, storage_gib: 1000 };
    let sites = [SimSite { id: "z".into(), capacity, hosts: 3 }];
    let vim = vim::Vim {
        id: "east".into(),
        vim_type: "sim".into(),
        zones: vec!["z".into()],
        access_info: SimSite::told(&sites, serde_json::Map::new()),
    };
    World {
        vim: Arc::new(Driver::new(store.clone(), clock.clone())),
        other: Arc::new(Driver::new(store, clock.clone())),
        clock,
        at: Target { tenant: TenantId::default(), vim: Arc::new(vim) },
        _folder: folder,
    }
}

impl World {
    async fn behave(&self, behaviour: Behaviour) {
        self.vim.behave(&self.at, behaviour).await.unwrap();
    }

    async fn make(&self, name: &str) -> Result<Progress<String>, Error> {
        let want = want(name, ResourceKind::Compute);
        self.vim.ensure(&self.at, &want, &alone(), &format!("op/{name}"), 0).await
    }

    async fn names(&self) -> Vec<(String, String)> {
        let found = self.vim.list(&self.at, None, 100).await.unwrap();
        let mut names: Vec<_> = found.into_iter().map(|f| (f.name, f.status)).collect();
        names.sort();
        names
    }
}

vim_contract!({
    let world = world();
    (world.vim.clone(), world.at.clone(), world)
});

#[tokio::test]
async fn asked_twice_the_api_itself_makes_two_and_the_driver_removes_one() {
    let w = world();
    let want = want("a-1", ResourceKind::Compute);
    for _ in 0..2 {
        w.vim.api.create(&w.at, &want, &alone(), "op/a-1", 0).await.unwrap();
    }
    assert_eq!(w.names().await.len(), 2);
    let kept = done(w.make("a-1").await.unwrap());
    assert_eq!(w.names().await.len(), 1);
    assert_eq!(w.vim.look(&w.at, "op/a-1").await.unwrap(), Some(Progress::Done(kept)));
}

#[tokio::test]
async fn two_processes_with_one_key_agree_on_one_thing() {
    let w = world();
    let want = want("a-1", ResourceKind::Compute);
    let place = alone();
    let (a, b) = tokio::join!(
        w.vim.ensure(&w.at, &want, &place, "op/a-1", 0),
        w.other.ensure(&w.at, &want, &place, "op/a-1", 0)
    );
    a.unwrap();
    b.unwrap();
    let kept = done(w.make("a-1").await.unwrap());
    let found = w.vim.list(&w.at, None, 10).await.unwrap();
    assert_eq!(found.iter().map(|f| &f.resource_id).collect::<Vec<_>>(), [&kept]);
}

#[tokio::test]
async fn a_lost_answer_leaves_one_thing_however_often_it_is_asked_again() {
    let w = world();
    w.behave(Behaviour { lose_answer_nth: Some(1), ..Behaviour::default() }).await;
    assert!(matches!(w.make("a-1").await, Err(Error::AnswerLost(_))));
    done(w.make("a-1").await.unwrap());
    assert_eq!(w.names().await, [("a-1".into(), "ACTIVE".into())]);
}

#[tokio::test]
async fn the_lost_answer_of_a_removal_is_a_removal() {
    let w = world();
    done(w.make("a-1").await.unwrap());
    w.behave(Behaviour { lose_answer_nth: Some(1), ..Behaviour::default() }).await;
    assert!(matches!(w.vim.remove(&w.at, "op/a-1", 0).await, Err(Error::AnswerLost(_))));
    assert_eq!(w.names().await, []);
    done(w.vim.remove(&w.at, "op/a-1", 0).await.unwrap());
}

#[tokio::test]
async fn the_nth_call_fails_as_told_and_the_next_one_does_not() {
    let w = world();
    let told = |fail_kind| Behaviour { fail_nth: Some(2), fail_kind, ..Behaviour::default() };
    w.behave(told(FailKind::Permanent)).await;
    done(w.make("a-1").await.unwrap());
    assert!(matches!(w.make("a-2").await, Err(Error::Refused(_))));
    done(w.make("a-2").await.unwrap());
    assert_eq!(w.vim.behaviour(&w.at).await.unwrap().calls, 3);
    w.behave(told(FailKind::Transient)).await;
    done(w.make("a-3").await.unwrap());
    assert!(matches!(w.vim.remove(&w.at, "op/a-1", 0).await, Err(Error::Transient(_))));
    assert_eq!(w.names().await.len(), 3);
}

#[tokio::test]
async fn work_goes_on_after_the_answer_until_it_is_due() {
    let w = world();
    w.behave(Behaviour { asynchronous_ms: 5000, ..Behaviour::default() }).await;
    let look_again = Duration::from_secs(5);
    assert_eq!(w.make("a-1").await.unwrap(), Progress::Underway { look_again });
    w.clock.advance(Duration::from_secs(2));
    let look_again = Duration::from_secs(3);
    let looked = w.vim.look(&w.at, "op/a-1").await.unwrap();
    assert_eq!(looked, Some(Progress::Underway { look_again }));
    w.clock.advance(look_again);
    done(w.make("a-1").await.unwrap());
    assert_eq!(w.names().await, [("a-1".into(), "ACTIVE".into())]);

    let going = w.vim.remove(&w.at, "op/a-1", 0).await.unwrap();
    assert!(matches!(going, Progress::Underway { .. }));
    assert_eq!(w.names().await, [("a-1".into(), "DELETING".into())]);
    assert_eq!(w.vim.look(&w.at, "op/a-1").await.unwrap(), None);
    w.clock.advance(Duration::from_secs(5));
    done(w.vim.remove(&w.at, "op/a-1", 0).await.unwrap());
    assert_eq!(w.names().await, []);
}

#[tokio::test]
async fn what_breaks_while_it_is_made_is_made_anew_when_asked_again() {
    let w = world();
    let behaviour =
        Behaviour { fail_nth: Some(1), fail_kind: FailKind::Later, ..Behaviour::default() };
    w.behave(Behaviour { asynchronous_ms: 1000, ..behaviour.clone() }).await;
    assert!(matches!(w.make("a-1").await.unwrap(), Progress::Underway { .. }));
    w.clock.advance(Duration::from_secs(1));
    assert!(matches!(w.vim.look(&w.at, "op/a-1").await, Err(Error::Refused(_))));
    assert_eq!(w.names().await, [("a-1".into(), "ERROR".into())]);
    w.behave(Behaviour::default()).await;
    done(w.make("a-1").await.unwrap());
    assert_eq!(w.names().await, [("a-1".into(), "ACTIVE".into())]);
    w.behave(behaviour).await;
    assert!(matches!(w.make("a-2").await, Err(Error::Refused(_))));
}

#[tokio::test]
async fn a_call_that_hangs_does_nothing_and_holds_nobody_up_once_it_is_given_up() {
    let w = world();
    w.behave(Behaviour { hang_nth: Some(1), ..Behaviour::default() }).await;
    let hanging = w.make("a-1");
    tokio::select! {
        biased;
        _ = hanging => panic!("a hanging call was answered"),
        () = done_elsewhere(&w) => {}
    }
    assert_eq!(w.names().await, [("b-1".into(), "ACTIVE".into())]);
    done(w.make("a-1").await.unwrap());
}

/// Returns once another key was made, which the hanging call must not hinder.
async fn done_elsewhere(w: &World) {
    while w.vim.behaviour(&w.at).await.unwrap().calls == 0 {
        tokio::task::yield_now().await;
    }
    done(w.make("b-1").await.unwrap());
}

#[tokio::test]
async fn a_slow_vim_answers_when_its_time_has_passed() {
    let w = world();
    w.behave(Behaviour { latency_ms: 700, ..Behaviour::default() }).await;
    let vim = w.clone_for_task();
    let made = tokio::spawn(async move { vim.make("a-1").await });
    let mut slept = 0;
    while !made.is_finished() {
        slept += u32::from(w.clock.jump(Duration::from_secs(1)));
        tokio::task::yield_now().await;
    }
    done(made.await.unwrap().unwrap());
    assert_eq!(w.clock_ms(), u64::from(slept) * 700);
    assert!(slept >= 1);
}

impl World {
    fn clone_for_task(&self) -> Self {
        Self {
            vim: self.vim.clone(),
            other: self.other.clone(),
            clock: self.clock.clone(),
            at: self.at.clone(),
            _folder: tempfile::tempdir().unwrap(),
        }
    }

    fn clock_ms(&self) -> u64 {
        use mano_ports::clock::Clock;
        self.clock.now().as_millisecond().unsigned_abs()
    }
}

#[tokio::test]
async fn what_is_told_to_be_refused_is_never_made() {
    let w = world();
    let pattern = Pattern { kind: None, name: Some("a-*".into()) };
    w.behave(Behaviour { refuse: vec![pattern], ..Behaviour::default() }).await;
    assert!(matches!(w.make("a-1").await, Err(Error::Refused(_))));
    done(w.make("b-1").await.unwrap());
}

#[tokio::test]
async fn a_zone_is_full_until_something_is_removed() {
    let w = world();
    for n in 0..8 {
        done(w.make(&format!("a-{n}")).await.unwrap());
    }
    let full = w.make("b-1").await;
    assert!(matches!(&full, Err(Error::NoCapacity(d)) if d.contains("8000")), "{full:?}");
    done(w.vim.remove(&w.at, "op/a-3", 0).await.unwrap());
    done(w.make("b-1").await.unwrap());
}

#[tokio::test]
async fn racing_for_the_last_room_one_gets_it() {
    let w = world();
    for n in 0..7 {
        done(w.make(&format!("a-{n}")).await.unwrap());
    }
    let (b, c) = tokio::join!(w.make("b-1"), w.make("c-1"));
    assert_eq!(u32::from(b.is_ok()) + u32::from(c.is_ok()), 1, "{b:?} {c:?}");
    assert_eq!(w.names().await.len(), 8);
}

#[tokio::test]
async fn a_group_is_kept_on_different_hosts_and_a_lost_member_frees_its_own() {
    let w = world();
    let place = Place { apart_group: Some("vnf/a".into()), ..alone() };
    let mut ids = Vec::new();
    for n in 0..3 {
        let want = want("a", ResourceKind::Compute);
        let key = format!("op/a-{n}");
        ids.push(done(w.vim.ensure(&w.at, &want, &place, &key, 0).await.unwrap()));
    }
    let fourth = want("a", ResourceKind::Compute);
    let full = w.vim.ensure(&w.at, &fourth, &place, "op/a-4", 0).await;
    assert!(matches!(full, Err(Error::NoCapacity(_))), "{full:?}");
    assert!(w.vim.lose(&w.at, &ids[1]).await.unwrap());
    assert!(!w.vim.lose(&w.at, &ids[1]).await.unwrap());
    done(w.vim.ensure(&w.at, &fourth, &place, "op/a-4", 0).await.unwrap());
}

#[tokio::test]
async fn a_network_in_use_is_removed_only_after_its_users() {
    let w = world();
    let network = want("net", ResourceKind::Network);
    let id = done(w.vim.ensure(&w.at, &network, &alone(), "op/net", 0).await.unwrap());
    // Two ports on it.
    let joins = vec![("net".into(), id.clone()), ("net".into(), id.clone())];
    let place = Place { joins, ..alone() };
    let compute = want("a-1", ResourceKind::Compute);
    done(w.vim.ensure(&w.at, &compute, &place, "op/a-1", 0).await.unwrap());
    assert!(matches!(w.vim.remove(&w.at, "op/net", 0).await, Err(Error::Transient(_))));
    done(w.vim.remove(&w.at, "op/a-1", 0).await.unwrap());
    done(w.vim.remove(&w.at, "op/net", 0).await.unwrap());
    let orphan = w.vim.ensure(&w.at, &compute, &place, "op/a-2", 0).await;
    assert!(matches!(&orphan, Err(Error::Refused(d)) if d.contains(&id)), "{orphan:?}");
}

#[tokio::test]
async fn what_was_made_and_told_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let w = world();
    let open = || {
        let store = SqliteStore::open(folder.path(), &Options::default()).unwrap();
        Driver::new(Arc::new(store), w.clock.clone())
    };
    let want = want("a-1", ResourceKind::Network);
    let vim = open();
    vim.behave(&w.at, Behaviour { asynchronous_ms: 9, ..Behaviour::default() }).await.unwrap();
    vim.ensure(&w.at, &want, &alone(), "op/a-1", 0).await.unwrap();
    drop(vim);
    let vim = open();
    assert_eq!(vim.behaviour(&w.at).await.unwrap().behaviour.asynchronous_ms, 9);
    w.clock.advance(Duration::from_secs(1));
    done(vim.ensure(&w.at, &want, &alone(), "op/a-1", 0).await.unwrap());
}
