//! Running a handler: again after a lost race, not for ever, and never down with the process.

use super::problem::Rejection;
use crate::{
    Cx, Error,
    function::{Route, unpanicked},
    http::{Content, Reply, Request},
    store,
};
use ::http::{Method, header};
use futures_util::future::{Either, select};
use std::time::Duration;

/// How often a handler is run again after a lost race.
const AGAIN: u32 = 3;
/// How much longer than its deadline a handler is waited for, since it watches that itself.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the handler of a route.
pub(super) async fn run(cx: &Cx, route: &Route, request: Request) -> Result<Reply, Rejection> {
    let conditional = request.headers.contains_key(header::IF_MATCH);
    let until = request.deadline + GRACE;
    let patience = Duration::try_from(until.duration_since(cx.clock.now())).unwrap_or_default();
    let mut next = Some(request);
    let mut runs = 0;
    let running = async {
        loop {
            let Some(request) = next.take() else { return Err(Rejection::late()) };
            next = (runs < AGAIN).then(|| copy(&request)).flatten();
            runs += 1;
            match once(cx, route, request).await? {
                Ok(reply) => return Ok(reply),
                Err(Error::Store(error @ store::Error::Conflict(_))) if next.is_none() => {
                    return Err(Rejection::lost_race(&error, conditional));
                }
                Err(Error::Store(store::Error::Conflict(_))) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    let running = std::pin::pin!(running);
    match select(running, cx.clock.sleep(patience)).await {
        Either::Left((reply, _)) => reply,
        Either::Right(_) => Err(Rejection::late()),
    }
}

/// One run; a panic is a defect that stays with this request.
async fn once(cx: &Cx, route: &Route, request: Request) -> Result<Result<Reply, Error>, Rejection> {
    unpanicked((route.handler)(cx, request)).await.map_err(Rejection::panic)
}

/// The request once more, if it can be given twice: what reads commits nothing and loses no race,
/// and a stream is gone once it was read.
fn copy(request: &Request) -> Option<Request> {
    let Content::Bytes(bytes) = &request.content else { return None };
    if request.method == Method::GET {
        return None;
    }
    Some(Request {
        method: request.method.clone(),
        uri_path: request.uri_path.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        principal: request.principal.clone(),
        api_root: request.api_root.clone(),
        deadline: request.deadline,
        trace: request.trace.clone(),
        content: Content::Bytes(bytes.clone()),
    })
}
