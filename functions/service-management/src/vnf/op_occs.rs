//! VNF operation occurrences: list, show, and the ways forward from FAILED_TEMP.

use super::Known;
use crate::{runs, settle};
use mano_model::{
    TenantId,
    grant::Grant,
    op::error_handling,
    plan::{Origin, Versioned},
    sol::sol003::{self, VNF_LCM_OP_OCCS},
    vnf::{close, op::VnfOp},
};
use mano_ports::{
    Cx, Error, door,
    http::{Reply, Request},
    store::{Query, Stored},
};

/// `GET /vnf_lcm_op_occs`.
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let query = Query::all::<VnfOp>(request.tenant());
    let root = request.api_root.clone();
    let wire =
        |stored: &Stored| Ok(sol003::vnf_lcm_op_occ(&stored.decode::<VnfOp>()?.value, &root));
    door::list(cx, &request, &VNF_LCM_OP_OCCS, query, wire).await
}

/// `GET /vnf_lcm_op_occs/{vnfLcmOpOccId}`.
pub(crate) async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let op = read(cx, &request).await?;
    Ok(Reply::ok(&sol003::vnf_lcm_op_occ(&op, &request.api_root)).etag(op.version))
}

/// `POST …/retry`.
pub(crate) async fn retry(cx: &Cx, request: Request) -> Result<Reply, Error> {
    runs::again(cx, &request, read(cx, &request).await?, error_handling::retry).await
}

/// `POST …/rollback`.
pub(crate) async fn roll_back(cx: &Cx, request: Request) -> Result<Reply, Error> {
    runs::again(cx, &request, read(cx, &request).await?, error_handling::roll_back).await
}

/// `POST …/fail`.
pub(crate) async fn fail(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let op = read(cx, &request).await?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    give_up(cx, request.tenant(), &op, origin, request.deadline).await?;
    let op = cx.store.read::<VnfOp>(request.tenant(), &op.id).await?;
    Ok(Reply::ok(&sol003::vnf_lcm_op_occ(&op, &request.api_root)))
}

/// Closes an operation as it is, after finding out what exists of it.
pub(crate) async fn give_up(
    cx: &Cx,
    tenant: &TenantId,
    op: &Versioned<VnfOp>,
    origin: Origin,
    deadline: jiff::Timestamp,
) -> Result<(), Error> {
    error_handling::in_failed_temp(&op.value)?;
    let grant = cx.store.find::<Grant>(tenant, &op.id).await?.map(|g| g.value);
    if let Some(grant) = &grant {
        settle::settle(cx, tenant, grant, op.run, deadline).await?;
    }
    let known = Known::read(cx, tenant, &op.vnf_instance_id).await?;
    let facts = close::Facts {
        op,
        instance: &known.instance,
        vnfd: &known.vnfd,
        grant: grant.as_ref(),
        resources: &known.resources,
    };
    Ok(cx.store.commit(close::fail(origin, &facts)?).await?)
}

async fn read(cx: &Cx, request: &Request) -> Result<Versioned<VnfOp>, Error> {
    cx.store.read::<VnfOp>(request.tenant(), request.param("vnfLcmOpOccId")).await
}
