//! Creating, reading, modifying and deleting entries of the catalogue.

use crate::wire::{Loaded, Wire, href};
use http::StatusCode;
use mano_model::{
    Refusal,
    catalog::{
        OperationalState,
        modify::{self, Modifications},
    },
    refusal::Why,
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
};
use serde_json::{Map, Value};

/// `POST …/vnf_packages`, `POST …/ns_descriptors`.
pub(crate) async fn create<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let notes = notes(&request.object()?)?.unwrap_or_default();
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let (plan, entry) = modify::create::<F>(origin, cx.ids.fresh().to_string(), notes)?;
    cx.store.commit(plan).await?;
    let id = entry.id.clone();
    let entry = mano_model::plan::Versioned { version: 1, value: entry };
    let shown = Loaded { entry, usage: None, referred: Vec::new() }.show(&request.api_root);
    let etag = Loaded::<F>::etag(&shown);
    Ok(Reply::created(href::<F>(&request.api_root, &id), &shown).etag(etag))
}

/// `GET …/vnf_packages/{vnfPkgId}`, `GET …/ns_descriptors/{nsdInfoId}`.
pub(crate) async fn read<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let shown = Loaded::<F>::by(cx, &request).await?.show(&request.api_root);
    Ok(Reply::ok(&shown).etag(Loaded::<F>::etag(&shown)))
}

/// `PATCH …/vnf_packages/{vnfPkgId}`, `PATCH …/ns_descriptors/{nsdInfoId}`.
pub(crate) async fn modify<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let loaded = Loaded::<F>::by(cx, &request).await?;
    unchanged(&loaded, &request)?;
    let body = request.object()?;
    let asked = Modifications {
        operational_state: operational_state::<F>(&body)?,
        user_defined_data: notes(&body)?,
    };
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(modify::modify(origin, loaded.entry, &asked)?).await?;
    Ok(Reply::ok(&shown::<F>(asked)))
}

/// `DELETE …/vnf_packages/{vnfPkgId}`, `DELETE …/ns_descriptors/{nsdInfoId}`.
pub(crate) async fn delete<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let loaded = Loaded::<F>::by(cx, &request).await?;
    unchanged(&loaded, &request)?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(modify::delete(origin, &loaded.entry, loaded.usage.as_ref())?).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Refuses if the client read something else than what is here now.
fn unchanged<F: Wire>(loaded: &Loaded<F>, request: &Request) -> Result<(), Error> {
    let Some(read) = request.if_match()? else { return Ok(()) };
    if read == Loaded::<F>::etag(&loaded.show(&request.api_root)) {
        return Ok(());
    }
    let detail =
        format!("{} '{}' changed since you read it; read it again", F::NOUN, loaded.entry.id);
    Err(Refusal::new(Why::Changed, detail).into())
}

/// What was asked, as `VnfPkgInfoModifications` or `NsdInfoModifications`.
fn shown<F: Wire>(asked: Modifications) -> Map<String, Value> {
    let mut shown = Map::new();
    if let Some(state) = asked.operational_state {
        shown.insert(F::OPERATIONAL_STATE.into(), state.as_str().into());
    }
    if let Some(notes) = asked.user_defined_data {
        shown.insert("userDefinedData".into(), notes.into());
    }
    shown
}

fn operational_state<F: Wire>(
    body: &Map<String, Value>,
) -> Result<Option<OperationalState>, Refusal> {
    let name = F::OPERATIONAL_STATE;
    let Some(value) = body.get(name) else { return Ok(None) };
    let state = serde_json::from_value(value.clone()).map_err(|_| {
        Refusal::unprocessable(format!("{name} is {value}; give ENABLED or DISABLED"))
    })?;
    Ok(Some(state))
}

fn notes(body: &Map<String, Value>) -> Result<Option<Map<String, Value>>, Refusal> {
    match body.get("userDefinedData") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(notes)) => Ok(Some(notes.clone())),
        Some(other) => {
            let detail = format!("userDefinedData is {other}; give an object of names and values");
            Err(Refusal::unprocessable(detail))
        }
    }
}
