//! The stories of the embedded mode, told to a deployment on AWS or on an emulator.
//!
//! `make test-aws` deploys and runs them; each story runs alone, since all share one deployment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod again;
mod cloud;
mod disturbed;
mod events;
mod gateway;
mod gone;
#[path = "../journeys/refusals.rs"]
mod refusals;
mod restored;
mod runs;
#[path = "../journeys/service.rs"]
mod service;
#[path = "../journeys/steps.rs"]
mod steps;
mod stock;
mod table;
mod tokens;
#[path = "../journeys/tree.rs"]
mod tree;
mod uploads;
#[path = "../journeys/ways.rs"]
mod ways;
mod world;

pub(crate) use steps::{deleted, done, example, onboard_ns, onboard_vnf, packed};
