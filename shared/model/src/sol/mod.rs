//! The wire forms of ETSI's interfaces and the conventions they share.

mod body;
pub mod left_out;
pub mod sol003;
pub mod sol005;
pub mod sol013;

pub use body::{parse, read};
