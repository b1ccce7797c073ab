//! The words and laws of MANO: identities, entities, lifecycles, decisions.
//!
//! Everything here is a value or a pure function. No clock, no store, no
//! network: a caller passes facts in and gets a plan, or a refusal, back.

pub mod bound;
pub mod catalog;
pub mod descriptor;
pub mod grant;
pub mod ids;
pub mod ns;
pub mod op;
pub mod plan;
pub mod refusal;
pub mod request;
pub mod resource;
pub mod sim;
pub mod sol;
pub mod step;
pub mod vim;
pub mod vnf;
pub mod watch;

pub use ids::{SiteId, TenantId};
pub use refusal::Refusal;
