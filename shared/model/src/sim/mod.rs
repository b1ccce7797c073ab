//! The laws of a simulated VIM: what it remembers, what has room, what makes and unmakes a thing.
//!
//! It is as untidy as the real ones: creating twice makes two, a thing may be in
//! `BUILDING` or `DELETING` for a while, and names are its own. Per-host capacity is
//! deliberately absent: zones have capacity, hosts only keep members of a group apart.

pub mod behaviour;
pub mod memory;

use crate::{
    ids,
    plan::{Add, Document, Expect, Origin, Plan, Versioned},
    resource::{Amounts, ResourceKind, Want},
};
use jiff::{SignedDuration, Timestamp};

pub use behaviour::{Behaviour, FailKind, Pattern, SimVim, Verdict};
pub use memory::{SimFence, SimGroup, SimResource, SimSite, SimZone, Status};

/// Why a simulated VIM says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    /// For ever.
    Refused(String),
    /// For want of room.
    NoCapacity(String),
    /// For now.
    Busy(String),
}

/// What somebody wants made.
pub struct Ask<'a> {
    /// The VIM.
    pub vim: &'a str,
    /// The zone.
    pub zone: &'a str,
    /// What.
    pub want: &'a Want,
    /// The key it shall carry.
    pub key: &'a str,
    /// The maker's number, against the fence.
    pub fence: u64,
    /// The group it is kept apart in.
    pub group: Option<&'a str>,
    /// Work goes on this long after the answer, in milliseconds.
    pub lasts_ms: u64,
    /// Whether it ends in `ERROR`.
    pub fails: bool,
}

/// What the VIM remembers that matters for making one thing.
#[derive(Debug, Default)]
pub struct Memory {
    /// The zones it was told.
    pub sites: Vec<SimSite>,
    /// The zone's account.
    pub zone: Option<Versioned<SimZone>>,
    /// The group.
    pub group: Option<Versioned<SimGroup>>,
    /// What it shall be joined to, by the VIM's own names; `None` where there is no such thing.
    pub joins: Vec<(String, Option<Versioned<SimResource>>)>,
    /// The fence of the key.
    pub fence: Option<Versioned<SimFence>>,
}

/// Makes a thing; the same wish again makes another one.
///
/// # Errors
///
/// [`No::Refused`]: no such zone, nothing to be joined to, or its maker may not act any more.
/// [`No::NoCapacity`]: no room, or no host apart from the others.
pub fn make(origin: Origin, ask: &Ask<'_>, memory: &Memory) -> Result<(Plan, SimResource), No> {
    let site = memory.sites.iter().find(|s| s.id == ask.zone);
    let site = site.ok_or_else(|| No::Refused(format!("there is no zone '{}'", ask.zone)))?;
    refuse_late(ask, memory)?;
    refuse_absent(ask, memory, origin.at)?;
    let id = name_of(&origin, ask);
    let host = host(ask, site, memory, &id)?;
    let made = made(&origin, ask, memory, id, host);
    let plan = take_room(Plan::new(origin).create(&made), ask, site, memory)?;
    let fence = memory.fence.as_ref().map_or(Expect::Absent, |f| Expect::Version(f.version));
    let plan = plan.check::<SimFence>(fence, SimFence::id_of(ask.vim, ask.key));
    let plan = memory.joins.iter().fold(plan, |plan, (id, _)| {
        let users = vec![Add { field: "users", by: 1, max: i64::MAX }];
        plan.add::<SimResource>(SimResource::id_of(ask.vim, id), users)
    });
    Ok((enlist(plan, ask, memory, &made), made))
}

fn refuse_late(ask: &Ask<'_>, memory: &Memory) -> Result<(), No> {
    let fence = memory.fence.as_ref().map_or(0, |f| f.fence);
    if ask.fence >= fence {
        return Ok(());
    }
    let Ask { key, fence: asked, .. } = ask;
    Err(No::Refused(format!("'{key}' was removed by run {fence}; run {asked} comes too late")))
}

fn refuse_absent(ask: &Ask<'_>, memory: &Memory, now: Timestamp) -> Result<(), No> {
    let there = |r: &Option<Versioned<SimResource>>| {
        r.as_ref().is_some_and(|r| matches!(r.status(now), Status::Active | Status::Building))
    };
    match memory.joins.iter().find(|(_, r)| !there(r)) {
        None => Ok(()),
        Some((id, _)) => {
            let name = &ask.want.name;
            Err(No::Refused(format!("'{name}' shall be joined to '{id}', which is not there")))
        }
    }
}

/// The VIM's own name: a range finds it by its key, time tells it from an earlier one.
fn name_of(origin: &Origin, ask: &Ask<'_>) -> String {
    let own = ids::derived(&[ask.vim, ask.key, &origin.id.to_string()]).simple().to_string();
    format!("{}-{}", SimResource::stem(ask.key), own.get(..8).unwrap_or_default())
}

fn made(
    origin: &Origin,
    ask: &Ask<'_>,
    memory: &Memory,
    resource_id: String,
    host: Option<String>,
) -> SimResource {
    SimResource {
        vim_id: ask.vim.into(),
        resource_id,
        key: ask.key.into(),
        name: ask.want.name.clone(),
        kind: ask.want.kind,
        zone: ask.zone.into(),
        host,
        group: ask.group.map(Into::into),
        amounts: ask.want.amounts,
        image: ask.want.image.clone(),
        joins: memory.joins.iter().map(|(id, _)| id.clone()).collect(),
        users: 0,
        created_at: origin.at,
        ready_at: later(origin.at, ask.lasts_ms),
        fails: ask.fails,
        gone_at: None,
    }
}

fn later(now: Timestamp, ms: u64) -> Timestamp {
    let lasts = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    now.checked_add(lasts).unwrap_or(Timestamp::MAX)
}

/// Takes the room, or says what is missing.
fn take_room(plan: Plan, ask: &Ask<'_>, site: &SimSite, memory: &Memory) -> Result<Plan, No> {
    let needed = ask.want.amounts;
    let taken = memory.zone.as_ref().map_or_else(Amounts::default, |z| z.taken);
    let after = taken + needed;
    let lacks = [
        ("vCPU thousandths", after.vcpu_milli, site.capacity.vcpu_milli),
        ("MiB of memory", after.memory_mib, site.capacity.memory_mib),
        ("GiB of storage", after.storage_gib, site.capacity.storage_gib),
    ];
    if let Some((what, after, most)) = lacks.iter().find(|(_, after, most)| after > most) {
        let (zone, name) = (ask.zone, &ask.want.name);
        let detail =
            format!("zone '{zone}' has {most} {what}; with '{name}' it would need {after}");
        return Err(No::NoCapacity(detail));
    }
    if needed == Amounts::default() {
        return Ok(plan);
    }
    let account = SimZone { vim_id: ask.vim.into(), zone: ask.zone.into(), taken: needed };
    Ok(match &memory.zone {
        None => plan.create(&account),
        Some(_) => plan.add::<SimZone>(account.id(), SimZone::take(needed, site.capacity)),
    })
}

/// A host for it; where it has a group, one that holds no other member.
fn host(ask: &Ask<'_>, site: &SimSite, memory: &Memory, id: &str) -> Result<Option<String>, No> {
    if ask.want.kind != ResourceKind::Compute {
        return Ok(None);
    }
    let hosts = site.hosts.max(1);
    let first = id.bytes().fold(0u32, |sum, b| sum.wrapping_mul(31).wrapping_add(u32::from(b)));
    let name = |n: u32| format!("{}-host-{}", site.id, (first.wrapping_add(n)) % hosts);
    let held = |host: &String| {
        let group = ask.group.and(memory.group.as_ref());
        group.is_some_and(|g| g.members.values().any(|h| h == host))
    };
    let free = (0..hosts).map(name).find(|host| !held(host));
    free.map(Some).ok_or_else(|| {
        let (zone, group) = (ask.zone, ask.group.unwrap_or_default());
        No::NoCapacity(format!("each of the {hosts} hosts of zone '{zone}' holds one of '{group}'"))
    })
}

fn enlist(plan: Plan, ask: &Ask<'_>, memory: &Memory, made: &SimResource) -> Plan {
    let (Some(group), Some(host)) = (ask.group, &made.host) else { return plan };
    let new = SimGroup { vim_id: ask.vim.into(), group: group.into(), ..SimGroup::default() };
    let mut after = memory.group.as_ref().map_or(new, |g| g.value.clone());
    after.members.insert(made.resource_id.clone(), host.clone());
    match &memory.group {
        None => plan.create(&after),
        Some(read) => plan.update(read.version, &after),
    }
}

/// Begins a removal that takes a while.
///
/// # Errors
///
/// [`No::Busy`]: something is joined to it.
pub fn begin_to_unmake(
    origin: Origin,
    thing: &Versioned<SimResource>,
    lasts_ms: u64,
) -> Result<Plan, No> {
    refuse_used(thing)?;
    let gone_at = Some(later(origin.at, lasts_ms));
    let dying = SimResource { gone_at, ..thing.value.clone() };
    Ok(Plan::new(origin).update(thing.version, &dying))
}

/// Removes a thing that nothing is joined to.
///
/// # Errors
///
/// [`No::Busy`]: something is joined to it.
pub fn unmake(
    origin: Origin,
    thing: &Versioned<SimResource>,
    group: Option<&Versioned<SimGroup>>,
    joined: &[Versioned<SimResource>],
) -> Result<Plan, No> {
    refuse_used(thing)?;
    Ok(sweep(origin, thing, group, joined))
}

fn refuse_used(thing: &SimResource) -> Result<(), No> {
    if thing.users == 0 {
        return Ok(());
    }
    let SimResource { name, users, .. } = thing;
    Err(No::Busy(format!("'{name}' is in use by {users} others")))
}

/// Removes a thing whatever is joined to it, and settles the accounts; `joined` is what of
/// its joins still exists.
#[must_use]
pub fn sweep(
    origin: Origin,
    thing: &Versioned<SimResource>,
    group: Option<&Versioned<SimGroup>>,
    joined: &[Versioned<SimResource>],
) -> Plan {
    let plan = Plan::new(origin).delete::<SimResource>(thing.version, thing.value.id());
    let most = Amounts { vcpu_milli: i64::MAX, memory_mib: i64::MAX, storage_gib: i64::MAX };
    let back = SimZone::take(-thing.amounts, most);
    let plan = if back.is_empty() {
        plan
    } else {
        plan.add::<SimZone>(SimZone::id_of(&thing.vim_id, &thing.zone), back)
    };
    let plan = joined.iter().fold(plan, |plan, other| {
        let users = vec![Add { field: "users", by: -1, max: i64::MAX }];
        plan.add::<SimResource>(other.value.id(), users)
    });
    match group {
        Some(read) if read.members.len() > 1 => {
            let mut after = read.value.clone();
            after.members.remove(&thing.resource_id);
            plan.update(read.version, &after)
        }
        Some(read) => plan.delete::<SimGroup>(read.version, read.value.id()),
        None => plan,
    }
}

/// Raises the fence of a key; `None`: it is that high already.
#[must_use]
pub fn fence(
    origin: Origin,
    vim: &str,
    key: &str,
    read: Option<&Versioned<SimFence>>,
    fence: u64,
) -> Option<Plan> {
    let after = SimFence { vim_id: vim.into(), key: key.into(), fence };
    match read {
        // Nothing comes before run 0.
        None if fence == 0 => None,
        Some(read) if read.fence >= fence => None,
        Some(read) => Some(Plan::new(origin).update(read.version, &after)),
        None => Some(Plan::new(origin).create(&after)),
    }
}

#[cfg(test)]
mod tests;
