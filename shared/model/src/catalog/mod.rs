//! The catalogue: what may be on-boarded, what state it is in, and who uses it.
//!
//! ```text
//!   upload.rs    bytes arrive               CREATED, ERROR ─▶ UPLOADING ─▶ PROCESSING
//!   onboard.rs   the workflow's verdict     PROCESSING ─▶ ONBOARDED or ERROR
//!   modify.rs    create, enable, disable, note, delete
//!   usage.rs     how often a descriptor is used, and whether anyone new may
//! ```

pub mod entry;
#[cfg(test)]
mod fixture;
pub mod modify;
pub mod nsd_info;
pub mod onboard;
pub mod onboarding;
pub mod upload;
pub mod usage;
pub mod vnf_package;

pub use entry::{Entry, Family, OperationalState, Remark};
pub use nsd_info::NsdInfo;
pub use onboarding::{Content, Expected, Failure, Onboarding, Progress, State, Upload};
pub use vnf_package::VnfPackage;
