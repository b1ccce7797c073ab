//! NS instances: create, list, show, delete, and the release of what a failure left.

use super::{many, nsd};
use crate::{settle, vnf};
use mano_model::{
    TenantId, bound,
    catalog::usage::{Descriptor, Usage, may_take},
    ns::{Member, NsInstance, create},
    plan::{Origin, Plan, Versioned},
    sol::sol005::{self, CreateNsRequest, NS_INSTANCES},
    vnf::VnfInstance,
};
use mano_ports::{
    Cx, Error, door,
    http::{Reply, Request},
    store::{Query, Stored},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `POST /ns_instances`: an identifier for a network service to be.
pub(crate) async fn create(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let asked: CreateNsRequest = request.json()?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let (instance, plan) = creation(cx, origin, cx.ids.fresh().to_string(), asked).await?;
    cx.store.commit(plan).await?;
    let wire = sol005::ns_instance(&instance, &[], &request.api_root);
    let location = format!("{}/nslcm/v2/ns_instances/{}", request.api_root, instance.id);
    Ok(Reply::created(location, &wire).etag(1))
}

/// What the creation of an identifier leads to, whoever asks for it.
pub(crate) async fn creation(
    cx: &Cx,
    origin: Origin,
    id: String,
    asked: CreateNsRequest,
) -> Result<(NsInstance, Plan), Error> {
    bound::name("nsName", &asked.ns_name)?;
    let usage = Usage::id_of(Descriptor::Nsd, &asked.nsd_id);
    let usage = cx.store.find::<Usage>(&origin.tenant, &usage).await?;
    may_take(Descriptor::Nsd, &asked.nsd_id, usage.as_ref().map(|u| &u.value))?;
    let nsd = nsd(cx, &origin.tenant, &asked.nsd_id).await?;
    let instance = NsInstance {
        id,
        name: asked.ns_name,
        description: asked.ns_description,
        nsd_id: nsd.nsd_id,
        nsd_info_id: nsd.nsd_info_id,
        deployed: None,
        members: Vec::new(),
        links: Vec::new(),
        busy_with: None,
    };
    let plan = create::create(origin, &instance);
    Ok((instance, plan))
}

/// `GET /ns_instances`; the network functions are left out by default and are shown one by one.
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let query = Query::all::<NsInstance>(request.tenant());
    let root = request.api_root.clone();
    let wire = |stored: &Stored| {
        Ok(sol005::ns_instance(&stored.decode::<NsInstance>()?.value, &[], &root))
    };
    door::list(cx, &request, &NS_INSTANCES, query, wire).await
}

/// `GET /ns_instances/{nsInstanceId}`, with its network functions.
pub(crate) async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let ns = read(cx, &request).await?;
    let ids = ns.members.iter().map(|m| &m.vnf_instance_id);
    let vnfs = many::<VnfInstance>(cx, request.tenant(), ids).await?;
    Ok(Reply::ok(&sol005::ns_instance(&ns, &vnfs, &request.api_root)).etag(ns.version))
}

/// `DELETE /ns_instances/{nsInstanceId}`.
pub(crate) async fn delete(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let ns = read(cx, &request).await?;
    let leftovers = vnf::resources(cx, request.tenant(), &ns.id).await?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(create::delete(origin, &ns, &leftovers)?).await?;
    Ok(Reply::empty(http::StatusCode::NO_CONTENT))
}

async fn read(cx: &Cx, request: &Request) -> Result<Versioned<NsInstance>, Error> {
    cx.store.read::<NsInstance>(request.tenant(), request.param("nsInstanceId")).await
}

/// `POST /mano/v1/ns_instances/{nsInstanceId}/release`: removes what failed operations left,
/// network functions included; can be asked for again until nothing is left.
pub(crate) async fn release(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let ns = read(cx, &request).await?;
    create::idle(&ns)?;
    let (mut released, mut left) = (Vec::new(), Vec::new());
    for member in failed(cx, request.tenant(), &ns).await? {
        let rest = release_vnf(cx, &request, &member.vnf_instance_id).await?;
        if rest.is_empty() {
            released.push(member);
        }
        left.extend(rest);
    }
    let mut after = ns.value.clone();
    after.members.retain(|member| !released.contains(&member));
    if ns.deployed.is_none() {
        let own = vnf::resources(cx, request.tenant(), &ns.id).await?;
        let own = settle::release(cx, request.tenant(), own, request.deadline).await?;
        left.extend(own.iter().map(vnf::instances::leftover));
        if own.is_empty() {
            after.links.clear();
        }
    }
    if after != ns.value {
        let origin = cx.asked(&request.principal, request.trace.as_deref());
        cx.store.commit(Plan::new(origin).update(ns.version, &after)).await?;
    }
    let released: Vec<&str> = released.iter().map(|member| member.name.as_str()).collect();
    Ok(Reply::ok(&json!({ "released": released, "left": left })))
}

/// The network functions that failed operations left: of a service that is not there, all; of
/// one that is, those that are not there and are not on their way.
async fn failed<'a>(
    cx: &Cx,
    tenant: &TenantId,
    ns: &'a NsInstance,
) -> Result<Vec<&'a Member>, Error> {
    if ns.deployed.is_none() {
        return Ok(ns.members.iter().collect());
    }
    let ids = ns.members.iter().map(|m| &m.vnf_instance_id);
    let vnfs = many::<VnfInstance>(cx, tenant, ids).await?;
    let stays = |vnf: &VnfInstance| vnf.instantiated.is_some() || vnf.busy_with.is_some();
    let stay: BTreeSet<&str> =
        vnfs.iter().filter(|vnf| stays(vnf)).map(|vnf| vnf.id.as_str()).collect();
    Ok(ns.members.iter().filter(|m| !stay.contains(m.vnf_instance_id.as_str())).collect())
}

/// Removes a network function of a failed service: its resources, then its identifier.
async fn release_vnf(cx: &Cx, request: &Request, id: &str) -> Result<Vec<Value>, Error> {
    let tenant: &TenantId = request.tenant();
    let Some(instance) = cx.store.find::<VnfInstance>(tenant, id).await? else {
        return Ok(Vec::new());
    };
    mano_model::vnf::create::idle(&instance)?;
    let resources = vnf::resources(cx, tenant, id).await?;
    let left = settle::release(cx, tenant, resources, request.deadline).await?;
    if !left.is_empty() {
        return Ok(left.iter().map(vnf::instances::leftover).collect());
    }
    let gone = VnfInstance { instantiated: None, ..instance.value };
    let gone = Versioned { version: instance.version, value: gone };
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(mano_model::vnf::create::delete(origin, &gone, &[])?).await?;
    Ok(Vec::new())
}
