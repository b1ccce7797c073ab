//! Network services: the instance, its operation occurrences, and what each operation decides.

pub mod close;
pub mod create;
pub mod granting;
pub mod members;
pub mod op;
pub mod op_state;
pub mod task;

use crate::{
    plan::{Document, Index, Kind},
    vnf::Held,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A network service, as the orchestrator remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsInstance {
    /// Identity, stable for life.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// A description for people.
    pub description: String,
    /// The descriptor it is made from.
    pub nsd_id: String,
    /// The NSD information resource that brought the descriptor.
    pub nsd_info_id: String,
    /// How it is deployed; none while `NOT_INSTANTIATED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// Its network functions; of a failed instantiation, what was left of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// Its own virtual links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Held>,
    /// The one operation that may touch it, while one is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_with: Option<String>,
}

impl Document for NsInstance {
    const KIND: Kind = Kind::NsInstance;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![(Index::NsdId, self.nsd_id.clone())]
    }
}

/// How an instantiated network service is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployed {
    /// The deployment flavour.
    pub flavour_id: String,
    /// The level of each scaling aspect.
    pub scale: BTreeMap<String, u32>,
}

/// A network function of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Its name within the service: `{profile}-{n}`.
    pub name: String,
    /// Its VNF profile.
    pub profile_id: String,
    /// The VNF instance.
    pub vnf_instance_id: String,
}
