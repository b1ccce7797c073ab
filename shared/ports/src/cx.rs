//! Everything a handler may touch.

use crate::{
    blobs::Blobs,
    bus::Bus,
    clock::{Clock, Ids},
    http::Principal,
    queue::Queue,
    store::Store,
    vim::{Target, Vim, Vims},
    workflows::Workflows,
};
use mano_model::{TenantId, ids, plan::Origin, vim};
use std::sync::Arc;

/// The ports, as the host filled them in.
#[derive(Clone)]
pub struct Cx {
    /// The memory.
    pub store: Arc<dyn Store>,
    /// The engine.
    pub workflows: Arc<dyn Workflows>,
    /// The way out for facts.
    pub bus: Arc<dyn Bus>,
    /// Work for later.
    pub queue: Arc<dyn Queue>,
    /// Large content.
    pub blobs: Arc<dyn Blobs>,
    /// The drivers of VIMs.
    pub vims: Arc<dyn Vims>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh identities.
    pub ids: Arc<dyn Ids>,
}

impl Cx {
    /// A VIM and its driver.
    ///
    /// # Errors
    /// There is no such VIM, or no driver of its type.
    pub async fn reach(
        &self,
        tenant: &TenantId,
        vim: &str,
    ) -> Result<(Arc<dyn Vim>, Target), crate::Error> {
        let vim = self.store.read::<vim::Vim>(tenant, vim).await?.value;
        let driver = self.vims.driver(&vim.vim_type)?;
        Ok((driver, Target { tenant: tenant.clone(), vim: Arc::new(vim) }))
    }

    /// The head of a plan that a client's request leads to: it is fresh.
    #[must_use]
    pub fn asked(&self, principal: &Principal, trace: Option<&str>) -> Origin {
        Origin {
            id: self.ids.fresh(),
            at: self.clock.now(),
            tenant: principal.tenant.clone(),
            actor: principal.name.clone(),
            correlation: None,
            causation: None,
            trace: trace.map(Into::into),
        }
    }

    /// The head of a plan that a step, a fact or a message leads to: derived from what names
    /// it, so that a second delivery commits nothing.
    #[must_use]
    pub fn derived(&self, tenant: &TenantId, actor: &str, parts: &[&str]) -> Origin {
        Origin {
            id: ids::derived(parts),
            at: self.clock.now(),
            tenant: tenant.clone(),
            actor: actor.into(),
            correlation: None,
            causation: Some(parts.join(" ")),
            trace: None,
        }
    }
}
