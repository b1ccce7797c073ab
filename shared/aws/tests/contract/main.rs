//! The laws of every port, on AWS: against an emulator or an account, never by accident.
//!
//! `MANO_TEST_AWS=emulator` speaks to `AWS_ENDPOINT_URL` with made-up keys;
//! `MANO_TEST_AWS=account` speaks to the account of the environment, where it makes tables,
//! queues, buckets and buses named `mano-law-…` and removes them. Without it every law is
//! skipped by name: credentials that happen to lie around make no test talk to anybody.

#![expect(clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

mod blobs;
mod bus;
mod ends;
mod queue;
mod relay;
mod store;
mod workflows;
mod world;
