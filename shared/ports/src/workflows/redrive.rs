//! Runs that a record says are under way: driven on from what the record says.
//!
//! A run only drives what is not done, so starting it again is always right.

use super::{Error, Run, Start};
use crate::{Cx, function::Event};
use serde::Serialize;
use serde_json::Value;

/// What became of runs under way; the answer of `…/redrive`.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// Started again: there was no such run.
    pub started: Vec<String>,
    /// Ended without the record knowing, which knows now.
    pub closed: Vec<String>,
    /// Going on.
    pub running: usize,
    /// Whether time ran out before all were looked at; ask again.
    pub more: bool,
}

impl Redriven {
    /// Looks at the run that a `….started` fact of this content spoke of, and starts it where there
    /// is none; answers the end of one that is over.
    ///
    /// # Errors
    /// The content does not say what to start, or the engine failed.
    pub async fn look(&mut self, cx: &Cx, started: &Value) -> Result<Option<Event>, crate::Error> {
        let Start { workflow, run, input } = Start::read(started)?;
        let found = match cx.workflows.describe(&workflow, &run).await {
            Err(Error::Absent(_)) => {
                let over = cx.workflows.start(&workflow, &run, input.clone()).await?;
                if over.is_none() {
                    self.started.push(run);
                    return Ok(None);
                }
                over
            }
            found => Some(found?).filter(Run::is_over),
        };
        match &found {
            Some(_) => self.closed.push(run),
            None => self.running += 1,
        }
        Ok(found.map(|run| run.end(&input)))
    }
}
