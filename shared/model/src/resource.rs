//! What a VIM shall hold for a network function: kinds, needs, and the record of what exists.

use crate::plan::{Add, Document, Index, Kind};
use serde::{Deserialize, Serialize};

/// The kinds of things a VIM makes, in the order they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResourceKind {
    /// A virtual link (SOL003 `VL`).
    Network,
    /// A virtual storage (SOL003 `STORAGE`).
    Storage,
    /// A virtual machine or a container workload (SOL003 `COMPUTE`, `OSCONTAINER`).
    Compute,
}

/// Amounts that a zone has and a resource takes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Amounts {
    /// Thousandths of a virtual CPU.
    pub vcpu_milli: i64,
    /// MiB of memory.
    pub memory_mib: i64,
    /// GiB of storage.
    pub storage_gib: i64,
}

impl Amounts {
    /// What takes so much of an account whose fields for CPU, memory and storage have these names,
    /// and of none more than `most`.
    #[must_use]
    pub fn take(self, most: Self, fields: [&'static str; 3]) -> Vec<Add> {
        let each = [
            (self.vcpu_milli, most.vcpu_milli),
            (self.memory_mib, most.memory_mib),
            (self.storage_gib, most.storage_gib),
        ];
        let adds = fields.into_iter().zip(each).map(|(field, (by, max))| Add { field, by, max });
        adds.filter(|add| add.by != 0).collect()
    }
}

impl std::ops::Add for Amounts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            vcpu_milli: self.vcpu_milli + other.vcpu_milli,
            memory_mib: self.memory_mib + other.memory_mib,
            storage_gib: self.storage_gib + other.storage_gib,
        }
    }
}

impl std::ops::Neg for Amounts {
    type Output = Self;
    fn neg(self) -> Self {
        Self {
            vcpu_milli: -self.vcpu_milli,
            memory_mib: -self.memory_mib,
            storage_gib: -self.storage_gib,
        }
    }
}

/// What one resource shall be; says nothing of where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Want {
    /// Name within its instance, stable for life: `forwarding-1`, `forwarding-1.disk`, `internal`.
    pub name: String,
    /// Its kind.
    pub kind: ResourceKind,
    /// The VDU, storage or virtual link of the descriptor it comes from.
    pub template: String,
    /// What it takes from its zone.
    pub amounts: Amounts,
    /// The software image it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Names of resources of the same instance it is joined to: networks and storages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<String>,
}

/// Whether a recorded resource is known to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Presence {
    /// The VIM said so.
    Present,
    /// It may exist: the VIM was asked to make it and gave no clear answer, or it was made and
    /// the VIM has not known it since.
    Suspect,
}

/// A resource that exists, or may exist: the inventory's row.
///
/// Written in the commit that records the VIM's answer, deleted in the commit
/// that records its removal; so what exists is always in the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// The VNF or NS instance it belongs to.
    pub instance_id: String,
    /// What was wanted.
    pub want: Want,
    /// The key the VIM carries it under, which also removes it.
    pub key: String,
    /// Where it is.
    pub vim_id: String,
    /// The zone of the VIM.
    pub zone_id: String,
    /// The VIM's own name of it (SOL003 `resourceId`); none while only suspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Whether it is known to exist.
    pub presence: Presence,
    /// The operation that made it.
    pub op_id: String,
}

impl Resource {
    /// The identity of the resource `name` of an instance.
    #[must_use]
    pub fn id_of(instance: &str, name: &str) -> String {
        format!("{instance}/{name}")
    }
}

impl Document for Resource {
    const KIND: Kind = Kind::Resource;
    fn id(&self) -> String {
        Self::id_of(&self.instance_id, &self.want.name)
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![(Index::VimId, self.vim_id.clone())]
    }
}
