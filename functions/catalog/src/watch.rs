//! Looking after uploads: whether who sends is still alive, whether what was announced has come.
//!
//! ```text
//!   look, after each lease ─▶ the upload is over: no more looks
//!                          ─▶ announced content is there: PROCESSING
//!                          ─▶ its time is over: ERROR with the reason
//!                          ─▶ else: look again
//! ```

use crate::{address, wire::Wire};
use mano_model::{
    TenantId,
    catalog::{
        Entry, Family,
        nsd_info::NsdContent,
        upload::{self, LEASE},
        vnf_package::VnfPkgContent,
    },
    plan::{Document, Kind},
};
use mano_ports::{Cx, Error, queue::Message};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// Who looks whether an uploader is still alive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Watch {
    tenant: TenantId,
    kind: Kind,
    id: String,
    blob: String,
    /// How often it has looked.
    looked: u64,
}

impl Watch {
    /// A first look at an upload.
    pub(crate) fn new<F: Wire>(tenant: &TenantId, id: &str, blob: &str) -> Self {
        let kind = <Entry<F> as Document>::KIND;
        Self { tenant: tenant.clone(), kind, id: id.into(), blob: blob.into(), looked: 0 }
    }

    /// Queues a look for when the lease has run out.
    pub(crate) async fn send(&self, cx: &Cx) -> Result<(), Error> {
        let lease = Duration::from_secs(LEASE.as_secs().unsigned_abs());
        let message = Message {
            queue: "upload-watch",
            group: self.id.clone(),
            dedup: format!("{}-{}", self.blob, self.looked),
            delay: lease + Duration::from_secs(1),
            body: json!(self),
        };
        Ok(cx.queue.send(message).await?)
    }

    /// Looks: puts the entry into ERROR, or looks again later.
    async fn look<F: Wire>(&self, cx: &Cx) -> Result<(), Error> {
        let Some(entry) = cx.store.find::<Entry<F>>(&self.tenant, &self.id).await? else {
            return Ok(());
        };
        let Some(until) = upload::awaits(&entry.value, &self.blob) else { return Ok(()) };
        let past_us = entry.onboarding.past_us().is_some();
        // Whoever should have said so may not have been heard.
        if past_us && address::there::<F>(cx, &self.tenant, &self.id, &self.blob).await? {
            return Ok(());
        }
        if until >= cx.clock.now() {
            return self.again().send(cx).await;
        }
        let origin = cx.derived(&self.tenant, "catalog", &[&self.blob, "silent"]);
        let reason = if past_us { upload::never_came() } else { upload::silent() };
        let plan = upload::broke(origin, entry, &self.blob, reason)?;
        Ok(cx.store.commit(plan).await?)
    }

    /// The next look.
    fn again(&self) -> Self {
        Self { looked: self.looked + 1, ..self.clone() }
    }
}

/// Consumer of `upload-watch`.
pub(crate) async fn watch(cx: &Cx, body: Value) -> Result<(), Error> {
    let watch: Watch = serde_json::from_value(body)
        .map_err(|error| Error::Bug(format!("a message of upload-watch is no watch: {error}")))?;
    if watch.kind == VnfPkgContent::KIND {
        watch.look::<VnfPkgContent>(cx).await
    } else {
        watch.look::<NsdContent>(cx).await
    }
}
