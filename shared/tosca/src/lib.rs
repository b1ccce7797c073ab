//! SOL004/SOL007 archives and TOSCA descriptors as typed SOL001 values, each with its file and line.
//!
//! ```text
//! Read + Seek ─▶ archive ─▶ meta, manifest ─▶ integrity ─▶ template ─▶ vnfd / nsd / pnfd
//!                (hygiene)                    (digests)    (imports,   (typed, resolved)
//!                                                           types)
//! ```
//! The crate knows no orchestrator: no network, no clock, no store.

mod affinity;
pub mod archive;
mod digest;
mod finding;
mod identity;
mod inspect;
mod integrity;
mod limits;
mod listed;
pub mod manifest;
pub mod meta;
pub mod nsd;
pub mod pack;
pub mod pnfd;
pub mod quantity;
mod reading;
pub mod rules;
mod template;
pub mod types;
pub mod vnfd;
pub mod yaml;

pub use archive::Archive;
pub use finding::{Finding, Located, Place, Refusal};
pub use inspect::{
    AnyPackage, Artifact, ArtifactKind, Classification, NsPackage, Package, PnfPackage,
    SecurityOption, Signature, VnfPackage, checksum, inspect_any, inspect_archive, inspect_ns,
    inspect_pnf, inspect_vnf, resume_ns, resume_vnf,
};
pub use integrity::{Algorithm, Checksum};
pub use limits::Limits;
pub use listed::Listed;
pub use manifest::Manifest;
pub use nsd::Nsd;
pub use pack::pack;
pub use pnfd::Pnfd;
pub use reading::{Memory, Reading};
pub use rules::Mode;
pub use vnfd::Vnfd;
