//! Lists of entries: each with how its descriptor is used.

use crate::wire::{Loaded, Wire};
use mano_model::catalog::Entry;
use mano_ports::{
    Cx, Error,
    door::list_many,
    http::{Reply, Request},
    store::{Query, Stored},
};
use serde_json::Value;

/// `GET …/vnf_packages`, `GET …/ns_descriptors`.
pub(crate) async fn list<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (tenant, api_root) = (request.tenant().clone(), request.api_root.clone());
    let query = Query::all::<Entry<F>>(&tenant);
    let show = async |found: Vec<Stored>| -> Result<Vec<Value>, Error> {
        let entries = found.iter().map(|stored| Ok(stored.decode()?));
        let entries = entries.collect::<Result<Vec<_>, Error>>()?;
        let loaded = Loaded::<F>::all(cx, &tenant, entries).await?;
        Ok(loaded.iter().map(|loaded| loaded.show(&api_root)).collect())
    };
    list_many(cx, &request, F::LISTING, query, show).await
}
