//! The stories of the embedded mode, told to a deployment on AWS or on an emulator.
//!
//! `make test-aws` deploys and runs them; each story runs alone, since all share one deployment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod cloud;
mod events;
mod gateway;
#[path = "../journeys/service.rs"]
mod service;
mod sign;
#[path = "../journeys/steps.rs"]
mod steps;
mod uploads;
mod world;

pub(crate) use steps::{deleted, done, example, onboard_ns, onboard_vnf};
