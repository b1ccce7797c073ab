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
    workflows::Redrive,
};

/// `POST /mano/v1/operations/redrive?after=`: looks at every operation of the caller that is under
/// way.
pub(crate) async fn all(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut redrive = Redrive::new(cx, &request)?;
    each::<NsOp>(cx, &request, &mut redrive).await?;
    each::<VnfOp>(cx, &request, &mut redrive).await?;
    Ok(redrive.reply())
}

async fn each<T: Occurrence>(
    cx: &Cx,
    request: &Request,
    redrive: &mut Redrive<'_>,
) -> Result<(), Error> {
    for state in T::State::ALL.iter().filter(|state| state.is_running()) {
        let list = format!("{}/{}", T::KIND.as_str(), state.as_str());
        let query = Query::all::<T>(request.tenant()).by(Index::OperationState, state.as_str());
        // The index may lag behind.
        let started = |op: &T| op.is_running().then(|| op.start(request.tenant()));
        for end in redrive.over(&list, query, started).await? {
            runs::ended_by_itself(cx, &end).await?;
        }
    }
    Ok(())
}
