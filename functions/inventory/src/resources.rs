//! What the inventory says exists of an instance.

use http::header;
use mano_model::{
    Refusal, TenantId,
    plan::{Index, Key, Kind},
    resource::Resource,
    sol::sol013::{Attribute, Listing, number, object, text},
};
use mano_ports::{
    Cx, Error,
    door::{self, Asked},
    http::{Reply, Request},
    store::Query,
};
use serde_json::{Value, json};

/// Resources in one answer.
const PAGE: usize = 100;
/// Rows looked at for one answer.
const MOST_SCANNED: usize = 10_000;

const AMOUNTS: &[Attribute] =
    &[number("vcpuMilli").must(), number("memoryMib").must(), number("storageGib").must()];

const SHAPE: &[Attribute] = &[
    text("instanceId").must(),
    text("name").must(),
    text("kind").must(),
    text("template").must(),
    object("amounts", AMOUNTS).must(),
    text("image"),
    text("joins").many(),
    text("vimId").must(),
    text("zoneId").must(),
    text("resourceId"),
    text("presence").must(),
    text("key").must(),
    text("opId").must(),
];

const LISTING: Listing = Listing::new(SHAPE, &[]);

/// `GET /mano/v1/vnf_instances/{vnfInstanceId}/resources`
pub(crate) async fn of_vnf(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let id = request.param("vnfInstanceId");
    there(cx, request.tenant(), Kind::VnfInstance, id).await?;
    let query = Query::all::<Resource>(request.tenant()).within(id).limit(PAGE);
    door::list(cx, &request, &LISTING, query, |stored| show(stored.decode()?.value)).await
}

/// `GET /mano/v1/ns_instances/{nsInstanceId}/resources`: its own, and those of its functions.
pub(crate) async fn of_ns(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let ns = request.param("nsInstanceId");
    there(cx, request.tenant(), Kind::NsInstance, ns).await?;
    let asked = Asked::read(&request, &LISTING)?;
    let mut shown: Vec<Value> = Vec::new();
    let (mut after, mut scanned) = (asked.after.clone(), 0);
    for owner in owners(cx, request.tenant(), ns).await? {
        let from = after.as_deref().and_then(|a| a.split_once('/')).map(|(owner, _)| owner);
        if from.is_some_and(|from| owner.as_str() < from) {
            continue;
        }
        let here = after.clone().filter(|_| from == Some(owner.as_str()));
        let mut query =
            Query::all::<Resource>(request.tenant()).within(&owner).limit(PAGE).after(here);
        loop {
            let page = cx.store.page(&query).await?;
            for stored in &page.documents {
                if shown.len() == PAGE || scanned == MOST_SCANNED {
                    let link = asked.link(&request, after.as_deref().unwrap_or_default());
                    return Ok(Reply::ok(&shown).header(header::LINK, link));
                }
                scanned += 1;
                shown.extend(asked.show(show(stored.decode()?.value)?));
                after = Some(stored.key.id.clone());
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
    }
    Ok(Reply::ok(&shown))
}

/// The network service and its functions, in the order of their ids.
async fn owners(cx: &Cx, tenant: &TenantId, ns: &str) -> Result<Vec<String>, Error> {
    let mut owners = vec![ns.to_owned()];
    let mut query = Query {
        kind: Kind::VnfInstance,
        tenant: tenant.clone(),
        within: None,
        index: Some((Index::NsInstanceId, ns.into())),
        after: None,
        limit: PAGE,
    };
    loop {
        let page = cx.store.page(&query).await?;
        owners.extend(page.documents.into_iter().map(|stored| stored.key.id));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    owners.sort();
    Ok(owners)
}

async fn there(cx: &Cx, tenant: &TenantId, kind: Kind, id: &str) -> Result<(), Error> {
    let key = Key { kind, tenant: tenant.clone(), id: id.into() };
    match cx.store.get(&key).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::absent(kind.noun(), id).into()),
    }
}

fn show(resource: Resource) -> Result<Value, Error> {
    let Resource { instance_id, want, key, vim_id, zone_id, resource_id, presence, op_id } =
        resource;
    let mut shown = json!({ "instanceId": instance_id });
    let want = serde_json::to_value(want)
        .map_err(|error| Error::Bug(format!("a resource is no JSON: {error}")))?;
    if let (Some(shown), Value::Object(want)) = (shown.as_object_mut(), want) {
        shown.extend(want);
    }
    shown["vimId"] = vim_id.into();
    shown["zoneId"] = zone_id.into();
    if let Some(resource_id) = resource_id {
        shown["resourceId"] = resource_id.into();
    }
    shown["presence"] = json!(presence);
    shown["key"] = key.into();
    shown["opId"] = op_id.into();
    Ok(shown)
}
