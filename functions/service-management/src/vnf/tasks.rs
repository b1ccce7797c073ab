//! LCM tasks on VNF instances: load, decide, commit, answer.

use super::Known;
use mano_model::{
    plan::Expect,
    vnf::{
        op::Operation,
        task::{Task, accept},
    },
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
};

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
    let known = Known::read(cx, request.tenant(), request.param("vnfInstanceId")).await?;
    let params = request.object()?.into();
    let op = cx.ids.fresh().to_string();
    let location = format!("{}/vnflcm/v2/vnf_lcm_op_occs/{op}", request.api_root);
    let task = Task { op, operation, params, waiter: None };
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let expect = Expect::Version(known.instance.version);
    cx.store.commit(accept(origin, expect, &known.facts(), task)?).await?;
    Ok(Reply::accepted(location))
}
