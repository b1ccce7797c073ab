//! The law of the VIM port as tests: each driver is stamped with all of them.
//!
//! ```text
//!   crate::vim::contract::vim_contract!(fresh());
//! ```
//!
//! `fresh()` gives an empty VIM with a zone `z` that has room, and whatever keeps it alive.

use mano_model::resource::{Amounts, ResourceKind, Want};
use mano_ports::vim::{Error, Place, Progress, Target, Vim};

/// A thing somebody wants.
pub(crate) fn want(name: &str, kind: ResourceKind) -> Want {
    Want {
        name: name.into(),
        kind,
        template: name.split('-').next().unwrap_or(name).into(),
        amounts: Amounts { vcpu_milli: 1000, memory_mib: 512, storage_gib: 1 },
        image: None,
        joins: Vec::new(),
    }
}

/// A place without neighbours.
pub(crate) fn alone() -> Place {
    Place { zone: "z".into(), joins: Vec::new(), apart_group: None }
}

/// What a driver that does everything at once answers.
pub(crate) fn done<T>(progress: Progress<T>) -> T {
    match progress {
        Progress::Done(value) => value,
        Progress::Underway { look_again } => panic!("still under way for {look_again:?}"),
    }
}

async fn make(vim: &dyn Vim, at: &Target, key: &str, fence: u64) -> Result<String, Error> {
    let want = want("a-1", ResourceKind::Network);
    vim.ensure(at, &want, &alone(), key, fence).await.map(done)
}

pub(crate) async fn the_same_key_twice_makes_one_thing(vim: &dyn Vim, at: &Target) {
    let first = make(vim, at, "op/a-1", 0).await.unwrap();
    assert_eq!(make(vim, at, "op/a-1", 0).await.unwrap(), first);
    assert_eq!(vim.list(at, None, 10).await.unwrap().len(), 1);
    assert_ne!(make(vim, at, "op/a-2", 0).await.unwrap(), first);
}

pub(crate) async fn the_same_key_at_the_same_time_makes_one_thing(vim: &dyn Vim, at: &Target) {
    let (a, b, c) = tokio::join!(
        make(vim, at, "op/a-1", 0),
        make(vim, at, "op/a-1", 0),
        make(vim, at, "op/a-1", 0)
    );
    let first = a.unwrap();
    assert_eq!([b.unwrap(), c.unwrap()], [first.clone(), first]);
    assert_eq!(vim.list(at, None, 10).await.unwrap().len(), 1);
}

pub(crate) async fn removing_what_is_absent_is_done(vim: &dyn Vim, at: &Target) {
    done(vim.remove(at, "op/nothing", 0).await.unwrap());
    make(vim, at, "op/a-1", 0).await.unwrap();
    done(vim.remove(at, "op/a-1", 0).await.unwrap());
    done(vim.remove(at, "op/a-1", 0).await.unwrap());
    assert_eq!(vim.list(at, None, 10).await.unwrap(), []);
}

pub(crate) async fn what_is_made_carries_its_key_so_that_list_finds_it(vim: &dyn Vim, at: &Target) {
    for n in 0..5 {
        make(vim, at, &format!("op/a-{n}"), 0).await.unwrap();
    }
    let mut keys = Vec::new();
    let mut after = None;
    loop {
        let page = vim.list(at, after.as_deref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2 && after.as_ref().is_none_or(|a| *a < page[0].resource_id));
        after = Some(last.resource_id.clone());
        keys.extend(page.into_iter().filter_map(|found| found.key));
    }
    keys.sort();
    assert_eq!(keys, ["op/a-0", "op/a-1", "op/a-2", "op/a-3", "op/a-4"]);
}

pub(crate) async fn a_late_delivery_cannot_bring_back_what_was_removed(vim: &dyn Vim, at: &Target) {
    make(vim, at, "op/a-1", 0).await.unwrap();
    done(vim.remove(at, "op/a-1", 1).await.unwrap());
    assert!(matches!(make(vim, at, "op/a-1", 0).await, Err(Error::Refused(_))));
    assert_eq!(vim.list(at, None, 10).await.unwrap(), []);
    make(vim, at, "op/a-1", 2).await.unwrap();
    assert!(matches!(make(vim, at, "op/a-1", 0).await, Err(Error::Refused(_))));
}

pub(crate) async fn a_removal_of_nothing_stops_late_deliveries_too(vim: &dyn Vim, at: &Target) {
    done(vim.remove(at, "op/a-1", 1).await.unwrap());
    assert!(matches!(make(vim, at, "op/a-1", 0).await, Err(Error::Refused(_))));
}

pub(crate) async fn look_finds_what_is_whole_and_nothing_else(vim: &dyn Vim, at: &Target) {
    assert_eq!(vim.look(at, "op/a-1").await.unwrap(), None);
    let id = make(vim, at, "op/a-1", 0).await.unwrap();
    assert_eq!(vim.look(at, "op/a-1").await.unwrap(), Some(Progress::Done(id)));
    done(vim.remove(at, "op/a-1", 0).await.unwrap());
    assert_eq!(vim.look(at, "op/a-1").await.unwrap(), None);
}

pub(crate) async fn a_zone_that_is_not_there_is_refused(vim: &dyn Vim, at: &Target) {
    let place = Place { zone: "nowhere".into(), ..alone() };
    let answer = vim.ensure(at, &want("a-1", ResourceKind::Compute), &place, "op/a-1", 0).await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
}

/// Each law as a test of its own.
macro_rules! vim_contract {
    ($fresh:expr) => {
        $crate::vim::contract::vim_contract!(
            @ $fresh;
            the_same_key_twice_makes_one_thing,
            the_same_key_at_the_same_time_makes_one_thing,
            removing_what_is_absent_is_done,
            what_is_made_carries_its_key_so_that_list_finds_it,
            a_late_delivery_cannot_bring_back_what_was_removed,
            a_removal_of_nothing_stops_late_deliveries_too,
            look_finds_what_is_whole_and_nothing_else,
            a_zone_that_is_not_there_is_refused
        );
    };
    (@ $fresh:expr; $($law:ident),+) => {
        $(
            #[tokio::test]
            async fn $law() {
                let (vim, at, _alive) = $fresh;
                $crate::vim::contract::$law(&*vim, &at).await;
            }
        )+
    };
}
pub(crate) use vim_contract;
