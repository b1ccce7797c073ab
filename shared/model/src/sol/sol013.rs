//! What all ETSI NFV-MANO interfaces share on the wire (SOL013): filters, selectors, paging,
//! versions and problem details.
//!
//! ```text
//!   Listing (the type's attributes) + query ──▶ Filter ──keeps?──▶ Selector ──▶ what the client sees
//! ```
//!
//! Pure: a door (`mano-ports`) reads requests and calls this.

pub mod filter;
pub mod links;
pub mod marker;
pub mod path;
pub mod problem;
pub mod selector;
pub mod shape;
pub mod version;

pub use filter::Filter;
pub use links::LINK;
pub use marker::Marker;
pub use problem::ProblemDetails;
pub use selector::Selector;
pub use shape::{Attribute, Kind, Listing, any, boolean, date_time, map, number, object, text};
pub use version::{Api, Version};
