//! Whole stories, as a client of the interfaces lives them.

mod disabled;
mod events;
mod free5gc;
mod leftovers;
mod packages;
mod redrive;
mod refusals;
mod runs;
mod service;
mod steps;
mod tree;
pub(crate) mod ways;

pub(crate) use steps::{archive, deleted, done, example, onboard_ns, onboard_vnf, packed};
