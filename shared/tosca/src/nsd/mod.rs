//! A network service descriptor (SOL001 clause 7) with numbers of instances resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::finding::Located;
use crate::vnfd::{Affinity, VirtualLink};

mod flavour;
mod profile;
mod read;
mod scaling;

pub(crate) use read::{is_designed, read};

/// A network service descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nsd {
    /// `descriptor_id`.
    pub nsd_id: Located<String>,
    /// `designer`.
    pub designer: String,
    /// `name`.
    pub name: String,
    /// `version`.
    pub version: String,
    /// `invariant_id`.
    pub invariant_id: String,
    /// The deployment flavours; never empty, ids unique.
    pub flavours: Vec<NsFlavour>,
}

impl Nsd {
    /// The flavour of this id.
    #[must_use]
    pub fn flavour(&self, id: &str) -> Option<&NsFlavour> {
        self.flavours.iter().find(|f| f.id == id)
    }

    /// Ids of all VNF descriptors that some flavour uses.
    #[must_use]
    pub fn vnfd_ids(&self) -> BTreeSet<&str> {
        let profiles = self.flavours.iter().flat_map(NsFlavour::vnf_profiles);
        profiles.map(|p| p.descriptor_id.as_str()).collect()
    }
}

/// What a profile makes instances of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constituent {
    /// A virtual network function.
    Vnf,
    /// A physical network function.
    Pnf,
    /// A nested network service.
    Ns,
}

/// A deployment flavour of a network service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NsFlavour {
    /// `flavour_id`.
    pub id: String,
    /// File of its template inside the archive.
    pub file: std::sync::Arc<str>,
    /// VNF, PNF and NS profiles, in the order of the template.
    pub profiles: Vec<Profile>,
    /// NS virtual links.
    pub virtual_links: Vec<VirtualLink>,
    /// Service access points.
    pub saps: Vec<Sap>,
    /// Scaling aspects.
    pub aspects: Vec<NsAspect>,
    /// Instantiation levels; never empty.
    pub levels: Vec<NsLevel>,
    /// The level to use when none is asked for.
    pub default_level: String,
    /// Affinity and anti-affinity rules between profiles.
    pub affinity: Vec<Affinity>,
}

impl NsFlavour {
    /// The instantiation level of this id.
    #[must_use]
    pub fn level(&self, id: &str) -> Option<&NsLevel> {
        self.levels.iter().find(|l| l.id == id)
    }

    /// The VNF profiles.
    pub fn vnf_profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter().filter(|p| p.kind == Constituent::Vnf)
    }
}

/// One constituent of a network service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// `vnfProfileId` and the like: name of the node template.
    pub id: String,
    /// What it is.
    pub kind: Constituent,
    /// Its descriptor's id.
    pub descriptor_id: String,
    /// The flavour to use; none: the descriptor's default.
    pub flavour_id: Option<String>,
    /// The instantiation level to use; none: the flavour's default.
    pub level_id: Option<String>,
    /// Least number of instances.
    pub min_instances: u32,
    /// Greatest number of instances.
    pub max_instances: u32,
    /// Profiles that must be there first.
    pub after: Vec<String>,
    /// NS virtual links it is on, with the requirement that says so.
    pub links: Vec<Connection>,
    /// Line of the node template in its flavour's file.
    pub line: u32,
}

/// A constituent's connection to an NS virtual link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Name of the requirement.
    pub requirement: String,
    /// NS virtual link.
    pub virtual_link: String,
}

/// A service access point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sap {
    /// `sapdId`: name of the node template.
    pub id: String,
    /// NS virtual link behind it.
    pub virtual_link: Option<String>,
    /// `layer_protocols`.
    pub layer_protocols: Vec<String>,
}

/// A scaling aspect of a network service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NsAspect {
    /// `aspectId`.
    pub id: String,
    /// `name`, else the id.
    pub name: String,
    /// `description`.
    pub description: String,
    /// The highest level; the lowest is 0.
    pub max_scale_level: u32,
    /// `counts[i]`: instances of each scaled profile at level `i`.
    pub counts: Vec<BTreeMap<String, u32>>,
}

impl NsAspect {
    /// `steps[i]`: instances of each profile added from level `i` to `i + 1`.
    #[must_use]
    pub fn steps(&self) -> Vec<BTreeMap<String, u32>> {
        let step = |pair: &[BTreeMap<String, u32>]| {
            let [from, to] = pair else { return BTreeMap::new() };
            let before = |id: &String| from.get(id).copied().unwrap_or(0);
            to.iter().map(|(id, n)| (id.clone(), n.saturating_sub(before(id)))).collect()
        };
        self.counts.windows(2).map(step).collect()
    }
}

/// An instantiation level of a network service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NsLevel {
    /// `nsInstantiationLevelId`.
    pub id: String,
    /// `description`.
    pub description: String,
    /// The level of each aspect whose counts are the ones here.
    pub scale_levels: BTreeMap<String, u32>,
    /// Instances of each profile.
    pub counts: BTreeMap<String, u32>,
}
