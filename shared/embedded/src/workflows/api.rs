//! The engine as the port that functions use.

use super::{
    Engine,
    drive::Begun,
    family::{Keeps, Link},
    rows::{self, About},
};
use async_trait::async_trait;
use mano_asl::Event;
use mano_ports::{
    store,
    workflows::{Error, Listing, Outcome, Run, Workflows},
};
use serde_json::Value;
use uuid::Uuid;

/// A secret that nobody can guess: 244 random bits.
pub(super) fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let (left, right) = seed.split_at_mut(16);
    left.copy_from_slice(Uuid::new_v4().as_bytes());
    right.copy_from_slice(Uuid::new_v4().as_bytes());
    seed
}

pub(super) fn unavailable(error: store::Error) -> Error {
    Error::Unavailable(Box::new(error))
}

impl Engine {
    /// The execution of this name, with everything that happened to it written.
    pub(super) async fn settled(&self, workflow: &str, run: &str) -> Result<i64, Error> {
        self.definitions.file(workflow).map(drop).or_else(|absent| {
            let known = rows::find(&self.store, workflow, run).map_err(unavailable)?;
            known.map(drop).ok_or(absent)
        })?;
        if self.index().named(workflow, run).is_some() {
            self.store.write(|_| Ok(())).await.map_err(unavailable)?;
        }
        let found = rows::find(&self.store, workflow, run).map_err(unavailable)?;
        found.ok_or_else(|| Error::Absent(run.into()))
    }

    /// Makes an execution of a workflow, unless there is one of this name.
    pub(super) async fn enlist(
        &self,
        id: i64,
        (workflow, run): (&str, &str),
        input: String,
        link: Link,
    ) -> Result<Option<Begun>, store::Error> {
        let absent = |error: Error| store::Error::Unavailable(Box::new(error));
        let file = self.definitions.file(workflow).map_err(absent)?;
        if self.index().named(workflow, run).is_some() {
            return Ok(None);
        }
        let keeps = if link.keeps == Keeps::Nothing { Keeps::Nothing } else { file.keeps() };
        let about = About {
            id,
            workflow: workflow.into(),
            name: run.into(),
            definition: file.id,
            seed: seed(),
            started: self.now(),
            input,
            link: Link { keeps, ..link },
        };
        self.launch(about, file.known.clone(), true).await
    }

    /// Tells the execution that waits for a token, if one does; returns when that is durable.
    pub(super) async fn token(&self, event: Event, token: &str) -> Result<bool, store::Error> {
        let waiter = match self.waiter(token)? {
            None => {
                // It may be one that is still being read after a start.
                let mut recalled = self.recalled.subscribe();
                let _ = recalled.wait_for(|left| *left == 0).await;
                self.waiter(token)?
            }
            found => found,
        };
        let Some(id) = waiter else { return Ok(false) };
        self.event(id, event).await?;
        Ok(true)
    }

    fn waiter(&self, token: &str) -> Result<Option<i64>, store::Error> {
        let here = self.index().waiter(token);
        match here {
            Some(id) => Ok(Some(id)),
            None => rows::waiter(&self.store, token),
        }
    }
}

#[async_trait]
impl Workflows for Engine {
    async fn start(&self, workflow: &str, run: &str, input: Value) -> Result<Option<Run>, Error> {
        self.definitions.file(workflow)?;
        let link = Link::default();
        let begun = self.enlist(self.next_id(), (workflow, run), input.to_string(), link).await;
        match begun.map_err(unavailable)? {
            Some((id, next)) => {
                self.carry_out(id, next).await.map_err(unavailable)?;
                Ok(None)
            }
            None => Ok(Some(self.describe(workflow, run).await?).filter(Run::is_over)),
        }
    }

    async fn resume(&self, token: &str, outcome: Outcome) -> Result<(), Error> {
        let owned = token.to_owned();
        let event = match outcome {
            Outcome::Success(output) => {
                Event::TokenSucceeded { token: owned, output: output.to_string() }
            }
            Outcome::Failure { error, cause } => {
                Event::TokenFailed { token: owned, error: Some(error), cause: Some(cause) }
            }
        };
        self.token(event, token).await.map(drop).map_err(unavailable)
    }

    async fn stop(&self, workflow: &str, run: &str, cause: &str) -> Result<(), Error> {
        let id = self.settled(workflow, run).await?;
        let event = Event::Stop { error: None, cause: Some(cause.into()) };
        self.event(id, event).await.map_err(unavailable)
    }

    async fn workflows(&self) -> Result<Vec<String>, Error> {
        Ok(self.definitions.names())
    }

    async fn definition(&self, workflow: &str) -> Result<String, Error> {
        Ok(self.definitions.file(workflow)?.text.clone())
    }

    async fn runs(
        &self,
        workflow: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Run>, Error> {
        self.store.write(|_| Ok(())).await.map_err(unavailable)?;
        let before = after.map_or(i64::MAX, |after| after.parse().unwrap_or(0));
        let found = rows::runs(&self.store, workflow, before, limit.max(1)).map_err(unavailable)?;
        if found.items.is_empty() {
            // Children of a Map are listed under the name of their map run.
            self.definitions.file(workflow)?;
        }
        Ok(found)
    }

    async fn describe(&self, workflow: &str, run: &str) -> Result<Run, Error> {
        let id = self.settled(workflow, run).await?;
        rows::run(&self.store, id).map_err(unavailable)
    }

    async fn history(
        &self,
        workflow: &str,
        run: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Value>, Error> {
        let id = self.settled(workflow, run).await?;
        let after = after.map_or(0, |after| after.parse().unwrap_or(u64::MAX));
        rows::history(&self.store, id, after, limit.max(1)).map_err(unavailable)
    }
}
