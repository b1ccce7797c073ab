//! Operations under way whose run is gone, or ended unheard.

use crate::runs;
use mano_model::{
    ns::op::NsOp,
    op::{Occurrence, state::Lifecycle},
    plan::Index,
    vnf::op::VnfOp,
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
    store::Query,
    workflows::Redriven,
};

/// `POST /mano/v1/operations/redrive`: looks at every operation of the caller that is under way.
pub(crate) async fn all(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut told = Redriven::default();
    each::<NsOp>(cx, &request, &mut told).await?;
    each::<VnfOp>(cx, &request, &mut told).await?;
    Ok(Reply::ok(&told))
}

async fn each<T: Occurrence>(cx: &Cx, request: &Request, told: &mut Redriven) -> Result<(), Error> {
    for state in T::State::ALL.iter().filter(|state| state.is_running()) {
        let query = Query::all::<T>(request.tenant()).by(Index::OperationState, state.as_str());
        for op in cx.store.every::<T>(query).await? {
            if cx.clock.now() >= request.deadline {
                told.more = true;
                return Ok(());
            }
            // The index may lag behind.
            if op.is_running() {
                if let Some(end) = told.look(cx, &op.start(request.tenant())).await? {
                    runs::ended_by_itself(cx, &end).await?;
                }
            }
        }
    }
    Ok(())
}
