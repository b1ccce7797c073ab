//! Telling a simulated VIM how to behave, and letting it lose things.

use http::StatusCode;
use mano_model::{Refusal, refusal::Why, sim::Behaviour, vim::Vim};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
};
use serde_json::Value;

/// `GET /mano/v1/vims/{vimId}/behaviour`
pub(crate) async fn behaviour(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (driver, at) = cx.reach(request.tenant(), request.param("vimId")).await?;
    let simulated = driver.simulated().ok_or_else(|| only_simulated(&at.vim))?;
    let state = simulated.behaviour(&at).await?;
    shown(&state.behaviour, state.calls)
}

/// `PUT /mano/v1/vims/{vimId}/behaviour`: all of it; what is left out is as by default.
pub(crate) async fn behave(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut body = request.object()?;
    // Shown, but counted by the VIM itself: a changed answer may be sent back as it is.
    body.remove("calls");
    let behaviour: Behaviour = serde_json::from_value(Value::Object(body)).map_err(|error| {
        Refusal::unprocessable(format!("the body is no behaviour of a simulated VIM: {error}"))
    })?;
    behaviour.check()?;
    let (driver, at) = cx.reach(request.tenant(), request.param("vimId")).await?;
    let simulated = driver.simulated().ok_or_else(|| only_simulated(&at.vim))?;
    let state = simulated.behave(&at, behaviour).await?;
    shown(&state.behaviour, state.calls)
}

/// `DELETE /mano/v1/vims/{vimId}/resources/{resourceId}`: it is lost, and nobody was told.
pub(crate) async fn lose(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (driver, at) = cx.reach(request.tenant(), request.param("vimId")).await?;
    let simulated = driver.simulated().ok_or_else(|| only_simulated(&at.vim))?;
    let resource = request.param("resourceId");
    if simulated.lose(&at, resource).await? {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    Err(Refusal::absent(&format!("resource at VIM '{}' named", at.vim.id), resource).into())
}

fn shown(behaviour: &Behaviour, calls: u64) -> Result<Reply, Error> {
    let mut shown = serde_json::to_value(behaviour)
        .map_err(|error| Error::Bug(format!("a behaviour is no JSON: {error}")))?;
    shown["calls"] = calls.into();
    Ok(Reply::ok(&shown))
}

/// There is no such task on this thing.
fn only_simulated(vim: &Vim) -> Refusal {
    let Vim { id, vim_type, .. } = vim;
    Refusal::new(
        Why::Absent,
        format!("VIM '{id}' is of type '{vim_type}'; only a simulated one (sim) can be told this"),
    )
}
