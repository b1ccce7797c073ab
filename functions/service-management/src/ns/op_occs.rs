//! NS operation occurrences: list, show, and the ways forward from FAILED_TEMP.

use super::{many, steps};
use crate::{runs, settle, vnf};
use mano_model::{
    Refusal,
    grant::Grant,
    ns::{close, op::NsOp},
    op::{Occurrence, error_handling, state::Lifecycle},
    plan::Versioned,
    sol::sol005::{self, NS_LCM_OP_OCCS},
    vnf::{VnfInstance, op::VnfOp, op_state::State},
};
use mano_ports::{
    Cx, Error, door,
    http::{Reply, Request},
    store::{Query, Stored},
};

/// `GET /ns_lcm_op_occs`.
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let query = Query::all::<NsOp>(request.tenant());
    let root = request.api_root.clone();
    let wire = |stored: &Stored| Ok(sol005::ns_lcm_op_occ(&stored.decode::<NsOp>()?.value, &root));
    door::list(cx, &request, &NS_LCM_OP_OCCS, query, wire).await
}

/// `GET /ns_lcm_op_occs/{nsLcmOpOccId}`.
pub(crate) async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let op = read(cx, &request).await?;
    Ok(Reply::ok(&sol005::ns_lcm_op_occ(&op, &request.api_root)).etag(op.version))
}

/// `POST …/retry`.
pub(crate) async fn retry(cx: &Cx, request: Request) -> Result<Reply, Error> {
    runs::again(cx, &request, read(cx, &request).await?, error_handling::retry).await
}

/// `POST …/rollback`.
pub(crate) async fn roll_back(cx: &Cx, request: Request) -> Result<Reply, Error> {
    runs::again(cx, &request, read(cx, &request).await?, error_handling::roll_back).await
}

/// `POST …/fail`: the VNF operations it waits for are closed first, then itself.
pub(crate) async fn fail(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let op = read(cx, &request).await?;
    error_handling::in_failed_temp(&op.value)?;
    fail_vnfs(cx, &request, &op).await?;
    if let Some(grant) = cx.store.find::<Grant>(request.tenant(), &op.id).await? {
        settle::settle(cx, request.tenant(), &grant, op.run, request.deadline).await?;
    }
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let known = steps::Known::read(cx, request.tenant(), &op).await?;
    cx.store.commit(close::fail(origin, &known.facts(&op))?).await?;
    let op = read(cx, &request).await?;
    Ok(Reply::ok(&sol005::ns_lcm_op_occ(&op, &request.api_root)))
}

/// Closes those of its VNF operations that stand in FAILED_TEMP.
async fn fail_vnfs(cx: &Cx, request: &Request, op: &NsOp) -> Result<(), Error> {
    let tenant = request.tenant();
    let ids = op.items.iter().map(|item| &item.vnf_instance_id);
    for instance in many::<VnfInstance>(cx, tenant, ids).await? {
        let Some(busy) = &instance.busy_with else { continue };
        let Some(vnf_op) = cx.store.find::<VnfOp>(tenant, busy).await? else { continue };
        if vnf_op.waiter.as_ref().is_none_or(|w| w.op != op.id) {
            continue;
        }
        if vnf_op.state() != State::FailedTemp {
            return Err(Refusal::conflict(format!(
                "VNF operation '{busy}' of '{}' is still {}; wait for it to come to rest",
                instance.called(),
                vnf_op.state().as_str()
            ))
            .into());
        }
        let origin = cx.asked(&request.principal, request.trace.as_deref());
        vnf::op_occs::give_up(cx, tenant, &vnf_op, origin, request.deadline).await?;
    }
    Ok(())
}

async fn read(cx: &Cx, request: &Request) -> Result<Versioned<NsOp>, Error> {
    cx.store.read::<NsOp>(request.tenant(), request.param("nsLcmOpOccId")).await
}
