//! The way in for events where there is no event bus outside.

use super::answer;
use http::StatusCode;
use mano_model::{Refusal, refusal::Why, request::PREFIX};
use mano_ports::{
    Cx, Error,
    function::Event,
    http::{Reply, Request},
};
use serde::Deserialize;
use serde_json::Value;

/// An event as it is put on a bus.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    id: Option<String>,
    source: String,
    detail_type: String,
    detail: Value,
}

/// `POST /mano/v1/events`: takes an event as the bus does. Whoever asks here hears the no at once;
/// what a yes leads to is told by facts.
pub(crate) async fn post(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let Entry { id, source, detail_type, detail } = request.json()?;
    if !detail_type.starts_with(PREFIX) {
        let shown: String = detail_type.chars().take(80).collect();
        return Err(Refusal::unprocessable(format!(
            "events of detail-type '{shown}' are not taken; requests begin with {PREFIX}"
        ))
        .into());
    }
    let id = id.unwrap_or_else(|| cx.ids.fresh().to_string());
    let principal = Some(request.principal);
    match answer(cx, &Event { id, source, detail_type, detail, principal }).await? {
        None => Ok(Reply::empty(StatusCode::ACCEPTED)),
        Some(no) => Err(Refusal::new(why(no.status), no.detail).into()),
    }
}

/// The kind of a refusal that was told as a status; what else can be answered by no at all is
/// something that cannot be carried out.
const fn why(status: u16) -> Why {
    match status {
        400 => Why::Malformed,
        403 => Why::Forbidden,
        404 => Why::Absent,
        409 => Why::Conflict,
        _ => Why::Unprocessable,
    }
}
