//! The way in for events where there is no event bus outside.

use super::take;
use mano_model::{Refusal, request::PREFIX};
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

/// `POST /mano/v1/events`: takes an event as the bus does; what it leads to is told by facts.
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
    take(cx, &Event { id, source, detail_type, detail, principal }).await?;
    Ok(Reply::empty(http::StatusCode::ACCEPTED))
}
