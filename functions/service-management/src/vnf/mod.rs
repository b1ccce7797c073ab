//! Network functions: requests and steps.

pub(crate) mod instances;
pub(crate) mod op_occs;
pub(crate) mod steps;
pub(crate) mod tasks;

use mano_model::{
    Refusal, TenantId, descriptor::Vnfd, plan::Versioned, resource::Resource, vnf::VnfInstance,
};
use mano_ports::{Cx, Error};

/// A network function with everything a decision about it needs.
pub(crate) struct Known {
    pub(crate) instance: Versioned<VnfInstance>,
    pub(crate) vnfd: Vnfd,
    pub(crate) resources: Vec<Resource>,
}

impl Known {
    /// Reads it.
    pub(crate) async fn read(cx: &Cx, tenant: &TenantId, id: &str) -> Result<Self, Error> {
        let instance = cx.store.read::<VnfInstance>(tenant, id).await?;
        let vnfd = vnfd(cx, tenant, &instance.vnfd_id).await?;
        let resources = resources(cx, tenant, id).await?;
        Ok(Self { instance, vnfd, resources })
    }

    /// As decisions about tasks take it.
    pub(crate) const fn facts(&self) -> mano_model::vnf::task::Facts<'_> {
        mano_model::vnf::task::Facts {
            instance: &self.instance.value,
            vnfd: &self.vnfd,
            resources: self.resources.as_slice(),
        }
    }
}

/// The descriptor of an instance.
pub(crate) async fn vnfd(cx: &Cx, tenant: &TenantId, id: &str) -> Result<Vnfd, Error> {
    let found = cx.store.find::<Vnfd>(tenant, id).await?;
    let absent = || Refusal::unprocessable(format!("VNF descriptor '{id}' is not on-boarded"));
    Ok(found.ok_or_else(absent)?.value)
}

/// The inventory's rows of an instance.
pub(crate) async fn resources(
    cx: &Cx,
    tenant: &TenantId,
    instance: &str,
) -> Result<Vec<Resource>, Error> {
    let rows = cx.store.children::<Resource>(tenant, instance).await?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}
