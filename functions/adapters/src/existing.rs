//! What really exists at a VIM, each thing with whether the inventory knows it.
//!
//! What exists and nobody knows is an orphan: it costs money and nobody will remove it.

use http::header;
use mano_model::{
    TenantId,
    grant::Grant,
    plan::Key,
    resource::Resource,
    sol::sol013::{Attribute, Listing, boolean, text},
};
use mano_ports::{
    Cx, Error,
    door::Asked,
    http::{Reply, Request},
    vim::Found,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Things in one answer.
const PAGE: usize = 100;
/// Things looked at for one answer.
const MOST_SCANNED: usize = 10_000;

const SHAPE: &[Attribute] = &[
    text("resourceId").must(),
    text("name").must(),
    text("kind").must(),
    text("zone").must(),
    text("status").must(),
    boolean("known").must(),
    text("key"),
    text("instanceId"),
];

const LISTING: Listing = Listing::new(SHAPE, &[]);

/// `GET /mano/v1/vims/{vimId}/resources`
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let asked = Asked::read(&request, &LISTING)?;
    let (driver, at) = cx.reach(request.tenant(), request.param("vimId")).await?;
    let mut after = asked.after.clone();
    let mut shown: Vec<Value> = Vec::new();
    let mut scanned = 0;
    while shown.len() < PAGE && scanned < MOST_SCANNED {
        let found = driver.list(&at, after.as_deref(), PAGE).await?;
        let Some(last) = found.last() else { return Ok(Reply::ok(&shown)) };
        let whole = found.len() < PAGE;
        let mut next = last.resource_id.clone();
        let known = known(cx, request.tenant(), &found).await?;
        for thing in &found {
            scanned += 1;
            shown.extend(asked.show(show(thing, &known)));
            if shown.len() == PAGE {
                next.clone_from(&thing.resource_id);
                break;
            }
        }
        if whole && found.last().is_some_and(|last| last.resource_id == next) {
            return Ok(Reply::ok(&shown));
        }
        after = Some(next);
    }
    let link = after.map(|after| asked.link(&request, &after)).unwrap_or_default();
    Ok(Reply::ok(&shown).header(header::LINK, link))
}

/// The inventory's rows of what was found, by key.
///
/// A key begins with the operation that made the thing, whose grant says for which instance: so
/// only as much is read as is shown, and nothing depends on an index that lags.
async fn known(
    cx: &Cx,
    tenant: &TenantId,
    found: &[Found],
) -> Result<BTreeMap<String, Resource>, Error> {
    let keys = || found.iter().filter_map(|thing| thing.key.as_deref()?.split_once('/'));
    let ops: BTreeSet<&str> = keys().map(|(op, _)| op).collect();
    let grants: Vec<Key> = ops.iter().map(|op| Key::of::<Grant>(tenant, *op)).collect();
    let mut instances = BTreeMap::new();
    for grant in cx.store.get_many(&grants).await?.into_iter().flatten() {
        let grant = grant.decode::<Grant>()?.value;
        instances.insert(grant.op_id, grant.instance_id);
    }
    let id = |(op, name): (&str, &str)| Some(Resource::id_of(instances.get(op)?, name));
    let rows: Vec<Key> = keys().filter_map(id).map(|id| Key::of::<Resource>(tenant, id)).collect();
    let mut known = BTreeMap::new();
    for row in cx.store.get_many(&rows).await?.into_iter().flatten() {
        let row = row.decode::<Resource>()?.value;
        known.insert(row.key.clone(), row);
    }
    Ok(known)
}

fn show(thing: &Found, known: &BTreeMap<String, Resource>) -> Value {
    let row = thing.key.as_ref().and_then(|key| known.get(key));
    // A duplicate carries a known key under a name that is not the known one.
    let row = row.filter(|row| row.resource_id.as_ref().is_none_or(|id| *id == thing.resource_id));
    let mut shown = json!({
        "resourceId": thing.resource_id,
        "name": thing.name,
        "kind": thing.kind,
        "zone": thing.zone,
        "status": thing.status,
        "known": row.is_some(),
    });
    if let Some(key) = &thing.key {
        shown["key"] = key.as_str().into();
    }
    if let Some(row) = row {
        shown["instanceId"] = row.instance_id.as_str().into();
    }
    shown
}
