//! Descriptors as lifecycle decisions need them: SOL001 with everything already resolved.
//!
//! On-boarding makes these from a package once; no decision looks at TOSCA again.

mod aspect;

pub use aspect::Aspect;

use crate::{
    Refusal,
    plan::{Document, Index, Kind},
    resource::Amounts,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A VNF descriptor (SOL001 `tosca.nodes.nfv.VNF` and what it is made of).
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vnfd {
    /// `descriptor_id`.
    pub vnfd_id: String,
    /// The package that brought it.
    pub vnf_pkg_id: String,
    /// `provider`.
    pub provider: String,
    /// `product_name`.
    pub product_name: String,
    /// `software_version`.
    pub software_version: String,
    /// `descriptor_version`.
    pub descriptor_version: String,
    /// `vnfm_info`.
    pub vnfm_info: Vec<String>,
    /// The deployment flavours; at least one.
    pub flavours: Vec<VnfFlavour>,
}

/// The flavour that is asked for by id, or the only one there is.
pub(crate) fn flavour<'a, F>(
    all: &'a [F],
    id_of: impl Fn(&'a F) -> &'a str,
    asked: Option<&str>,
    attribute: &str,
    whole: impl Fn() -> String,
) -> Result<&'a F, Refusal> {
    match (asked, all) {
        (None, [only]) => Ok(only),
        (None, _) => {
            let known: Vec<_> = all.iter().map(id_of).collect();
            Err(Refusal::unprocessable(format!(
                "{attribute} is missing, and {} has more than one flavour; name one of: {}",
                whole(),
                known.join(", ")
            )))
        }
        (Some(id), _) => part(all, id_of, "flavour", id, whole),
    }
}

/// The part of this id, or a refusal that names those there are.
pub(crate) fn part<'a, P>(
    all: &'a [P],
    id_of: impl Fn(&'a P) -> &'a str,
    kind: &str,
    id: &str,
    whole: impl Fn() -> String,
) -> Result<&'a P, Refusal> {
    let found = all.iter().find(|part| id_of(part) == id);
    found.ok_or_else(|| Refusal::unknown(&whole(), kind, id, all.iter().map(&id_of)))
}

/// The aspect of this id, of a flavour.
pub(crate) fn aspect<'a>(
    all: &'a [Aspect],
    id: &str,
    flavour: &str,
) -> Result<&'a Aspect, Refusal> {
    part(all, |a| &a.id, "scaling aspect", id, || format!("flavour '{flavour}'"))
}

impl Vnfd {
    /// The flavour of this id.
    #[must_use]
    pub fn flavour(&self, id: &str) -> Option<&VnfFlavour> {
        self.flavours.iter().find(|f| f.id == id)
    }
}

impl Document for Vnfd {
    const KIND: Kind = Kind::Vnfd;
    fn id(&self) -> String {
        self.vnfd_id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![(Index::VnfPkgId, self.vnf_pkg_id.clone())]
    }
}

/// One way of deploying a VNF (SOL001 deployment flavour).
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfFlavour {
    /// `flavour_id`.
    pub id: String,
    /// For people.
    pub description: String,
    /// Its deployment units.
    pub vdus: Vec<Vdu>,
    /// Its internal virtual links.
    pub virtual_links: Vec<VirtualLink>,
    /// Its external connection points.
    pub external_cps: Vec<ExternalCp>,
    /// What can be scaled.
    pub aspects: Vec<Aspect>,
    /// The sizes it can be instantiated at; at least one.
    pub levels: Vec<VnfLevel>,
    /// The level when the request names none.
    pub default_level: String,
    /// Which units shall or shall not be near each other.
    pub affinity: Vec<AffinityRule>,
}

/// A deployment unit (SOL001 `Vdu.Compute`, `Vdu.OsContainerDeployableUnit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vdu {
    /// The node template's name.
    pub id: String,
    /// For people.
    pub name: String,
    /// A virtual machine, or containers.
    pub kind: VduKind,
    /// What one instance takes, its own disk included.
    pub amounts: Amounts,
    /// The software image.
    pub image: Option<String>,
    /// Storages each instance gets one of.
    pub storages: Vec<Storage>,
    /// Its connection points.
    pub cps: Vec<VduCp>,
    /// `vdu_profile.min_number_of_instances`.
    pub min_instances: u32,
    /// `vdu_profile.max_number_of_instances`.
    pub max_instances: u32,
}

/// What a deployment unit is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VduKind {
    /// A virtual machine.
    Compute,
    /// A group of containers.
    Container,
}

/// A storage (SOL001 `Vdu.Virtual{Block,Object,File}Storage`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// The node template's name.
    pub id: String,
    /// `BLOCK`, `OBJECT` or `FILE`.
    pub kind: String,
    /// Size in GiB.
    pub size_gib: i64,
    /// The image it starts from.
    pub image: Option<String>,
}

/// A connection point of a unit (SOL001 `VduCp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VduCp {
    /// The node template's name.
    pub id: String,
    /// The internal virtual link it is on, if any.
    pub virtual_link: Option<String>,
}

/// An internal virtual link (SOL001 `VnfVirtualLink`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VirtualLink {
    /// The node template's name.
    pub id: String,
}

/// An external connection point (SOL001 `VnfExtCp`, or an exposed `VduCp`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalCp {
    /// `cpdId`: the node template's, or requirement's, name.
    pub id: String,
    /// The internal virtual link behind it, if any.
    pub virtual_link: Option<String>,
    /// The unit's connection point behind it, if any.
    pub vdu_cp: Option<String>,
}

/// A size at which a VNF can be instantiated (SOL001 instantiation level).
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfLevel {
    /// `levelId`.
    pub id: String,
    /// The level of each aspect.
    pub scale: BTreeMap<String, u32>,
    /// The number of instances of each unit.
    pub vdus: BTreeMap<String, u32>,
}

/// Where members of a group may be relative to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AffinityRule {
    /// True: apart; false: together.
    pub anti: bool,
    /// Apart or together in what.
    pub scope: AffinityScope,
    /// The units (VNFD) or VNF profiles (NSD) it binds, each with all its instances.
    pub members: Vec<String>,
}

/// The scopes of SOL001 `affinity_rule`, from small to large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AffinityScope {
    /// One host.
    NfviNode,
    /// One zone.
    Zone,
    /// One group of zones.
    ZoneGroup,
    /// One point of presence: here, one VIM.
    NfviPop,
    /// One socket or network link: left to the VIM.
    #[serde(other)]
    Other,
}

/// An NS descriptor (SOL001 `tosca.nodes.nfv.NS` and what it is made of).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nsd {
    /// `descriptor_id`.
    pub nsd_id: String,
    /// The NSD information resource that brought it.
    pub nsd_info_id: String,
    /// `name`.
    pub name: String,
    /// `designer`.
    pub designer: String,
    /// `version`.
    pub version: String,
    /// `invariant_id`.
    pub invariant_id: String,
    /// The deployment flavours; at least one.
    pub flavours: Vec<NsFlavour>,
}

impl Nsd {
    /// The flavour of this id.
    #[must_use]
    pub fn flavour(&self, id: &str) -> Option<&NsFlavour> {
        self.flavours.iter().find(|f| f.id == id)
    }
}

impl Document for Nsd {
    const KIND: Kind = Kind::Nsd;
    fn id(&self) -> String {
        self.nsd_id.clone()
    }
}

/// One way of deploying a network service.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsFlavour {
    /// `flavour_id`.
    pub id: String,
    /// The network functions it is made of.
    pub vnf_profiles: Vec<VnfProfile>,
    /// The links between them.
    pub virtual_links: Vec<VirtualLink>,
    /// Its service access points, by `sapdId`.
    pub saps: Vec<String>,
    /// What can be scaled.
    pub aspects: Vec<Aspect>,
    /// The sizes it can be instantiated at; at least one.
    pub levels: Vec<NsLevel>,
    /// The level when the request names none.
    pub default_level: String,
    /// Which network functions shall or shall not be near each other.
    pub affinity: Vec<AffinityRule>,
}

/// One kind of network function in a network service (SOL001 `vnf_profile`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfProfile {
    /// `vnfProfileId`: the node template's name.
    pub id: String,
    /// Its VNF descriptor.
    pub vnfd_id: String,
    /// The flavour to use; none: the descriptor's first.
    pub flavour_id: Option<String>,
    /// The level to use; none: the flavour's default.
    pub level_id: Option<String>,
    /// `min_number_of_instances`.
    pub min_instances: u32,
    /// `max_number_of_instances`.
    pub max_instances: u32,
    /// Profiles that must be there first.
    pub after: Vec<String>,
    /// NS virtual links it is on.
    pub virtual_links: Vec<String>,
}

/// A size at which a network service can be instantiated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsLevel {
    /// `nsInstantiationLevelId`.
    pub id: String,
    /// The level of each aspect.
    pub scale: BTreeMap<String, u32>,
    /// The number of instances of each VNF profile.
    pub vnfs: BTreeMap<String, u32>,
}
