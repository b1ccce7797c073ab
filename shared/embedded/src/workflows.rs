//! The engine's host: keeps executions in the store's file and calls what they ask for.

use crate::{dispatch::Dispatch, gate::Gate};
use async_trait::async_trait;
use mano_ports::workflows::{Error, Listing, Outcome, Run, Workflows};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// The engine.
pub struct Engine {
    files: BTreeMap<String, String>,
}

impl Engine {
    /// An engine for these workflows: name and text of each.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Arc<Self> {
        Arc::new(Self { files: files.into_iter().collect() })
    }

    pub(crate) fn drive(&self, _dispatch: &Arc<Dispatch>, _gate: &Gate) {}
}

#[async_trait]
impl Workflows for Engine {
    async fn start(&self, workflow: &str, _run: &str, _input: Value) -> Result<(), Error> {
        Err(Error::Absent(workflow.into()))
    }
    async fn resume(&self, _token: &str, _outcome: Outcome) -> Result<(), Error> {
        Ok(())
    }
    async fn stop(&self, _workflow: &str, _run: &str, _cause: &str) -> Result<(), Error> {
        Ok(())
    }
    async fn workflows(&self) -> Result<Vec<String>, Error> {
        Ok(self.files.keys().cloned().collect())
    }
    async fn definition(&self, workflow: &str) -> Result<String, Error> {
        self.files.get(workflow).cloned().ok_or_else(|| Error::Absent(workflow.into()))
    }
    async fn runs(&self, _: &str, _: Option<&str>, _: usize) -> Result<Listing<Run>, Error> {
        Ok(Listing { items: Vec::new(), next: None })
    }
    async fn describe(&self, _workflow: &str, run: &str) -> Result<Run, Error> {
        Err(Error::Absent(run.into()))
    }
    async fn history(
        &self,
        _: &str,
        run: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Listing<Value>, Error> {
        Err(Error::Absent(run.into()))
    }
}
