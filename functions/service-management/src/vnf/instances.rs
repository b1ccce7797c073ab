//! VNF instances: create, list, show, delete, and the release of what a failure left.

use super::{Known, resources, vnfd};
use crate::settle;
use mano_model::{
    bound,
    catalog::usage::{Descriptor, Usage, may_take},
    plan::{Origin, Plan},
    resource::Resource,
    sol::sol003::{self, CreateVnfRequest, VNF_INSTANCES},
    vnf::{
        VnfInstance,
        create::{self, Naming},
    },
};
use mano_ports::{
    Cx, Error, door,
    http::{Reply, Request},
    store::{Query, Stored},
};
use serde_json::json;

/// `POST /vnf_instances`: an identifier for a network function to be.
pub(crate) async fn create(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let asked: CreateVnfRequest = request.json()?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let (instance, plan) = creation(cx, origin, cx.ids.fresh().to_string(), asked).await?;
    cx.store.commit(plan).await?;
    let wire = sol003::vnf_instance(&instance, &request.api_root);
    Ok(Reply::created(location(&request, &instance.id), &wire).etag(1))
}

/// What the creation of an identifier leads to, whoever asks for it.
pub(crate) async fn creation(
    cx: &Cx,
    origin: Origin,
    id: String,
    asked: CreateVnfRequest,
) -> Result<(VnfInstance, Plan), Error> {
    if let Some(name) = &asked.vnf_instance_name {
        bound::name("vnfInstanceName", name)?;
    }
    let usage = Usage::id_of(Descriptor::Vnfd, &asked.vnfd_id);
    let usage = cx.store.find::<Usage>(&origin.tenant, &usage).await?;
    may_take(Descriptor::Vnfd, &asked.vnfd_id, usage.as_ref().map(|u| &u.value))?;
    let vnfd = vnfd(cx, &origin.tenant, &asked.vnfd_id).await?;
    let naming = Naming {
        name: asked.vnf_instance_name,
        description: asked.vnf_instance_description,
        metadata: asked.metadata,
        part_of: None,
    };
    let instance = create::instance(id, &vnfd, naming);
    let plan = create::create(origin, &instance);
    Ok((instance, plan))
}

fn location(request: &Request, id: &str) -> String {
    format!("{}/vnflcm/v2/vnf_instances/{id}", request.api_root)
}

/// `GET /vnf_instances`.
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let query = Query::all::<VnfInstance>(request.tenant());
    let root = request.api_root.clone();
    let wire =
        |stored: &Stored| Ok(sol003::vnf_instance(&stored.decode::<VnfInstance>()?.value, &root));
    door::list(cx, &request, &VNF_INSTANCES, query, wire).await
}

/// `GET /vnf_instances/{vnfInstanceId}`.
pub(crate) async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let id = request.param("vnfInstanceId");
    let instance = cx.store.read::<VnfInstance>(request.tenant(), id).await?;
    let wire = sol003::vnf_instance(&instance, &request.api_root);
    Ok(Reply::ok(&wire).etag(instance.version))
}

/// `DELETE /vnf_instances/{vnfInstanceId}`.
pub(crate) async fn delete(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let id = request.param("vnfInstanceId");
    let instance = cx.store.read::<VnfInstance>(request.tenant(), id).await?;
    let leftovers = resources(cx, request.tenant(), id).await?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(create::delete(origin, &instance, &leftovers)?).await?;
    Ok(Reply::empty(http::StatusCode::NO_CONTENT))
}

/// `POST /mano/v1/vnf_instances/{vnfInstanceId}/release`: removes what a failed operation
/// left; can be asked for again until nothing is left.
pub(crate) async fn release(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let known = Known::read(cx, request.tenant(), request.param("vnfInstanceId")).await?;
    create::idle(&known.instance)?;
    if known.instance.instantiated.is_some() {
        return Err(mano_model::Refusal::conflict(format!(
            "VNF instance '{}' is INSTANTIATED; terminate it instead",
            known.instance.id
        ))
        .into());
    }
    let left = settle::release(cx, request.tenant(), known.resources, request.deadline).await?;
    Ok(Reply::ok(&json!({ "left": left.iter().map(leftover).collect::<Vec<_>>() })))
}

/// A leftover, for the client.
pub(crate) fn leftover(resource: &Resource) -> serde_json::Value {
    json!({
        "name": resource.want.name,
        "kind": resource.want.kind,
        "vimId": resource.vim_id,
        "resourceId": resource.resource_id,
        "presence": resource.presence,
    })
}
