//! The workflow engine's own view, for operators: workflows, their runs, and what happened in them.

use mano_ports::{
    Cx, Error,
    http::{Body, Reply, Request},
    workflows::Listing,
};
use serde::Serialize;
use serde_json::json;

/// So many runs, or events, are in one answer.
const PAGE: usize = 100;

/// `GET /mano/v1/workflows`.
pub(crate) async fn workflows(cx: &Cx, _request: Request) -> Result<Reply, Error> {
    let names = cx.workflows.workflows().await?;
    let named: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    Ok(Reply::ok(&named))
}

/// `GET /mano/v1/workflows/{name}`: the definition, as it was deployed.
pub(crate) async fn definition(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let text = cx.workflows.definition(request.param("name")).await?;
    Ok(Reply { status: http::StatusCode::OK, headers: Vec::new(), body: Body::Json(text.into()) })
}

/// `GET /mano/v1/workflows/{name}/runs?after=`, newest first.
pub(crate) async fn runs(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (name, after) = (request.param("name"), request.query("after"));
    let mut listing = cx.workflows.runs(name, after, PAGE).await?;
    listing.items.retain(|run| run.input["tenant"] == request.tenant().as_str());
    Ok(paged(&listing))
}

/// `GET /mano/v1/workflows/{name}/runs/{run}`.
pub(crate) async fn run(cx: &Cx, request: Request) -> Result<Reply, Error> {
    Ok(Reply::ok(&own(cx, &request).await?))
}

/// `GET /mano/v1/workflows/{name}/runs/{run}/history?after=`.
pub(crate) async fn history(cx: &Cx, request: Request) -> Result<Reply, Error> {
    own(cx, &request).await?;
    let (name, run) = (request.param("name"), request.param("run"));
    let events = cx.workflows.history(name, run, request.query("after"), 1000).await?;
    Ok(paged(&events))
}

/// A run of the caller's tenant; another's does not exist for them.
async fn own(cx: &Cx, request: &Request) -> Result<mano_ports::workflows::Run, Error> {
    let (name, run) = (request.param("name"), request.param("run"));
    let found = cx.workflows.describe(name, run).await?;
    if found.input["tenant"] != request.tenant().as_str() {
        return Err(mano_ports::workflows::Error::Absent(run.into()).into());
    }
    Ok(found)
}

fn paged<T: Serialize>(listing: &Listing<T>) -> Reply {
    Reply::ok(&json!({ "items": listing.items, "next": listing.next }))
}
