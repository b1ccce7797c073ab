//! A VNF descriptor (SOL001 clause 6) with everything resolved that templates leave to the reader.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::Located;
use crate::integrity::Checksum;

mod connect;
mod flavour;
mod image;
mod read;
mod scaling;
mod vdu;

pub(crate) use connect::{protocols, virtual_link};
pub(crate) use flavour::is_vdu;
pub(crate) use read::read;
pub(crate) use scaling::{MAX_LEVEL, MOST_LEVELS};
pub(crate) use vdu::count;

/// A VNF descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vnfd {
    /// `descriptor_id`.
    pub vnfd_id: Located<String>,
    /// `provider`.
    pub provider: String,
    /// `product_name`.
    pub product_name: String,
    /// `software_version`.
    pub software_version: String,
    /// `descriptor_version`.
    pub descriptor_version: String,
    /// `product_info_name`.
    pub product_info_name: Option<String>,
    /// `product_info_description`.
    pub product_info_description: Option<String>,
    /// `vnfm_info`: the VNFMs this VNF works with; empty when any will do.
    pub vnfm_info: Vec<String>,
    /// `localization_languages`.
    pub localization_languages: Vec<String>,
    /// `default_localization_language`.
    pub default_localization_language: Option<String>,
    /// The flavour to use when none is asked for: the one the top template names, else the first.
    pub default_flavour: String,
    /// The deployment flavours; never empty, ids unique.
    pub flavours: Vec<Flavour>,
}

impl Vnfd {
    /// The flavour of this id.
    #[must_use]
    pub fn flavour(&self, id: &str) -> Option<&Flavour> {
        self.flavours.iter().find(|f| f.id == id)
    }
}

/// A deployment flavour.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flavour {
    /// `flavour_id`.
    pub id: String,
    /// `flavour_description`.
    pub description: String,
    /// File of its template inside the archive.
    pub file: std::sync::Arc<str>,
    /// Deployment units, in the order of the template.
    pub vdus: Vec<Vdu>,
    /// Storages, in the order of the template.
    pub storages: Vec<Storage>,
    /// Internal virtual links.
    pub virtual_links: Vec<VirtualLink>,
    /// What can be connected from outside.
    pub external_cps: Vec<ExternalCp>,
    /// Scaling aspects.
    pub aspects: Vec<Aspect>,
    /// Instantiation levels; never empty.
    pub levels: Vec<Level>,
    /// The level to use when none is asked for.
    pub default_level: String,
    /// Affinity and anti-affinity rules.
    pub affinity: Vec<Affinity>,
    /// Helm charts and the like that are deployed as one (`Mciop`).
    pub mciops: Vec<Mciop>,
}

impl Flavour {
    /// How many instances of each VDU there are when each aspect is at the given level.
    ///
    /// Aspects that are not named are at level 0; levels beyond the last count as the last.
    #[must_use]
    pub fn counts_at(&self, levels: &BTreeMap<String, u32>) -> BTreeMap<String, u32> {
        let start = self.vdus.iter().map(|v| (v.id.clone(), v.initial_instances));
        let mut counts: BTreeMap<String, u32> = start.collect();
        for aspect in &self.aspects {
            let level = levels.get(&aspect.id).copied().unwrap_or(0);
            for step in aspect.steps.iter().take(usize::try_from(level).unwrap_or(usize::MAX)) {
                for (vdu, delta) in step {
                    let count = counts.entry(vdu.clone()).or_default();
                    *count = count.saturating_add(*delta);
                }
            }
        }
        counts
    }

    /// The instantiation level of this id.
    #[must_use]
    pub fn level(&self, id: &str) -> Option<&Level> {
        self.levels.iter().find(|l| l.id == id)
    }
}

/// What a deployment unit becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VduKind {
    /// A virtual machine (`Vdu.Compute`).
    Compute,
    /// A group of containers (`Vdu.OsContainerDeployableUnit`).
    Container,
}

/// A deployment unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vdu {
    /// Name of the node template.
    pub id: String,
    /// `name`, else the id.
    pub name: String,
    /// `description`.
    pub description: String,
    /// Virtual machine or containers.
    pub kind: VduKind,
    /// Thousandths of a processor.
    pub vcpu_milli: u64,
    /// Memory in MiB, rounded up.
    pub memory_mib: u64,
    /// Local disks in GiB, each rounded up, together.
    pub disk_gib: u64,
    /// Ids of the storages attached.
    pub storages: Vec<String>,
    /// Ids of its software images in [`crate::VnfPackage::images`].
    pub images: Vec<String>,
    /// Connection points, in the order of their `order`.
    pub connection_points: Vec<ConnectionPoint>,
    /// `vdu_profile.min_number_of_instances`.
    pub min_instances: u32,
    /// `vdu_profile.max_number_of_instances`.
    pub max_instances: u32,
    /// Instances when all aspects are at level 0.
    pub initial_instances: u32,
    /// Containers of a deployable unit.
    pub containers: Vec<Container>,
    /// Line of the node template in its flavour's file.
    pub line: u32,
}

/// One container of a deployable unit (`Vdu.OsContainer`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Name of the node template.
    pub id: String,
    /// `name`, else the id.
    pub name: String,
    /// Thousandths of a processor.
    pub vcpu_milli: u64,
    /// Memory in MiB, rounded up.
    pub memory_mib: u64,
    /// Ids of its software images.
    pub images: Vec<String>,
}

/// A deployment unit's port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionPoint {
    /// Name of the node template.
    pub id: String,
    /// The internal virtual link it is on.
    pub virtual_link: Option<String>,
    /// `layer_protocols`.
    pub layer_protocols: Vec<String>,
    /// `order` among the unit's ports.
    pub order: Option<u64>,
    /// `vnic_type`.
    pub vnic_type: Option<String>,
    /// Whether it can be connected from outside.
    pub external: bool,
}

/// Something that can be connected from outside the VNF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalCp {
    /// `cpdId`: name of the node template.
    pub id: String,
    /// Internal link behind it, for a `VnfExtCp`.
    pub virtual_link: Option<String>,
    /// The VDU's connection point that is exposed, for a `VduCp`.
    pub vdu_cp: Option<String>,
    /// `layer_protocols`.
    pub layer_protocols: Vec<String>,
    /// The requirement of the VNF node that it answers.
    pub requirement: Option<String>,
}

/// What a storage offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageKind {
    /// A block device.
    Block,
    /// An object store.
    Object,
    /// A shared file system.
    File,
}

/// A storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Name of the node template.
    pub id: String,
    /// What it offers.
    pub kind: StorageKind,
    /// Size in GiB, rounded up.
    pub size_gib: u64,
    /// Software image it starts from.
    pub image: Option<String>,
    /// Whether each VNFC instance gets its own (`per_vnfc_instance`, default true).
    pub per_instance: bool,
}

/// An internal virtual link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualLink {
    /// Name of the node template.
    pub id: String,
    /// `description`.
    pub description: Option<String>,
    /// `connectivity_type.layer_protocols`.
    pub layer_protocols: Vec<String>,
    /// The first `cidr` of its layer-3 data.
    pub cidr: Option<String>,
}

/// A scaling aspect with its deltas resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aspect {
    /// `aspectId`.
    pub id: String,
    /// `name`, else the id.
    pub name: String,
    /// `description`.
    pub description: String,
    /// The highest level; the lowest is 0.
    pub max_scale_level: u32,
    /// `steps[i]`: instances added to each VDU from level `i` to `i + 1`.
    pub steps: Vec<BTreeMap<String, u32>>,
}

/// An instantiation level with its counts resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// `levelId`.
    pub id: String,
    /// `description`.
    pub description: String,
    /// Scale level of each aspect named.
    pub scale_levels: BTreeMap<String, u32>,
    /// Instances of each VDU.
    pub counts: BTreeMap<String, u32>,
}

/// An affinity or anti-affinity rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affinity {
    /// Name of the policy.
    pub id: String,
    /// True: apart; false: together.
    pub anti: bool,
    /// `scope`: `nfvi_node`, `zone`, `zone_group`, `nfvi_pop`, `socket`, `network_link_and_node`.
    pub scope: String,
    /// Node templates bound, groups replaced by their members.
    pub members: Vec<String>,
}

/// A managed container infrastructure object package: a helm chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mciop {
    /// Name of the node template.
    pub id: String,
    /// Paths or references of its charts.
    pub artifacts: Vec<String>,
    /// Deployable units it deploys.
    pub vdus: Vec<String>,
}

/// A software image (`tosca.artifacts.nfv.SwImage`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwImage {
    /// Unique in the package: the node template's name, with the artifact's where it has several.
    pub id: String,
    /// `name`.
    pub name: String,
    /// `version`.
    pub version: String,
    /// `provider`.
    pub provider: Option<String>,
    /// `checksum`, else the manifest's.
    pub checksum: Option<Checksum>,
    /// `container_format`, in upper case.
    pub container_format: String,
    /// `disk_format`, in upper case.
    pub disk_format: Option<String>,
    /// `min_disk` in bytes.
    pub min_disk: u64,
    /// `min_ram` in bytes.
    pub min_ram: u64,
    /// `size` in bytes; the file's size where none is given.
    pub size: u64,
    /// Path in the archive.
    pub path: Option<String>,
    /// Reference to an image outside the archive.
    pub uri: Option<String>,
}
