//! The bus port on EventBridge: what it did not take is sent again.

use crate::{clients::Clients, pause::jittered, settings::Settings};
use async_trait::async_trait;
use aws_sdk_eventbridge::{primitives::DateTime, types::PutEventsRequestEntry};
use mano_model::plan::Announced;
use mano_ports::{
    bus::{Bus, Error},
    clock::Clock,
};
use std::{sync::Arc, time::Duration};

/// EventBridge takes so many events at a time,
const AT_A_TIME: usize = 10;
/// and so many bytes of them; what it counts beside their texts has room in the rest of 256 KiB.
const BYTES: usize = 250 << 10;
/// How often events are sent that the bus did not take.
const ATTEMPTS: u32 = 6;

/// An event bus by its name.
pub struct EventBus {
    client: aws_sdk_eventbridge::Client,
    name: String,
    clock: Arc<dyn Clock>,
}

impl EventBus {
    /// The bus that the settings name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        Self { client: clients.eventbridge.clone(), name: settings.bus.clone(), clock }
    }

    fn entry(&self, fact: &Announced) -> Result<PutEventsRequestEntry, Error> {
        let detail =
            serde_json::to_string(fact).map_err(|error| Error::Unavailable(Box::new(error)))?;
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source("mano")
            .detail_type(&fact.fact.name)
            .detail(detail)
            .time(DateTime::from_millis(fact.at.as_millisecond()))
            .build())
    }

    /// Sends until every entry was taken.
    async fn send(&self, mut entries: Vec<PutEventsRequestEntry>) -> Result<(), Error> {
        let mut attempt = 0;
        loop {
            let put = self.client.put_events().set_entries(Some(entries.clone()));
            let put = put.send().await.map_err(|error| Error::Unavailable(Box::new(error)))?;
            if put.failed_entry_count == 0 {
                return Ok(());
            }
            let answers = put.entries.unwrap_or_default();
            let reason = answers.iter().find_map(|answer| answer.error_code.clone());
            let failed = entries.into_iter().zip(&answers);
            entries = failed.filter(|(_, a)| a.error_code.is_some()).map(|(e, _)| e).collect();
            attempt += 1;
            if attempt >= ATTEMPTS {
                let reason = reason.unwrap_or_else(|| "no reason given".into());
                return Err(Error::Unavailable(format!("events were not taken: {reason}").into()));
            }
            let (base, most) = (Duration::from_millis(50), Duration::from_secs(2));
            self.clock.sleep(jittered(attempt, base, most)).await;
        }
    }
}

#[async_trait]
impl Bus for EventBus {
    async fn publish(&self, facts: &[Announced]) -> Result<(), Error> {
        let entries = facts.iter().map(|fact| self.entry(fact)).collect::<Result<_, _>>()?;
        for call in calls(entries) {
            self.send(call).await?;
        }
        Ok(())
    }
}

/// The entries in their order, in calls that EventBridge takes.
fn calls(entries: Vec<PutEventsRequestEntry>) -> Vec<Vec<PutEventsRequestEntry>> {
    let mut calls: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let parts = [entry.source(), entry.detail_type(), entry.detail()];
        let size: usize = parts.into_iter().flatten().map(str::len).sum();
        match calls.last_mut() {
            Some(call) if call.len() < AT_A_TIME && bytes + size <= BYTES => {
                bytes += size;
                call.push(entry);
            }
            Some(_) | None => {
                bytes = size;
                calls.push(vec![entry]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_as_many_events_and_bytes_as_the_bus_takes() {
        let entry = |size| PutEventsRequestEntry::builder().detail("x".repeat(size)).build();
        let sizes = |entries: &[usize]| {
            let calls = calls(entries.iter().copied().map(entry).collect());
            let size = |entry: &PutEventsRequestEntry| entry.detail().unwrap_or_default().len();
            calls.iter().map(|call| call.iter().map(size).collect()).collect::<Vec<Vec<_>>>()
        };
        assert_eq!(sizes(&[]), [[0; 0]; 0]);
        assert_eq!(sizes(&[1; 23]), [vec![1; 10], vec![1; 10], vec![1; 3]]);
        let large = 100 << 10;
        assert_eq!(sizes(&[large; 5]), [vec![large; 2], vec![large; 2], vec![large]]);
        assert_eq!(sizes(&[BYTES, 1, BYTES - 1, 1]), [vec![BYTES], vec![1, BYTES - 1], vec![1]]);
    }
}
