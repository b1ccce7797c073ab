//! Taking content: a stream into the blob store, under a lease that outlives no crash.
//!
//! ```text
//!   watch queued ─▶ UPLOADING committed ─▶ bytes … lease renewed … bytes ─▶ PROCESSING committed
//! ```
//!
//! The watch is queued before the commit, so no crash leaves an upload unwatched. Content that is
//! too much to come through us is told where to go instead: `address`.
//! A request with a stream can be carried out once only; so races lost against a
//! modification of the same entry are run again here and not by the host.

use crate::{
    address,
    content_in::{Broken, Metered},
    watch::Watch,
    wire::{Wire, href},
};
use futures_util::future::{Either, select};
use http::StatusCode;
use mano_model::{
    Refusal, TenantId,
    catalog::{
        Content, Entry,
        upload::{self, LEASE},
    },
    plan::{Announced, Origin, Plan, Versioned},
    refusal::Why,
};
use mano_ports::{
    Cx, Error,
    blobs::ByteStream,
    http::{Reply, Request},
    store,
};
use std::{pin::pin, time::Duration};

/// The largest content that is taken, in bytes.
pub(crate) const MOST_BYTES: u64 = 8 << 30;

/// How often a decision is taken again after a lost race.
pub(crate) const RACES: usize = 8;

/// `PUT …/package_content`, `PUT …/nsd_content`.
pub(crate) async fn put<F: Wire>(cx: &Cx, request: Request) -> Result<Reply, Error> {
    if let Some(elsewhere) = address::instead::<F>(cx, &request).await? {
        return Ok(elsewhere);
    }
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
        Watch::new::<F>(&self.tenant, &self.id, &self.blob).send(self.cx).await?;
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

    /// Decides and commits.
    async fn settle<F: Wire>(
        &self,
        decide: impl Fn(Origin, Versioned<Entry<F>>) -> Result<Plan, Refusal>,
    ) -> Result<(), Error> {
        settle(self.cx, &self.id, &self.origin(), decide).await
    }
}

/// Decides and commits; decides again if another decision came first.
pub(crate) async fn settle<F: Wire>(
    cx: &Cx,
    id: &str,
    origin: &Origin,
    decide: impl Fn(Origin, Versioned<Entry<F>>) -> Result<Plan, Refusal>,
) -> Result<(), Error> {
    let mut races = 0;
    loop {
        let entry = cx.store.read::<Entry<F>>(&origin.tenant, id).await?;
        match cx.store.commit(decide(origin.clone(), entry)?).await {
            Err(store::Error::Conflict(_)) if races < RACES => races += 1,
            done => return Ok(done?),
        }
    }
}

/// Listener of `*.content.dropped`: removes content that belongs to nobody.
pub(crate) async fn drop_blob(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    match fact.fact.body["blob"].as_str() {
        Some(blob) => Ok(cx.blobs.delete(blob).await?),
        None => Err(Error::Bug(format!("the fact {} names no blob", fact.fact.name))),
    }
}
