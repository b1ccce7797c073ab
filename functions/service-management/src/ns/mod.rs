//! Network services: requests, steps, and the waiting for network functions.

pub(crate) mod advance;
pub(crate) mod instances;
pub(crate) mod op_occs;
pub(crate) mod steps;
pub(crate) mod tasks;
pub(crate) mod waiting;

use mano_model::{
    Refusal, TenantId,
    catalog::usage::{Descriptor, Usage},
    descriptor::{Nsd, Vnfd},
    plan::{Document, Key},
};
use mano_ports::{Cx, Error, store};
use std::collections::BTreeMap;

/// The descriptor of a service.
pub(crate) async fn nsd(cx: &Cx, tenant: &TenantId, id: &str) -> Result<Nsd, Error> {
    let found = cx.store.find::<Nsd>(tenant, id).await?;
    let absent = || Refusal::unprocessable(format!("NS descriptor '{id}' is not on-boarded"));
    Ok(found.ok_or_else(absent)?.value)
}

/// The VNF descriptors a service refers to, as far as they are on-boarded, by id.
pub(crate) struct Constituents {
    pub(crate) vnfds: BTreeMap<String, Vnfd>,
    pub(crate) usages: BTreeMap<String, Usage>,
}

impl Constituents {
    /// Reads them.
    pub(crate) async fn read(cx: &Cx, tenant: &TenantId, nsd: &Nsd) -> Result<Self, Error> {
        let profiles = nsd.flavours.iter().flat_map(|f| &f.vnf_profiles);
        let mut ids: Vec<&str> = profiles.map(|p| p.vnfd_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let usage = |id: &&str| Key::of::<Usage>(tenant, Usage::id_of(Descriptor::Vnfd, id));
        let keys = ids.iter().map(|id| Key::of::<Vnfd>(tenant, *id)).chain(ids.iter().map(usage));
        let mut found = cx.store.get_many(&keys.collect::<Vec<_>>()).await?;
        let usages = found.split_off(ids.len());
        let vnfds = found.into_iter().flatten().map(|stored| {
            let vnfd = stored.decode::<Vnfd>()?.value;
            Ok((vnfd.vnfd_id.clone(), vnfd))
        });
        let usages = usages.into_iter().flatten().map(|stored| {
            let usage = stored.decode::<Usage>()?.value;
            Ok((usage.descriptor_id.clone(), usage))
        });
        Ok(Self {
            vnfds: vnfds.collect::<Result<_, store::Error>>()?,
            usages: usages.collect::<Result<_, store::Error>>()?,
        })
    }
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
