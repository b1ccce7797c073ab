//! Runs that records say are under way: driven on from what the records say.
//!
//! A run only drives what is not done, so starting it again is always right.

use super::{Error, Run, Start};
use crate::{
    Cx,
    function::Event,
    http::{Reply, Request},
    store::Query,
};
use mano_model::{
    Refusal,
    plan::{Document, Versioned},
};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// So long before the end of a request no run is looked at.
const MARGIN: Duration = Duration::from_secs(5);

/// What became of runs under way; the answer of `…/redrive`.
#[derive(Debug, Default, Serialize)]
struct Redriven {
    /// Started again: there was no such run.
    started: Vec<String>,
    /// Ended without the record knowing, which knows now.
    closed: Vec<String>,
    /// Going on.
    running: usize,
    /// Where the next request goes on (`?after=`), if time ran out before all were looked at.
    next: Option<String>,
}

/// A request that looks at lists of records, one after the other, as far as its time allows.
pub struct Redrive<'a> {
    cx: &'a Cx,
    request: &'a Request,
    /// The list and the id after which it begins; none: from the first on.
    from: Option<(String, String)>,
    told: Redriven,
}

impl<'a> Redrive<'a> {
    /// Begins where the request says: `after`, as an earlier answer had it in `next`.
    ///
    /// # Errors
    /// `after` is no such marker.
    pub fn new(cx: &'a Cx, request: &'a Request) -> Result<Self, Refusal> {
        let marker = |text: &str| {
            let parts = text.split_once(':').map(|(list, id)| (list.to_owned(), id.to_owned()));
            parts.ok_or_else(|| {
                Refusal::malformed(format!(
                    "after is '{text}'; leave it out, or give what the answer before had in next"
                ))
            })
        };
        let from = request.query("after").map(marker).transpose()?;
        Ok(Self { cx, request, from, told: Redriven::default() })
    }

    /// Looks at a list of records, of which `started` tells the content of the fact that starts the
    /// run, if one is under way. A run that is not there is started; answers the ends of those that
    /// are over, which the records have not heard of.
    ///
    /// # Errors
    /// The store or the engine failed.
    pub async fn over<T: Document>(
        &mut self,
        list: &str,
        query: Query,
        started: impl Fn(&T) -> Option<Value>,
    ) -> Result<Vec<Event>, crate::Error> {
        let mut ends = Vec::new();
        let mut last = match self.from.take() {
            Some((at, id)) if at == list => id,
            None if self.told.next.is_none() => String::new(),
            another => {
                self.from = another;
                return Ok(ends);
            }
        };
        let mut query = query.after(Some(last.clone()));
        loop {
            let page = self.cx.store.page(&query).await?;
            for stored in &page.documents {
                if self.cx.clock.now() + MARGIN >= self.request.deadline {
                    self.told.next = Some(format!("{list}:{last}"));
                    return Ok(ends);
                }
                let record: Versioned<T> = stored.decode()?;
                if let Some(started) = started(&record) {
                    ends.extend(self.look(&started).await?);
                }
                last = record.id();
            }
            if page.next.is_none() {
                return Ok(ends);
            }
            query.after = page.next;
        }
    }

    async fn look(&mut self, started: &Value) -> Result<Option<Event>, crate::Error> {
        let Start { workflow, run, input } = Start::read(started)?;
        let found = match self.cx.workflows.describe(&workflow, &run).await {
            Err(Error::Absent(_)) => {
                let over = self.cx.workflows.start(&workflow, &run, input.clone()).await?;
                if over.is_none() {
                    self.told.started.push(run);
                    return Ok(None);
                }
                over
            }
            found => Some(found?).filter(Run::is_over),
        };
        match &found {
            Some(_) => self.told.closed.push(run),
            None => self.told.running += 1,
        }
        Ok(found.map(|run| run.end(&input)))
    }

    /// What it came to.
    #[must_use]
    pub fn reply(&self) -> Reply {
        Reply::ok(&self.told)
    }
}
