//! Network services: requests, steps, and the waiting for network functions.

pub(crate) mod advance;
pub(crate) mod instances;
pub(crate) mod op_occs;
pub(crate) mod steps;
pub(crate) mod tasks;
pub(crate) mod waiting;

use mano_model::{
    Refusal, TenantId,
    descriptor::{Nsd, Vnfd},
    plan::{Document, Key},
};
use mano_ports::{Cx, Error};
use std::collections::BTreeMap;

/// The descriptor of a service.
pub(crate) async fn nsd(cx: &Cx, tenant: &TenantId, id: &str) -> Result<Nsd, Error> {
    let found = cx.store.find::<Nsd>(tenant, id).await?;
    let absent = || Refusal::unprocessable(format!("NS descriptor '{id}' is not on-boarded"));
    Ok(found.ok_or_else(absent)?.value)
}

/// The VNF descriptors a service refers to, as far as they are on-boarded.
pub(crate) async fn vnfds(
    cx: &Cx,
    tenant: &TenantId,
    nsd: &Nsd,
) -> Result<BTreeMap<String, Vnfd>, Error> {
    let profiles = nsd.flavours.iter().flat_map(|f| &f.vnf_profiles);
    let mut ids: Vec<&str> = profiles.map(|p| p.vnfd_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = many::<Vnfd>(cx, tenant, ids).await?;
    Ok(found.into_iter().map(|vnfd| (vnfd.vnfd_id.clone(), vnfd)).collect())
}

/// Those documents that exist, of the ids given.
pub(crate) async fn many<T: Document>(
    cx: &Cx,
    tenant: &TenantId,
    ids: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Vec<T>, Error> {
    let keys: Vec<Key> = ids.into_iter().map(|id| Key::of::<T>(tenant, id)).collect();
    let found = cx.store.get_many(&keys).await?;
    let decoded = found.into_iter().flatten().map(|stored| Ok(stored.decode::<T>()?.value));
    decoded.collect()
}
