//! The host on Lambda: reads the tables of functions and calls the row an event is for.
//!
//! ```text
//!   invocation ─▶ asked (what is it?) ─┬─ API request  ─▶ door ─▶ route
//!                                      ├─ step call    ─▶ step
//!                                      ├─ SQS messages ─▶ consumer       (partial failures)
//!                                      └─ an event     ─▶ interests
//!   the relay's own: stream records, the scheduled event ─▶ listeners
//! ```

mod answer;
mod api;
mod asked;
mod caller;
mod failure;
mod host;
mod issuer;
mod messages;
mod metric;
mod relay;
mod run;
mod surroundings;

pub use failure::Failure;
pub use host::Host;
pub use relay::RelayHost;
pub use run::{relay, serve};
pub use surroundings::{Drivers, Surroundings, no_vims};
