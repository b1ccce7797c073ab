//! The families of documents there are.

use serde::{Deserialize, Serialize};

/// A closed list, in one table, so that what goes over all kinds cannot forget one.
macro_rules! kinds {
    ($($(#[$meaning:meta])+ $kind:ident: $key:literal, $noun:literal;)+) => {
        /// The families of documents the orchestrator remembers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$meaning])+ #[serde(rename = $key)] $kind,)+
        }

        impl Kind {
            /// Every kind, once.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in keys.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $key,)+
                }
            }

            /// What a person calls one of these.
            #[must_use]
            pub const fn noun(self) -> &'static str {
                match self {
                    $(Self::$kind => $noun,)+
                }
            }
        }
    };
}

kinds! {
    /// A VNF package as on-boarded (SOL005 `VnfPkgInfo`).
    VnfPackage: "vnf-package", "VNF package";
    /// A VNF descriptor as lifecycle decisions need it, by `vnfdId`.
    Vnfd: "vnfd", "enabled VNF descriptor";
    /// An NS descriptor's information (SOL005 `NsdInfo`).
    NsdInfo: "nsd-info", "NS descriptor";
    /// An NS descriptor as lifecycle decisions need it, by `nsdId`.
    Nsd: "nsd", "enabled NS descriptor";
    /// A VNF instance.
    VnfInstance: "vnf-instance", "VNF instance";
    /// A VNF LCM operation occurrence.
    VnfOp: "vnf-op", "VNF LCM operation occurrence";
    /// An NS instance.
    NsInstance: "ns-instance", "NS instance";
    /// An NS LCM operation occurrence.
    NsOp: "ns-op", "NS LCM operation occurrence";
    /// A grant: where each resource of an operation goes. Its id is the operation's.
    Grant: "grant", "grant";
    /// What became of one step: `{operation}/{step}`.
    Step: "step", "step";
    /// A resource that exists or may exist: `{instance}/{resource}`.
    Resource: "resource", "resource";
    /// A VIM the orchestrator may use.
    Vim: "vim", "VIM";
    /// Capacity and reservations of one zone: `{vim}/{zone}`.
    Zone: "zone", "zone";
    /// Work a VIM goes on with by itself, and whom to tell: `{operation}/{step}`.
    Watch: "watch", "watch";
    /// The memory of a simulated VIM: `{vim}/{resource}`.
    SimResource: "sim-resource", "simulated resource";
    /// The behaviour of a simulated VIM.
    SimVim: "sim-vim", "simulated VIM";
    /// The memory of a simulated VIM of who may still act: `{vim}/{key}`.
    SimFence: "sim-fence", "fence";
    /// What one component remembers for itself, by a name it chooses: usage, uploads, requests heard.
    Note: "note", "note";
}

impl Kind {
    /// Whether it is the memory of the simulated VIM, which an orchestrator of real ones does not have.
    #[must_use]
    pub const fn is_simulated(self) -> bool {
        matches!(self, Self::SimResource | Self::SimVim | Self::SimFence)
    }
}
