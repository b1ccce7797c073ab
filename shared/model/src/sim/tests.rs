//! The laws of a simulated VIM, on values alone.

use super::*;
use crate::{
    ids::TenantId,
    plan::{Change, Kind},
    vim::Vim,
};
use uuid::Uuid;

fn origin(n: u128) -> Origin {
    Origin {
        id: Uuid::from_u128(n),
        at: Timestamp::UNIX_EPOCH,
        tenant: TenantId::default(),
        actor: "sim".into(),
        correlation: None,
        causation: None,
        trace: None,
    }
}

fn want(kind: ResourceKind, vcpu_milli: i64) -> Want {
    let amounts = Amounts { vcpu_milli, memory_mib: 1, storage_gib: 0 };
    let (name, template) = ("a-1".into(), "a".into());
    Want { name, kind, template, amounts, image: None, joins: Vec::new() }
}

fn ask<'a>(want: &'a Want, fence: u64) -> Ask<'a> {
    let (vim, zone, key) = ("v", "z", "op/a-1");
    Ask { vim, zone, want, key, fence, group: Some("g"), lasts_ms: 0, fails: false }
}

fn memory(hosts: u32) -> Memory {
    let capacity = Amounts { vcpu_milli: 2000, memory_mib: 100, storage_gib: 0 };
    Memory { sites: vec![SimSite { id: "z".into(), capacity, hosts }], ..Memory::default() }
}

fn versioned<T>(value: T) -> Versioned<T> {
    Versioned { version: 1, value }
}

#[test]
fn the_same_wish_twice_makes_two_things_found_under_one_stem() {
    let want = want(ResourceKind::Compute, 1);
    let ids: Vec<String> = [1, 2]
        .into_iter()
        .map(|n| make(origin(n), &ask(&want, 0), &memory(4)).unwrap().1.resource_id)
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| id.starts_with(&SimResource::stem("op/a-1"))));
}

#[test]
fn a_zone_takes_what_it_has_and_no_more() {
    let want = want(ResourceKind::Compute, 1500);
    let mut memory = memory(4);
    assert!(make(origin(1), &ask(&want, 0), &memory).is_ok());
    memory.zone =
        Some(versioned(SimZone { vim_id: "v".into(), zone: "z".into(), taken: want.amounts }));
    let Err(No::NoCapacity(detail)) = make(origin(2), &ask(&want, 0), &memory) else { panic!() };
    assert!(detail.contains("would need 3000"), "{detail}");
}

#[test]
fn members_of_a_group_never_share_a_host() {
    let want = want(ResourceKind::Compute, 0);
    let mut memory = memory(3);
    for n in 0..3 {
        let (plan, made) = make(origin(n), &ask(&want, 0), &memory).unwrap();
        assert!(plan.writes.iter().any(|w| w.key.id == "v/group/g"));
        let before = memory.group.map(|g| g.value.members).unwrap_or_default();
        assert!(!before.values().any(|h| Some(h) == made.host.as_ref()));
        let mut group = SimGroup { vim_id: "v".into(), group: "g".into(), members: before };
        group.members.insert(made.resource_id, made.host.unwrap());
        memory.group = Some(versioned(group));
    }
    assert!(matches!(make(origin(9), &ask(&want, 0), &memory), Err(No::NoCapacity(_))));
}

#[test]
fn who_comes_after_a_removal_of_a_later_run_is_refused() {
    let want = want(ResourceKind::Network, 0);
    let mut memory = memory(1);
    let fence = SimFence { vim_id: "v".into(), key: "op/a-1".into(), fence: 2 };
    memory.fence = Some(versioned(fence));
    assert!(matches!(make(origin(1), &ask(&want, 1), &memory), Err(No::Refused(_))));
    assert!(make(origin(1), &ask(&want, 2), &memory).is_ok());
}

#[test]
fn making_depends_on_the_fence_it_was_decided_with() {
    let want = want(ResourceKind::Network, 0);
    let (plan, _) = make(origin(1), &ask(&want, 0), &memory(1)).unwrap();
    let guard = plan.writes.iter().find(|w| w.key.kind == Kind::SimFence).unwrap();
    assert_eq!((guard.expect, &guard.change), (Expect::Absent, &Change::Check));
}

#[test]
fn a_fence_only_rises_and_run_zero_needs_none() {
    let read = versioned(SimFence { vim_id: "v".into(), key: "k".into(), fence: 2 });
    assert!(fence(origin(1), "v", "k", None, 0).is_none());
    assert!(fence(origin(1), "v", "k", None, 1).is_some());
    assert!(fence(origin(1), "v", "k", Some(&read), 2).is_none());
    assert!(fence(origin(1), "v", "k", Some(&read), 3).is_some());
}

#[test]
fn what_is_used_cannot_be_removed_but_can_be_lost() {
    let network = want(ResourceKind::Network, 0);
    let (_, made) = make(origin(1), &ask(&network, 0), &memory(1)).unwrap();
    let used = versioned(SimResource { users: 1, ..made });
    assert!(matches!(unmake(origin(2), &used, None, &[]), Err(No::Busy(_))));
    assert!(matches!(begin_to_unmake(origin(2), &used, 5), Err(No::Busy(_))));
    let plan = sweep(origin(2), &used, None, &[]);
    assert!(plan.writes.iter().any(|w| w.change == Change::Delete));
}

#[test]
fn nothing_is_joined_to_what_is_not_there() {
    let want = want(ResourceKind::Compute, 0);
    let mut memory = memory(1);
    memory.joins = vec![("net".into(), None)];
    assert!(matches!(make(origin(1), &ask(&want, 0), &memory), Err(No::Refused(_))));
}

#[test]
fn a_thing_is_being_made_then_whole_or_broken_then_being_removed_then_gone() {
    let want = want(ResourceKind::Network, 0);
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    let slow = Ask { lasts_ms: 10, ..ask(&want, 0) };
    let (_, made) = make(origin(1), &slow, &memory(1)).unwrap();
    assert_eq!([made.status(at(9)), made.status(at(10))], [Status::Building, Status::Active]);
    let broken = SimResource { fails: true, ..made.clone() };
    assert_eq!([broken.status(at(9)), broken.status(at(10))], [Status::Building, Status::Error]);
    let dying = SimResource { gone_at: Some(at(30)), ..made };
    assert_eq!([dying.status(at(29)), dying.status(at(30))], [Status::Deleting, Status::Gone]);
}

#[test]
fn a_simulated_vim_is_told_its_zones_at_registration() {
    let sites = memory(7).sites;
    let access_info = SimSite::told(&sites, serde_json::Map::new());
    let vim = Vim { id: "v".into(), vim_type: "sim".into(), zones: vec!["z".into()], access_info };
    assert_eq!(SimSite::all_of(&vim), sites);
    assert!(!vim.id().is_empty());
}
