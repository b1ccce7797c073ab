//! Content that passes us by: a client sends it to the blob store itself, or fetches it there.
//!
//! ```text
//!   PUT that announces ─▶ watch queued ─▶ UPLOADING committed ─▶ 307 to an address
//!   the client sends, the store says "there" ─▶ PROCESSING committed, as by an upload through us
//! ```
//!
//! An address is for one entry, one length and one checksum. A second word of the store, a late
//! one, and one that was lost change nothing: the plan is the same, nobody waits any more, or the
//! watch looks for itself.

use crate::{
    range::Range,
    upload::{MOST_BYTES, settle},
    watch::Watch,
    wire::{Wire, href},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, StatusCode, header};
use mano_model::{
    Refusal, TenantId,
    catalog::{
        Content, Entry, Expected, Family,
        nsd_info::NsdContent,
        upload::{self, ADDRESS},
        vnf_package::VnfPkgContent,
    },
    refusal::Why,
};
use mano_ports::{
    Cx, Error,
    blobs::{self, Address, IN_ONE_PIECE, Stored, THROUGH},
    function::Event,
    hex::{hex, unhex},
    http::{self as ports, Reply, Request},
};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How many bytes are announced.
const LENGTH: HeaderName = HeaderName::from_static("x-mano-content-length");
/// Their checksum (RFC 9530), and what it was called before (RFC 3230).
const DIGESTS: [HeaderName; 2] =
    [HeaderName::from_static("repr-digest"), HeaderName::from_static("digest")];
/// How long an address hands content out.
const FETCH: Duration = Duration::from_secs(15 * 60);
/// What the names of blobs begin with that come by an address.
pub const FOLDER: &str = "uploads/";

/// Where the content of a PUT goes instead of through us; none: it comes through us.
pub(crate) async fn instead<F: Wire>(cx: &Cx, request: &Request) -> Result<Option<Reply>, Error> {
    let announced = announced(&request.headers)?;
    let Some(expected) = announced.clone().or_else(|| too_much(&request.content)) else {
        return Ok(None);
    };
    let given = give::<F>(cx, request, expected).await?;
    // Where the store gives no addresses, announced content is sent to us.
    let own =
        || Reply::empty(StatusCode::TEMPORARY_REDIRECT).header(header::LOCATION, own::<F>(request));
    Ok(given.or_else(|| announced.map(|_| own())))
}

/// An address for content, and the entry waits for it; none: the store gives no addresses.
async fn give<F: Wire>(
    cx: &Cx,
    request: &Request,
    expected: Expected,
) -> Result<Option<Reply>, Error> {
    let (tenant, id) = (request.tenant(), request.param(F::PARAM));
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let blob = Place::new::<F>(tenant, id, &cx.ids.fresh().to_string()).blob;
    let decide = |origin, entry| upload::expect::<F>(origin, entry, &blob, expected.clone());
    decide(origin.clone(), cx.store.read::<Entry<F>>(tenant, id).await?)?;
    let content = Stored { size: expected.size, sha256: expected.sha256.clone() };
    let valid = ADDRESS.unsigned_abs();
    let Some(address) = cx.blobs.upload_url(&blob, &content, valid).await? else {
        return Ok(None);
    };
    if expected.size > IN_ONE_PIECE {
        return Err(too_large(expected.size, IN_ONE_PIECE).into());
    }
    Watch::new::<F>(tenant, id, &blob).send(cx).await?;
    settle(cx, id, &origin, decide).await?;
    Ok(Some(sent_on(address, origin.at + ADDRESS)))
}

/// The answer that sends a client on.
fn sent_on(address: Address, expires: jiff::Timestamp) -> Reply {
    let headers = address.headers.into_iter().map(|(name, value)| (name, value.into()));
    let body = json!({ "headers": headers.collect::<Map<_, _>>(), "expires": expires });
    let reply = Reply::json(StatusCode::TEMPORARY_REDIRECT, &body);
    reply.header(header::LOCATION, address.url)
}

/// Where the content of this entry is.
fn own<F: Wire>(request: &Request) -> String {
    format!("{}/{}", href::<F>(&request.api_root, request.param(F::PARAM)), F::CONTENT)
}

/// What a request announces instead of bringing it.
fn announced(headers: &HeaderMap) -> Result<Option<Expected>, Refusal> {
    let Some(length) = headers.get(LENGTH) else { return Ok(None) };
    let length = length.to_str().unwrap_or_default();
    let size: u64 = length.parse().map_err(|_| {
        Refusal::malformed(format!("X-Mano-Content-Length '{length}' is no number of bytes"))
    })?;
    if size == 0 {
        return Err(Refusal::malformed("the announced content is empty; send a ZIP archive"));
    }
    if size > MOST_BYTES {
        return Err(too_large(size, MOST_BYTES));
    }
    let sha256 = DIGESTS
        .iter()
        .flat_map(|name| headers.get_all(name))
        .find_map(|value| value.to_str().ok()?.split(',').find_map(sha256));
    let sha256 = sha256.ok_or_else(|| {
        let detail = "X-Mano-Content-Length announces content, but its checksum is missing: give \
                      Repr-Digest: sha-256=:<Base64>:";
        Refusal::malformed(detail)
    })?;
    Ok(Some(Expected { size, sha256 }))
}

/// `sha-256=:<Base64>:`, or without colons, as lower-case hexadecimal.
fn sha256(digest: &str) -> Option<String> {
    let (algorithm, value) = digest.trim().split_once('=')?;
    let value = BASE64_STANDARD.decode(value.trim_matches(':')).ok()?;
    let fits = algorithm.eq_ignore_ascii_case("sha-256") && value.len() == 32;
    fits.then(|| hex(&value))
}

/// Content that is here whole and is more than every home takes this way.
fn too_much(content: &ports::Content) -> Option<Expected> {
    let ports::Content::Bytes(bytes) = content else { return None };
    let size = u64::try_from(bytes.len()).ok().filter(|size| *size > THROUGH)?;
    Some(Expected { size, sha256: hex(&Sha256::digest(bytes)) })
}

fn too_large(size: u64, most: u64) -> Refusal {
    let detail = format!("the content has {size} bytes; at most {most} are taken");
    Refusal::new(Why::TooLarge, detail)
}

/// Which upload a blob is of.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    tenant: TenantId,
    family: String,
    id: String,
    blob: String,
}

impl Place {
    fn new<F: Family>(tenant: &TenantId, id: &str, upload: &str) -> Self {
        let owner = hex(tenant.as_str().as_bytes());
        let blob = format!("{FOLDER}{}/{owner}/{id}/{upload}", F::FACTS);
        Self { tenant: tenant.clone(), family: F::FACTS.into(), id: id.into(), blob }
    }

    /// The upload of a key; the store may keep its blobs below a name of its own.
    fn of(key: &str) -> Option<Self> {
        let blob = &key[key.find(FOLDER)?..];
        let parts: Vec<_> = blob[FOLDER.len()..].split('/').collect();
        let [family, owner, id, _upload] = parts[..] else { return None };
        let tenant = String::from_utf8(unhex(owner)?).ok()?;
        Some(Self {
            tenant: TenantId::new(tenant),
            family: family.into(),
            id: id.into(),
            blob: blob.into(),
        })
    }
}

/// The store says that something came by an address.
pub(crate) async fn arrived(cx: &Cx, event: &Event) -> Result<(), Error> {
    let key = event.detail["object"]["key"].as_str().unwrap_or_default();
    let Some(Place { tenant, family, id, blob }) = Place::of(key) else { return Ok(()) };
    if family == VnfPkgContent::FACTS {
        there::<VnfPkgContent>(cx, &tenant, &id, &blob).await?;
    } else if family == NsdContent::FACTS {
        there::<NsdContent>(cx, &tenant, &id, &blob).await?;
    }
    Ok(())
}

/// Takes content that is there for the entry that waits for it, and removes what nobody wants;
/// whether nobody waits any more.
pub(crate) async fn there<F: Wire>(
    cx: &Cx,
    tenant: &TenantId,
    id: &str,
    blob: &str,
) -> Result<bool, Error> {
    let size = match cx.blobs.size(blob).await {
        Ok(size) => size,
        Err(blobs::Error::Absent(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let entry = cx.store.find::<Entry<F>>(tenant, id).await?;
    let Some(entry) = entry.filter(|entry| upload::names(&entry.value, blob)) else {
        cx.blobs.delete(blob).await?;
        return Ok(true);
    };
    if upload::awaits(&entry.value, blob).is_none() {
        return Ok(true);
    }
    let origin = cx.derived(tenant, "catalog", &[blob, "arrived"]);
    let Some(plan) = upload::arrived(origin, entry, blob, size) else { return Ok(false) };
    cx.store.commit(plan).await?;
    Ok(true)
}

/// Where a client fetches what is too much to hand out; none: it goes through us.
pub(crate) async fn fetched(
    cx: &Cx,
    content: &Content,
    range: Range,
) -> Result<Option<Reply>, Error> {
    if range.len() <= THROUGH {
        return Ok(None);
    }
    let url = cx.blobs.download_url(&content.blob, FETCH).await?;
    let reply = || Reply::empty(StatusCode::TEMPORARY_REDIRECT);
    Ok(url.map(|url| reply().header(header::LOCATION, url)))
}
