//! The driver of simulated VIMs, for demonstrations, training and tests.
//!
//! ```text
//!   Vim port ──▶ Driver: one thing per key, fences ──▶ Api: makes two when asked twice ──▶ its own memory
//! ```
//!
//! The driver treats the API as a stranger's: it looks by key before it makes, takes
//! turns per key within the process, and removes duplicates another process made.

mod api;
#[cfg(test)]
pub(crate) mod tests;
mod turns;

use std::{cmp::Reverse, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use mano_model::{
    resource::{ResourceKind, Want},
    sim::{Behaviour, SimResource, SimVim, Status},
};
use mano_ports::{
    clock::Clock,
    store::Store,
    vim::{Error, Found, Place, Progress, Simulated, StepKey, Target, Vim},
};

use api::{Api, Thing};
use turns::Turns;

/// The driver `sim`.
pub struct Driver {
    api: Api,
    turns: Turns,
}

impl Driver {
    /// A driver whose VIMs remember in `memory`.
    #[must_use]
    pub fn new(memory: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { api: Api::new(memory, clock), turns: Turns::default() }
    }

    /// The one thing to keep of those that carry a key: what is whole before what is being
    /// made, the oldest first. Duplicates and broken ones are removed.
    async fn keep_one(&self, at: &Target, key: &str) -> Result<Option<Thing>, Error> {
        let mut found = self.api.by_key(at, key).await?;
        let now = self.api.now();
        found.sort_by_cached_key(|t| (rank(t.status(now)), t.created_at, t.resource_id.clone()));
        let mut found = found.into_iter();
        let kept = found.next();
        for other in found.filter(|t| t.status(now) != Status::Deleting) {
            self.api.delete(at, &other.resource_id).await?;
        }
        match kept {
            Some(broken) if broken.status(now) == Status::Error => {
                self.api.delete(at, &broken.resource_id).await?;
                let left = self.api.by_key(at, key).await?;
                Ok(left.into_iter().min_by_key(|t| Reverse(t.due())))
            }
            kept => Ok(kept),
        }
    }
}

/// What is kept first.
const fn rank(status: Status) -> u8 {
    match status {
        Status::Active => 0,
        Status::Building => 1,
        Status::Error => 2,
        Status::Deleting => 3,
        Status::Gone => 4,
    }
}

fn turn(at: &Target, key: &str) -> String {
    format!("{}\u{1f}{}\u{1f}{key}", at.tenant, at.vim.id)
}

/// How long until `due`.
fn wait(now: Timestamp, due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default()
}

fn progress(thing: &SimResource, now: Timestamp) -> Progress<String> {
    if thing.status(now) == Status::Active {
        return Progress::Done(thing.resource_id.clone());
    }
    Progress::Underway { look_again: wait(now, thing.due()) }
}

#[async_trait]
impl Vim for Driver {
    async fn ensure(
        &self,
        at: &Target,
        want: &Want,
        place: &Place,
        key: &StepKey,
        fence: u64,
    ) -> Result<Progress<String>, Error> {
        let _turn = self.turns.take(&turn(at, key)).await;
        let raised = self.api.fence(at, key).await?.map_or(0, |f| f.fence);
        if fence < raised {
            let detail = format!("'{key}' was removed by run {raised}; run {fence} comes too late");
            return Err(Error::Refused(detail));
        }
        if let Some(thing) = self.keep_one(at, key).await? {
            return Ok(progress(&thing, self.api.now()));
        }
        let made = self.api.create(at, want, place, key, fence).await?;
        if made.status(self.api.now()) == Status::Error {
            return Err(broken(&made));
        }
        let kept = self.keep_one(at, key).await?;
        let kept = kept.map_or(made, |thing| thing.value);
        Ok(progress(&kept, self.api.now()))
    }

    async fn remove(&self, at: &Target, key: &StepKey, fence: u64) -> Result<Progress<()>, Error> {
        let _turn = self.turns.take(&turn(at, key)).await;
        self.api.raise(at, key, fence).await?;
        let mut due = None;
        for thing in self.api.by_key(at, key).await? {
            let going = thing.status(self.api.now()) == Status::Deleting;
            let gone_at = match going {
                true => Some(thing.due()),
                false => self.api.delete(at, &thing.resource_id).await?,
            };
            due = due.max(gone_at);
        }
        Ok(due.map_or(Progress::Done(()), |due| Progress::Underway {
            look_again: wait(self.api.now(), due),
        }))
    }

    async fn look(&self, at: &Target, key: &StepKey) -> Result<Option<Progress<String>>, Error> {
        self.api.looked_at(at).await?;
        let now = self.api.now();
        let found = self.api.by_key(at, key).await?;
        let Some(thing) = found.into_iter().min_by_key(|t| rank(t.status(now))) else {
            return Ok(None);
        };
        match thing.status(now) {
            Status::Active | Status::Building => Ok(Some(progress(&thing, now))),
            Status::Error => Err(broken(&thing)),
            Status::Deleting | Status::Gone => Ok(None),
        }
    }

    async fn list(
        &self,
        at: &Target,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>, Error> {
        let now = self.api.now();
        let things = self.api.list(at, after, limit).await?;
        Ok(things.into_iter().map(|thing| found(thing.value, now)).collect())
    }

    fn simulated(&self) -> Option<&dyn Simulated> {
        Some(self)
    }
}

fn broken(thing: &SimResource) -> Error {
    Error::Refused(format!("'{}', made for '{}', is in ERROR", thing.resource_id, thing.name))
}

fn found(thing: SimResource, now: Timestamp) -> Found {
    Found {
        status: thing.status(now).as_str().into(),
        kind: kind(thing.kind).into(),
        resource_id: thing.resource_id,
        key: Some(thing.key),
        name: thing.name,
        zone: thing.zone,
    }
}

const fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Network => "NETWORK",
        ResourceKind::Storage => "STORAGE",
        ResourceKind::Compute => "COMPUTE",
    }
}

#[async_trait]
impl Simulated for Driver {
    async fn behaviour(&self, at: &Target) -> Result<SimVim, Error> {
        Ok(self.api.state(at).await?.value)
    }

    async fn behave(&self, at: &Target, behaviour: Behaviour) -> Result<SimVim, Error> {
        self.api.behave(at, behaviour).await
    }

    async fn lose(&self, at: &Target, resource_id: &str) -> Result<bool, Error> {
        self.api.lose(at, resource_id).await
    }
}
