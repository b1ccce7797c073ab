//! What this host offers to tasks: functions, nested executions, the bus, queues, objects.

mod functions;
mod messages;
mod nested;
mod objects;

use super::Engine;
use crate::dispatch::Dispatch;
use mano_asl::host::{ACTIVITY, Answer, Service};
use serde_json::Value;
use std::sync::{Arc, Weak};

/// The engine, as a service sees it: it goes before its services do.
#[derive(Clone)]
struct Home(Weak<Engine>);

impl Home {
    fn engine(&self) -> Option<Arc<Engine>> {
        self.0.upgrade()
    }

    /// The tables and ports of the host, while it runs.
    fn dispatch(&self) -> Option<Arc<Dispatch>> {
        self.engine()?.world.get()?.dispatch.upgrade()
    }
}

/// Every service of this host.
pub(super) fn all(engine: &Weak<Engine>) -> Vec<Box<dyn Service>> {
    let home = || Home(Weak::clone(engine));
    vec![
        Box::new(functions::Functions(home())),
        Box::new(nested::Executions(home())),
        Box::new(nested::Tokens(home())),
        Box::new(messages::Events(home())),
        Box::new(messages::Messages(home())),
        Box::new(objects::Objects(home())),
    ]
}

/// The names of everything that services offer, and of what the engine itself does.
pub(super) fn offers<'a>(services: impl Iterator<Item = &'a Box<dyn Service>>) -> Vec<&'a str> {
    let own = services.flat_map(|service| service.offers().iter().copied());
    own.chain([ACTIVITY]).collect()
}

/// An answer in JSON.
fn returned(output: &Value) -> Answer {
    Answer::Returned(output.to_string())
}

/// How AWS's optimised integrations word a failure.
fn refused(error: &str, service: &str, code: &str, message: &str) -> Answer {
    let cause = format!(
        "{message} (Service: {service}; Status Code: 400; Error Code: {code}; \
         Request ID: local; Proxy: null)"
    );
    Answer::failed(error, cause)
}
