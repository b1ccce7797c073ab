//! Network functions: the instance, its operation occurrences, and what each operation decides.

pub mod changes;
pub mod close;
pub mod create;
pub mod granting;
pub mod op;
pub mod op_state;
pub mod task;

use crate::{
    plan::{Document, Index, Kind},
    resource::{Resource, ResourceKind},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A network function, as the orchestrator remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfInstance {
    /// Identity, stable for life.
    pub id: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The descriptor it is made from.
    pub vnfd_id: String,
    /// The package that brought the descriptor.
    pub vnf_pkg_id: String,
    /// From the descriptor.
    pub provider: String,
    /// From the descriptor.
    pub product_name: String,
    /// From the descriptor.
    pub software_version: String,
    /// From the descriptor.
    pub vnfd_version: String,
    /// What exists of it; none while `NOT_INSTANTIATED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instantiated: Option<Instantiated>,
    /// The one operation that may touch it, while one is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_with: Option<String>,
    /// The network service it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_instance_id: Option<String>,
    /// Its VNF profile in that service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vnf_profile_id: Option<String>,
    /// Free content of the client's.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl VnfInstance {
    /// What people call it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }
}

impl Document for VnfInstance {
    const KIND: Kind = Kind::VnfInstance;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        let mut index =
            vec![(Index::VnfdId, self.vnfd_id.clone()), (Index::VnfPkgId, self.vnf_pkg_id.clone())];
        index.extend(self.ns_instance_id.clone().map(|ns| (Index::NsInstanceId, ns)));
        index
    }
}

/// What exists of an instantiated network function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instantiated {
    /// The deployment flavour.
    pub flavour_id: String,
    /// The level of each scaling aspect.
    pub scale: BTreeMap<String, u32>,
    /// Its resources, in the order of their names.
    pub resources: Vec<Held>,
}

/// A resource that an instance holds, as its own record shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Its name within the instance.
    pub name: String,
    /// Its kind.
    pub kind: ResourceKind,
    /// The VDU, storage or virtual link it comes from.
    pub template: String,
    /// Where it is.
    pub vim_id: String,
    /// The zone.
    pub zone_id: String,
    /// The VIM's own name of it.
    pub resource_id: String,
    /// What it is joined to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<String>,
}

impl Held {
    /// What an instance shows of the inventory's rows.
    #[must_use]
    pub fn all<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> Vec<Self> {
        resources.into_iter().map(Self::of).collect()
    }

    fn of(resource: &Resource) -> Self {
        Self {
            name: resource.want.name.clone(),
            kind: resource.want.kind,
            template: resource.want.template.clone(),
            vim_id: resource.vim_id.clone(),
            zone_id: resource.zone_id.clone(),
            resource_id: resource.resource_id.clone().unwrap_or_default(),
            joins: resource.want.joins.clone(),
        }
    }
}
