//! Hands committed facts to whoever listens: in order per document, at least once, for ever.
//!
//! ```text
//!   stream record: a fact was written ─┐
//!   scheduled event: overdue facts ────┴▶ lane of its document ─▶ due facts, in order ─▶ listeners
//!                                                                      ▲                   │
//!                                                                      └── row deleted ◀───┘
//! ```
//!
//! The table is the truth: a record only says which document spoke, so records that are
//! lost, doubled or late change nothing.

use super::{
    asked::{Asked, Record},
    failure::Failure,
    surroundings::Surroundings,
};
use crate::{
    pause::jittered,
    store::{
        Due,
        keys::{self, SHARDS},
    },
};
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use jiff::{SignedDuration, Timestamp};
use mano_ports::{
    Error,
    function::{Event, Function, Listener},
    store,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Lanes at work at the same time.
const AT_ONCE: usize = 32;
/// How often listeners are called for one fact before its lane is left to a later invocation.
const ATTEMPTS: u32 = 4;
/// What was due for so long was not relayed by the stream.
const FORGOTTEN: SignedDuration = SignedDuration::from_secs(30);
/// Ends of runs are told again for so long.
const UNHEARD: SignedDuration = SignedDuration::from_hours(1);
/// So long before the end of an invocation no fact is begun.
const MARGIN: SignedDuration = SignedDuration::from_secs(3);

/// The listeners of all functions, ready to be told.
pub struct RelayHost {
    functions: &'static [&'static Function],
    listeners: Vec<&'static Listener>,
    around: Surroundings,
}

/// Why a lane stopped before its end.
enum Stopped {
    /// A listener failed too often.
    Failed(String),
    /// The invocation ends soon.
    Late,
}

impl RelayHost {
    /// Reads the tables.
    #[must_use]
    pub fn new(functions: &'static [&'static Function], around: Surroundings) -> Self {
        let listeners = functions.iter().flat_map(|function| function.listeners).collect();
        Self { functions, listeners, around }
    }

    /// Handles one invocation, which Lambda ends at `until`.
    ///
    /// # Errors
    /// It is no invocation of the relay, or the table cannot be read.
    pub async fn handle(&self, event: Value, until: Timestamp) -> Result<Value, Failure> {
        match Asked::read(event)? {
            Asked::Records(records) => Ok(self.records(records, until).await),
            Asked::Events(events) if events.iter().all(|(_, event)| is_scheduled(event)) => {
                let now = self.around.cx.clock.now();
                // An engine that answers slowly holds up no fact.
                let (swept, ()) =
                    join(self.sweep(now - FORGOTTEN, until), self.measure_runs()).await;
                swept?;
                let minute = now.as_second() / 60;
                if minute % 10 == 5 {
                    self.sweep_ends(now - UNHEARD, until).await;
                }
                if minute % 60 == 0 {
                    self.sweep_blobs(until).await;
                }
                Ok(json!({}))
            }
            Asked::Api(_) | Asked::Step(_) | Asked::Messages(_) | Asked::Events(_) => {
                Err(Failure::bug("the relay takes stream records and the scheduled event only"))
            }
        }
    }

    /// Relays what the records speak of; the answer names the records to come again.
    async fn records(&self, records: Vec<Record>, until: Timestamp) -> Value {
        let mut lanes: BTreeMap<String, Record> = BTreeMap::new();
        for record in records {
            if let Some((about, _)) = keys::parse_fact(&record.sk) {
                // What follows in the same lane is read with its first.
                lanes.entry(about.to_owned()).or_insert(record);
            }
        }
        let (abouts, firsts): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
        let ends = self.lanes(abouts, until).await;
        let again = ends.into_iter().zip(firsts).filter(|(relayed, _)| !relayed);
        let again: Vec<_> =
            again.map(|(_, record)| json!({ "itemIdentifier": record.sequence })).collect();
        json!({ "batchItemFailures": again })
    }

    /// Relays what was due before an instant, part by part, and tells how much of it was seen.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn sweep(&self, before: Timestamp, until: Timestamp) -> Result<(), Failure> {
        let mut seen = 0;
        let swept = self.sweep_shards(before, until, &mut seen).await;
        self.around.measure("FactsOverdue", "Count", seen);
        swept.map_err(|error| Failure::from(&Error::from(error)))
    }

    async fn sweep_shards(
        &self,
        before: Timestamp,
        until: Timestamp,
        seen: &mut i64,
    ) -> Result<(), store::Error> {
        // Each minute begins with another one, so that what is long in one holds up none for ever.
        let minute = u32::try_from(before.as_second() / 60).unwrap_or_default();
        for shard in (0..SHARDS).map(|n| minute.wrapping_add(n) % SHARDS) {
            let mut after = None;
            loop {
                let part = self.around.store.overdue(shard, after, before.as_millisecond()).await?;
                *seen += i64::try_from(part.facts).unwrap_or_default();
                self.lanes(part.abouts, until).await;
                after = part.next;
                if self.is_late(until) {
                    return Ok(());
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether the invocation ends too soon for something to be begun.
    fn is_late(&self, until: Timestamp) -> bool {
        self.around.cx.clock.now() + MARGIN >= until
    }

    /// Tells once more how runs ended since an instant: of what was not heard, the operation would
    /// be under way for ever.
    pub async fn sweep_ends(&self, since: Timestamp, until: Timestamp) {
        let ended = match self.around.workflows.failed_since(since).await {
            Ok(ended) => ended,
            // Minutes later they are looked for again.
            Err(error) => {
                let error = Error::from(error).chain();
                return tracing::warn!(error, "runs that ended could not be listed");
            }
        };
        for run in ended {
            if self.is_late(until) {
                return;
            }
            // Who failed has said why; those that know it already answer at once.
            let _ = run.end(&run.input).call(&self.around.cx, self.functions).await;
        }
    }

    async fn sweep_blobs(&self, until: Timestamp) {
        match self.around.store.sweep_blobs(until).await {
            Ok(gone) => tracing::info!(gone, "content that belonged to nobody was removed"),
            // The next hour comes again.
            Err(error) => {
                tracing::warn!(error = Error::from(error).chain(), "the sweep of content failed");
            }
        }
    }

    /// Tells how long the oldest run goes on already: so shows what stands still, whatever it waits for.
    async fn measure_runs(&self) {
        match self.around.workflows.oldest().await {
            Ok(oldest) => {
                let age = oldest.map(|since| self.around.cx.clock.now().duration_since(since));
                self.around.measure(
                    "OldestRunSeconds",
                    "Seconds",
                    age.map_or(0, |age| age.as_secs()),
                );
            }
            // The next minute comes again.
            Err(error) => {
                tracing::warn!(error = Error::from(error).chain(), "runs could not be listed");
            }
        }
    }

    /// Relays lanes side by side; whether each came to its end.
    async fn lanes(&self, abouts: Vec<String>, until: Timestamp) -> Vec<bool> {
        let lanes = stream::iter(abouts).map(async |about| match self.lane(&about, until).await {
            Ok(()) => true,
            Err(Stopped::Late) => false,
            Err(Stopped::Failed(error)) => {
                tracing::error!(about, error, "a fact was not heard; it stays due");
                false
            }
        });
        lanes.buffered(AT_ONCE).collect().await
    }

    /// Relays the due facts of one document, in order.
    async fn lane(&self, about: &str, until: Timestamp) -> Result<(), Stopped> {
        let failed = |error| Stopped::Failed(Error::from(error).chain());
        loop {
            let facts = self.around.store.due(about).await.map_err(failed)?;
            if facts.is_empty() {
                return Ok(());
            }
            for due in &facts {
                self.tell(due, until).await?;
                self.around.store.relayed(due).await.map_err(failed)?;
            }
        }
    }

    /// Calls every listener until each has succeeded.
    async fn tell(&self, due: &Due, until: Timestamp) -> Result<(), Stopped> {
        let fact = &due.fact;
        let name = &fact.fact.name;
        let mut left: Vec<_> = self.listeners.iter().filter(|row| row.hears(name)).collect();
        for attempt in 0..ATTEMPTS {
            if self.is_late(until) {
                return Err(Stopped::Late);
            }
            if attempt > 0 {
                let (base, most) = (Duration::from_millis(50), Duration::from_secs(1));
                self.around.cx.clock.sleep(jittered(attempt, base, most)).await;
            }
            let calls = left.into_iter().map(|row| async move {
                let heard = row.call(&self.around.cx, fact).await;
                heard.is_err().then_some(row)
            });
            left = join_all(calls).await.into_iter().flatten().collect();
            if left.is_empty() {
                return Ok(());
            }
        }
        let names: Vec<_> = left.iter().map(|row| row.name).collect();
        Err(Stopped::Failed(format!("{name} failed at {}", names.join(", "))))
    }
}

fn is_scheduled(event: &Event) -> bool {
    event.source == "aws.events" && event.detail_type == "Scheduled Event"
}
