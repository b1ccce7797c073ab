//! The catalogue: what may be on-boarded, what state it is in, and who uses it.

pub mod usage;
