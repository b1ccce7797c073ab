//! A VNF package: what SOL005 `VnfPkgInfo` tells of its content.

use super::{
    entry::{Entry, Family, Layout},
    usage::Descriptor,
};
use crate::{descriptor::Vnfd, plan::Kind};
use serde::{Deserialize, Serialize};

/// A VNF package as on-boarded (SOL005 `VnfPkgInfo`).
pub type VnfPackage = Entry<VnfPkgContent>;

/// The attributes of `VnfPkgInfo` that come from the content, named as there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfPkgContent {
    /// `descriptor_id`.
    pub vnfd_id: String,
    /// `provider`.
    pub vnf_provider: String,
    /// `product_name`.
    pub vnf_product_name: String,
    /// `software_version`.
    pub vnf_software_version: String,
    /// `descriptor_version`.
    pub vnfd_version: String,
    /// `vnfm_info`.
    pub vnfm_info: Vec<String>,
    /// Of the whole archive.
    pub checksum: Checksum,
    /// The images in it or referred to by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub software_images: Vec<SoftwareImage>,
    /// Everything else in it that is no part of the descriptor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_artifacts: Vec<Artifact>,
    /// `OPTION_1`: digests in the manifest; `OPTION_2`: an archive around the archive.
    pub package_security_option: String,
    /// Where its parts lie; not shown.
    pub layout: Layout,
}

impl Family for VnfPkgContent {
    const KIND: Kind = Kind::VnfPackage;
    const DESCRIPTOR: Descriptor = Descriptor::Vnfd;
    const NOUN: &'static str = "VNF package";
    const FACTS: &'static str = "package";
    const WORKFLOW: &'static str = "package-onboard";
    const OPERATIONAL_STATE: &'static str = "operationalState";
    type Document = Vnfd;
    fn descriptor_id(&self) -> &str {
        &self.vnfd_id
    }
}

/// SOL005 `Checksum`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checksum {
    /// `SHA-256` and its kind.
    pub algorithm: String,
    /// Lower-case hexadecimal.
    pub hash: String,
}

/// SOL005 `VnfPackageSoftwareImageInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SoftwareImage {
    /// The node template that has it.
    pub id: String,
    /// `name`.
    pub name: String,
    /// `provider`; the VNF's.
    pub provider: String,
    /// `version`.
    pub version: String,
    /// As declared; none was declared: empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Whether its bytes are encrypted.
    pub is_encrypted: bool,
    /// `container_format`, in capitals.
    pub container_format: String,
    /// `disk_format`, in capitals.
    pub disk_format: String,
    /// Bytes of disk it needs.
    pub min_disk: u64,
    /// Bytes of memory it needs.
    pub min_ram: u64,
    /// Bytes.
    pub size: u64,
    /// Where it lies in the archive, or, with a scheme, elsewhere.
    pub image_path: String,
}

/// SOL005 `VnfPackageArtifactInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Where it lies in the archive.
    pub artifact_path: String,
    /// As the manifest says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Whether its bytes are encrypted.
    pub is_encrypted: bool,
}
