//! Finding out what really exists, and removing it: for `fail`, `heal` and `release`.

use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use jiff::Timestamp;
use mano_model::{
    TenantId,
    grant::Grant,
    resource::Resource,
    step::{self, Step, Subject, Task, Verb},
};
use mano_ports::{
    Cx, Error,
    vim::{Progress, within},
};
use std::time::Duration;

/// So many VIM calls go on side by side.
const WIDTH: usize = 16;

/// So long a VIM may take to answer one call: somebody waits, and there may be many to ask.
const ANSWER: Duration = Duration::from_secs(5);

/// What a VIM says of a key.
enum Seen {
    Here(String),
    Absent,
    Unknown,
}

/// Makes the inventory say what exists of an operation's grant: what was under way when it
/// stopped is looked up, and what the VIM cannot tell is kept as suspect.
pub(crate) async fn settle(
    cx: &Cx,
    tenant: &TenantId,
    grant: &Grant,
    run: u64,
    deadline: Timestamp,
) -> Result<(), Error> {
    let steps = cx.store.children::<Step>(tenant, &grant.op_id).await?;
    let open = grant.adds.iter().filter(|placement| {
        let step = steps.iter().find(|s| s.name == placement.want.name);
        step.is_none_or(|s| s.state == step::State::Failed)
    });
    let each: Vec<BoxFuture<'_, Result<(), Error>>> =
        open.map(|p| settle_one(cx, tenant, grant, run, &p.want.name, deadline).boxed()).collect();
    stream::iter(each).buffer_unordered(WIDTH).try_collect().await
}

async fn settle_one(
    cx: &Cx,
    tenant: &TenantId,
    grant: &Grant,
    run: u64,
    name: &str,
    deadline: Timestamp,
) -> Result<(), Error> {
    let step = cx.store.find::<Step>(tenant, &Step::id_of(&grant.op_id, name)).await?;
    let row = Resource::id_of(&grant.instance_id, name);
    let row = cx.store.find::<Resource>(tenant, &row).await?;
    let subject = |verb| {
        let task = Task::of(grant, verb, name)?;
        let (step, row) = (step.clone(), row.clone());
        Ok::<_, Error>(Subject { op_id: grant.op_id.clone(), run, began: None, task, step, row })
    };
    let made = subject(Verb::Ensure)?;
    let seen = if cx.clock.now() < deadline {
        look_and_fence(cx, tenant, made.task.resource(), run).await
    } else {
        Seen::Unknown
    };
    let parts = made.parts("settle");
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let origin = cx.derived(tenant, "settle", &parts);
    let plan = match seen {
        Seen::Here(handle) => Some(step::made(origin, &made, &handle)),
        Seen::Absent => Some(step::removed(origin, &subject(Verb::Remove)?)),
        Seen::Unknown => step::suspected(origin, &made),
    };
    match plan {
        Some(plan) => Ok(cx.store.commit(plan).await?),
        None => Ok(()),
    }
}

/// The names of those resources that their VIM says it has not.
pub(crate) async fn missing(
    cx: &Cx,
    tenant: &TenantId,
    resources: &[Resource],
) -> Result<Vec<String>, Error> {
    let each: Vec<BoxFuture<'_, Seen>> =
        resources.iter().map(|resource| look(cx, tenant, resource).boxed()).collect();
    let seen: Vec<Seen> = stream::iter(each).buffered(WIDTH).collect().await;
    let absent = resources.iter().zip(seen).filter(|(_, seen)| matches!(seen, Seen::Absent));
    Ok(absent.map(|(resource, _)| resource.want.name.clone()).collect())
}

async fn look(cx: &Cx, tenant: &TenantId, resource: &Resource) -> Seen {
    let Ok((driver, target)) = cx.reach(tenant, &resource.vim_id).await else {
        return Seen::Unknown;
    };
    match within(&*cx.clock, ANSWER, driver.look(&target, &resource.key)).await {
        Ok(Some(Progress::Done(handle))) => Seen::Here(handle),
        Ok(Some(Progress::Underway { .. })) | Err(_) => Seen::Unknown,
        Ok(None) => Seen::Absent,
    }
}

/// Like [`look`], and what is absent is kept from appearing late: a call of the run that is
/// over may still be on its way to the VIM.
async fn look_and_fence(cx: &Cx, tenant: &TenantId, resource: &Resource, run: u64) -> Seen {
    let seen = look(cx, tenant, resource).await;
    if !matches!(seen, Seen::Absent) {
        return seen;
    }
    let Ok((driver, target)) = cx.reach(tenant, &resource.vim_id).await else {
        return Seen::Unknown;
    };
    match within(&*cx.clock, ANSWER, driver.remove(&target, &resource.key, run + 1)).await {
        Ok(Progress::Done(())) => Seen::Absent,
        Ok(Progress::Underway { .. }) | Err(_) => Seen::Unknown,
    }
}

/// Removes resources from their VIMs and from the inventory; what could not be removed now is
/// returned, and may be tried again.
pub(crate) async fn release(
    cx: &Cx,
    tenant: &TenantId,
    resources: Vec<Resource>,
    deadline: Timestamp,
) -> Result<Vec<Resource>, Error> {
    let mut left = Vec::new();
    let mut resources = resources;
    // What uses others goes first: computes, storages, networks.
    resources.sort_by_key(|r| std::cmp::Reverse(r.want.kind));
    for resource in resources {
        let late = cx.clock.now() >= deadline;
        if late || !release_one(cx, tenant, &resource).await? {
            left.push(resource);
        }
    }
    Ok(left)
}

async fn release_one(cx: &Cx, tenant: &TenantId, resource: &Resource) -> Result<bool, Error> {
    let (driver, target) = cx.reach(tenant, &resource.vim_id).await?;
    // Above every run: nothing that is late may bring it back.
    let removed = driver.remove(&target, &resource.key, u64::MAX);
    match within(&*cx.clock, ANSWER, removed).await {
        Ok(Progress::Done(())) => {}
        Ok(Progress::Underway { .. }) => return Ok(false),
        Err(error) => {
            tracing::warn!(resource = resource.want.name, %error, "a leftover could not be removed");
            return Ok(false);
        }
    }
    let id = Resource::id_of(&resource.instance_id, &resource.want.name);
    let row = cx.store.find::<Resource>(tenant, &id).await?;
    let Some(row) = row.filter(|row| row.key == resource.key) else { return Ok(true) };
    let parts = ["release", &resource.key, &row.version.to_string()];
    let origin = cx.derived(tenant, "release", &parts);
    cx.store.commit(step::released(origin, &row)).await?;
    Ok(true)
}
