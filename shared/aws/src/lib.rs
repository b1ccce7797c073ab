//! The ports on AWS, and the Lambda host.
//!
//! ```text
//!   API Gateway ─▶ lambda ─▶ routes ─┐                           ┌─▶ listeners
//!   state machines ─▶ lambda ─▶ steps┼─▶ store ─stream─▶ relay ──┤
//!   SQS, EventBridge ─▶ lambda ──────┘  (one table)              └─▶ bus
//! ```

pub mod blobs;
pub mod bus;
pub mod clients;
pub mod lambda;
mod pause;
pub mod queue;
pub mod settings;
pub mod store;
pub mod tenants;
pub mod workflows;

pub use blobs::S3Blobs;
pub use bus::EventBus;
pub use clients::Clients;
pub use lambda::{no_vims, relay, serve};
pub use mano_ports::clock::{RandomIds, SystemClock};
pub use queue::SqsQueue;
pub use settings::Settings;
pub use store::DynamoStore;
pub use workflows::StepFunctions;
