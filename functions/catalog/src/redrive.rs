//! On-boardings under way whose run is gone, or ended unheard.

use crate::{onboard, wire::Wire};
use mano_model::{
    catalog::{Entry, nsd_info::NsdContent, onboarding::State, vnf_package::VnfPkgContent},
    plan::Document,
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
    store::Query,
    workflows::Redrive,
};

/// `POST /mano/v1/onboardings/redrive?after=`: looks at every on-boarding of the caller that is under
/// way.
pub(crate) async fn all(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut redrive = Redrive::new(cx, &request)?;
    each::<VnfPkgContent>(cx, &request, &mut redrive).await?;
    each::<NsdContent>(cx, &request, &mut redrive).await?;
    Ok(redrive.reply())
}

async fn each<F: Wire>(cx: &Cx, request: &Request, redrive: &mut Redrive<'_>) -> Result<(), Error> {
    let started = |entry: &Entry<F>| {
        let is_processing = entry.onboarding.state() == State::Processing;
        is_processing.then(|| entry.start(request.tenant()))
    };
    let list = <Entry<F> as Document>::KIND.as_str();
    for end in redrive.over(list, Query::all::<Entry<F>>(request.tenant()), started).await? {
        onboard::run_ended(cx, &end).await?;
    }
    Ok(())
}
