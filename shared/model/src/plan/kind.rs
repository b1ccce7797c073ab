//! The families of documents there are.

use serde::{Deserialize, Serialize};

/// The families of documents the orchestrator remembers.
///
/// A closed list, so that tables of access rights and upgrades can be checked
/// against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A VNF package as on-boarded (SOL005 `VnfPkgInfo`).
    VnfPackage,
    /// A VNF descriptor as lifecycle decisions need it, by `vnfdId`.
    Vnfd,
    /// An NS descriptor's information (SOL005 `NsdInfo`).
    NsdInfo,
    /// An NS descriptor as lifecycle decisions need it, by `nsdId`.
    Nsd,
    /// A VNF instance.
    VnfInstance,
    /// A VNF LCM operation occurrence.
    VnfOp,
    /// An NS instance.
    NsInstance,
    /// An NS LCM operation occurrence.
    NsOp,
    /// A grant: where each resource of an operation goes. Its id is the operation's.
    Grant,
    /// What became of one step: `{operation}/{step}`.
    Step,
    /// A resource that exists or may exist: `{instance}/{resource}`.
    Resource,
    /// A VIM the orchestrator may use.
    Vim,
    /// Capacity and reservations of one zone: `{vim}/{zone}`.
    Zone,
    /// Work a VIM goes on with by itself, and whom to tell: `{operation}/{step}`.
    Watch,
    /// The memory of a simulated VIM: `{vim}/{resource}`.
    SimResource,
    /// The behaviour of a simulated VIM.
    SimVim,
    /// The memory of a simulated VIM of who may still act: `{vim}/{key}`.
    SimFence,
    /// A counter or note of one component's own, by a name it chooses.
    Note,
}

impl Kind {
    /// The name in keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VnfPackage => "vnf-package",
            Self::Vnfd => "vnfd",
            Self::NsdInfo => "nsd-info",
            Self::Nsd => "nsd",
            Self::VnfInstance => "vnf-instance",
            Self::VnfOp => "vnf-op",
            Self::NsInstance => "ns-instance",
            Self::NsOp => "ns-op",
            Self::Grant => "grant",
            Self::Step => "step",
            Self::Resource => "resource",
            Self::Vim => "vim",
            Self::Zone => "zone",
            Self::Watch => "watch",
            Self::SimResource => "sim-resource",
            Self::SimVim => "sim-vim",
            Self::SimFence => "sim-fence",
            Self::Note => "note",
        }
    }

    /// What a person calls one of these.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::VnfPackage => "VNF package",
            Self::Vnfd => "enabled VNF descriptor",
            Self::NsdInfo => "NS descriptor",
            Self::Nsd => "enabled NS descriptor",
            Self::VnfInstance => "VNF instance",
            Self::VnfOp => "VNF LCM operation occurrence",
            Self::NsInstance => "NS instance",
            Self::NsOp => "NS LCM operation occurrence",
            Self::Grant => "grant",
            Self::Step => "step",
            Self::Resource => "resource",
            Self::Vim => "VIM",
            Self::Zone => "zone",
            Self::Watch => "watch",
            Self::SimResource => "simulated resource",
            Self::SimVim => "simulated VIM",
            Self::SimFence => "fence",
            Self::Note => "note",
        }
    }
}
