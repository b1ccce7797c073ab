//! An NS descriptor in the catalogue: what SOL005 `NsdInfo` tells of its content.

use super::{
    entry::{Entry, Family, Layout},
    usage::Descriptor,
    vnf_package::Artifact,
};
use crate::{descriptor::Nsd, plan::Kind};
use serde::{Deserialize, Serialize};

/// An NS descriptor's information resource (SOL005 `NsdInfo`).
pub type NsdInfo = Entry<NsdContent>;

/// The attributes of `NsdInfo` that come from the content, named as there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsdContent {
    /// `descriptor_id`.
    pub nsd_id: String,
    /// `name`.
    pub nsd_name: String,
    /// `version`.
    pub nsd_version: String,
    /// `designer`.
    pub nsd_designer: String,
    /// `invariant_id`: the same for all versions.
    pub nsd_invariant_id: String,
    /// The VNF descriptors it is made of; their packages may come later.
    pub vnfd_ids: Vec<String>,
    /// What in it is no part of the descriptor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// `OPTION_1`: digests in the manifest; `OPTION_2`: an archive around the archive.
    pub archive_security_option: String,
    /// Where its parts lie; not shown.
    pub layout: Layout,
}

impl Family for NsdContent {
    const KIND: Kind = Kind::NsdInfo;
    const DESCRIPTOR: Descriptor = Descriptor::Nsd;
    const NOUN: &'static str = "NS descriptor";
    const FACTS: &'static str = "nsd";
    const WORKFLOW: &'static str = "nsd-onboard";
    const OPERATIONAL_STATE: &'static str = "nsdOperationalState";
    type Document = Nsd;
    fn descriptor_id(&self) -> &str {
        &self.nsd_id
    }
}
