//! LCM tasks on NS instances: load, decide, commit, answer.

use super::{Constituents, nsd};
use mano_model::{
    ns::{
        NsInstance,
        op::Operation,
        task::{Facts, accept},
    },
    plan::{Origin, Plan},
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
};
use serde_json::Value;

/// `POST …/instantiate`.
pub(crate) async fn instantiate(cx: &Cx, request: Request) -> Result<Reply, Error> {
    task(cx, &request, Operation::Instantiate).await
}

/// `POST …/scale`.
pub(crate) async fn scale(cx: &Cx, request: Request) -> Result<Reply, Error> {
    task(cx, &request, Operation::Scale).await
}

/// `POST …/heal`.
pub(crate) async fn heal(cx: &Cx, request: Request) -> Result<Reply, Error> {
    task(cx, &request, Operation::Heal).await
}

/// `POST …/terminate`.
pub(crate) async fn terminate(cx: &Cx, request: Request) -> Result<Reply, Error> {
    task(cx, &request, Operation::Terminate).await
}

async fn task(cx: &Cx, request: &Request, operation: Operation) -> Result<Reply, Error> {
    let id = request.param("nsInstanceId");
    let params = request.object()?.into();
    let op = cx.ids.fresh().to_string();
    let location = format!("{}/nslcm/v2/ns_lcm_op_occs/{op}", request.api_root);
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(plan(cx, origin, id, op, operation, params).await?).await?;
    Ok(Reply::accepted(location))
}

/// What a task on an instance leads to, whoever brings it; its occurrence will be `op`.
pub(crate) async fn plan(
    cx: &Cx,
    origin: Origin,
    instance: &str,
    op: String,
    operation: Operation,
    params: Value,
) -> Result<Plan, Error> {
    let instance = cx.store.read::<NsInstance>(&origin.tenant, instance).await?;
    let nsd = nsd(cx, &origin.tenant, &instance.nsd_id).await?;
    let Constituents { vnfds, usages } = Constituents::read(cx, &origin.tenant, &nsd).await?;
    let facts = Facts { instance: &instance, nsd: &nsd, vnfds: &vnfds, usages: &usages };
    Ok(accept(origin, &facts, op, operation, params)?)
}
