//! Handing content out as it came.

use crate::{
    address,
    range::Range,
    wire::{Loaded, Wire},
};
use http::StatusCode;
use mano_model::{
    Refusal,
    catalog::{Content, Entry, State},
};
use mano_ports::{
    Cx, Error,
    http::{Body, Reply, Request},
};

/// `GET …/package_content`, `GET …/nsd_content`.
pub(crate) async fn whole<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let loaded = Loaded::<F>::by(cx, &request).await?;
    let content = onboarded(&loaded.entry)?;
    let range = Range::asked(&request.headers, content.size)?;
    if let Some(elsewhere) = address::fetched(cx, content, range).await? {
        return Ok(elsewhere);
    }
    let bytes = cx.blobs.open(&content.blob, range.from, range.to).await?;
    let body = Body::Stream("application/zip", range.len(), bytes);
    Ok(range.dress(Reply { status: StatusCode::OK, headers: Vec::new(), body }))
}

/// The content of an entry that is ONBOARDED.
///
/// # Errors
/// Conflict in every other state.
pub(crate) fn onboarded<F: Wire>(entry: &Entry<F>) -> Result<&Content, Refusal> {
    let state = entry.onboarding.state();
    let content = entry.onboarding.content().filter(|_| state == State::Onboarded);
    content.ok_or_else(|| {
        let state = state.as_str();
        Refusal::conflict(format!(
            "{} '{}' is {state}; its content can be read once it is ONBOARDED",
            F::NOUN,
            entry.id
        ))
    })
}
