//! Taking content: a stream into the blob store, under a lease that outlives no crash.
//!
//! ```text
//!   watch queued ─▶ UPLOADING committed ─▶ bytes … lease renewed … bytes ─▶ PROCESSING committed
//!        └──▶ looks after each lease: uploader alive? else ERROR
//! ```
//!
//! The watch is queued before the commit, so no crash leaves an upload unwatched.
//! A request with a stream can be carried out once only; so races lost against a
//! modification of the same entry are run again here and not by the host.

use crate::{
    content_in::{Broken, Metered},
    wire::{Wire, href},
};
use futures_util::future::{Either, select};
use http::StatusCode;
use mano_model::{
    Refusal, TenantId,
    catalog::{
        Content, Entry, Family,
        nsd_info::NsdContent,
        upload::{self, LEASE},
        vnf_package::VnfPkgContent,
    },
    plan::{Announced, Document, Kind, Origin, Plan, Versioned},
    refusal::Why,
};
use mano_ports::{
    Cx, Error,
    blobs::ByteStream,
    http::{Reply, Request},
    queue::Message,
    store,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};

/// The largest content that is taken, in bytes.
pub(crate) const MOST_BYTES: u64 = 8 << 30;

/// How often a decision is taken again after a lost race.
const RACES: usize = 8;

/// `PUT …/package_content`, `PUT …/nsd_content`.
pub(crate) async fn put<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let upload = Uploading {
        cx,
        tenant: request.tenant().clone(),
        id: request.param(F::PARAM).to_owned(),
        blob: format!("content/{}", cx.ids.fresh()),
        origin: cx.asked(&request.principal, request.trace.as_deref()),
    };
    upload.begin::<F>().await?;
    match upload.take::<F>(request.stream()).await {
        Ok(content) => upload.received::<F>(content).await?,
        Err(broken) => return Err(upload.broke::<F>(broken).await),
    }
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// `POST …/package_content/upload_from_uri`: known, and refused.
///
/// Fetching from an address a client names would let clients reach what only we can reach.
pub(crate) async fn from_uri<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let entry = cx.store.read::<Entry<F>>(request.tenant(), request.param(F::PARAM)).await?;
    let detail = format!(
        "this orchestrator fetches nothing from addresses; PUT the archive to {}/{}",
        href::<F>(&request.api_root, &entry.id),
        F::CONTENT
    );
    Err(Refusal::new(Why::Absent, detail).into())
}

/// One upload of one client.
struct Uploading<'a> {
    cx: &'a Cx,
    tenant: TenantId,
    id: String,
    blob: String,
    origin: Origin,
}

impl Uploading<'_> {
    /// A decision of this upload.
    fn origin(&self) -> Origin {
        Origin { id: self.cx.ids.fresh(), at: self.cx.clock.now(), ..self.origin.clone() }
    }

    async fn begin<F: Wire>(&self) -> Result<(), Error> {
        let entry = self.cx.store.read::<Entry<F>>(&self.tenant, &self.id).await?;
        upload::begin(self.origin(), entry, &self.blob)?;
        Watch::new::<F>(self).send(self.cx).await?;
        self.settle::<F>(|origin, entry| upload::begin(origin, entry, &self.blob)).await
    }

    /// Stores the bytes, telling now and then that it is alive.
    async fn take<F: Wire>(&self, bytes: ByteStream) -> Result<Content, Broken> {
        let metered = Metered::new(bytes, MOST_BYTES);
        let trouble = metered.trouble();
        let put = self.cx.blobs.put(&self.blob, metered.stream(), MOST_BYTES);
        let stored = match select(pin!(put), pin!(self.live::<F>())).await {
            Either::Left((stored, _)) => stored.map_err(|error| trouble.explain(error))?,
            Either::Right((over, _)) => return Err(Broken::of_ours(over)),
        };
        if stored.size == 0 {
            return Err(Broken::empty());
        }
        Ok(Content { blob: self.blob.clone(), size: stored.size, sha256: stored.sha256 })
    }

    /// Renews the lease until that is refused.
    async fn live<F: Wire>(&self) -> Error {
        loop {
            self.cx.clock.sleep(Duration::from_secs(LEASE.as_secs().unsigned_abs() / 3)).await;
            let renew = |origin, entry| upload::renew::<F>(origin, entry, &self.blob);
            match self.settle::<F>(renew).await {
                // The next renewal comes before the lease runs out.
                Ok(()) | Err(Error::Store(_)) => {}
                Err(over) => return over,
            }
        }
    }

    async fn received<F: Wire>(&self, content: Content) -> Result<(), Error> {
        let received = |origin, entry| upload::received::<F>(origin, entry, content.clone());
        let done = self.settle::<F>(received).await;
        if matches!(done, Err(Error::Refused(_))) {
            self.cx.blobs.delete(&self.blob).await?;
        }
        done
    }

    /// Records why the bytes stopped; answers what the client is told.
    async fn broke<F: Wire>(&self, broken: Broken) -> Error {
        let failure = broken.failure();
        let broke = |o, entry| upload::broke::<F>(o, entry, &self.blob, failure.clone());
        match self.settle::<F>(broke).await {
            // Where it cannot be recorded now, the watch does so once the lease has run out.
            Ok(()) | Err(_) => broken.told(),
        }
    }

    /// Decides and commits; decides again if another decision came first.
    async fn settle<F: Wire>(
        &self,
        decide: impl Fn(Origin, Versioned<Entry<F>>) -> Result<Plan, Refusal>,
    ) -> Result<(), Error> {
        let origin = self.origin();
        let mut races = 0;
        loop {
            let entry = self.cx.store.read::<Entry<F>>(&self.tenant, &self.id).await?;
            match self.cx.store.commit(decide(origin.clone(), entry)?).await {
                Err(store::Error::Conflict(_)) if races < RACES => races += 1,
                done => return Ok(done?),
            }
        }
    }
}

/// Who looks whether an uploader is still alive.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Watch {
    tenant: TenantId,
    kind: Kind,
    id: String,
    blob: String,
    /// How often it has looked.
    looked: u64,
}

impl Watch {
    fn new<F: Wire>(upload: &Uploading<'_>) -> Self {
        Self {
            tenant: upload.tenant.clone(),
            kind: <Entry<F> as Document>::KIND,
            id: upload.id.clone(),
            blob: upload.blob.clone(),
            looked: 0,
        }
    }

    /// Queues a look for when the lease has run out.
    async fn send(&self, cx: &Cx) -> Result<(), Error> {
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
        if until >= cx.clock.now() {
            return self.again().send(cx).await;
        }
        let origin = cx.derived(&self.tenant, "catalog", &[&self.blob, "silent"]);
        let plan = upload::broke(origin, entry, &self.blob, upload::silent())?;
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

/// Listener of `*.content.dropped`: removes content that belongs to nobody.
pub(crate) async fn drop_blob(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    match fact.fact.body["blob"].as_str() {
        Some(blob) => Ok(cx.blobs.delete(blob).await?),
        None => Err(Error::Bug(format!("the fact {} names no blob", fact.fact.name))),
    }
}
