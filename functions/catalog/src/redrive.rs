//! On-boardings under way whose run is gone, or ended unheard.

use crate::{onboard, wire::Wire};
use mano_model::catalog::{
    Entry, nsd_info::NsdContent, onboarding::State, vnf_package::VnfPkgContent,
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
    store::Query,
    workflows::Redriven,
};

/// `POST /mano/v1/onboardings/redrive`: looks at every on-boarding of the caller that is under way.
pub(crate) async fn all(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut told = Redriven::default();
    each::<VnfPkgContent>(cx, &request, &mut told).await?;
    each::<NsdContent>(cx, &request, &mut told).await?;
    Ok(Reply::ok(&told))
}

async fn each<F: Wire>(cx: &Cx, request: &Request, told: &mut Redriven) -> Result<(), Error> {
    for entry in cx.store.every::<Entry<F>>(Query::all::<Entry<F>>(request.tenant())).await? {
        if entry.onboarding.state() != State::Processing {
            continue;
        }
        if cx.clock.now() >= request.deadline {
            told.more = true;
            break;
        }
        if let Some(end) = told.look(cx, &entry.start(request.tenant())).await? {
            onboard::run_ended(cx, &end).await?;
        }
    }
    Ok(())
}
