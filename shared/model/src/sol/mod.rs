//! The wire forms of ETSI's interfaces and the conventions they share.

pub mod sol003;
pub mod sol005;
pub mod sol013;
