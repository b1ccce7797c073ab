//! The VIMs: registering, showing with the capacity of their zones, letting go.

use http::StatusCode;
use mano_model::{
    TenantId,
    plan::{Index, Key, Versioned},
    resource::{Amounts, Resource},
    sol::sol013::{Attribute, Listing, number, object, text},
    vim::{
        Vim, Zone,
        register::{self, NewVim},
    },
};
use mano_ports::{
    Cx, Error, door,
    http::{Reply, Request},
    store::{Query, Stored},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// VIMs in one answer.
const PAGE: usize = 100;

const AMOUNTS: &[Attribute] =
    &[number("vcpus").must(), number("memoryGib").must(), number("storageGib").must()];

const ZONE: &[Attribute] =
    &[text("id").must(), object("capacity", AMOUNTS).must(), object("reserved", AMOUNTS).must()];

const LINK: &[Attribute] = &[text("href").must()];

const SHAPE: &[Attribute] = &[
    text("id").must(),
    text("vimType").must(),
    object("capacity", AMOUNTS).must(),
    object("reserved", AMOUNTS).must(),
    object("zones", ZONE).many().must(),
    object("_links", &[object("self", LINK), object("resources", LINK), object("behaviour", LINK)])
        .must(),
];

const LISTING: Listing = Listing::new(SHAPE, &[]);

/// `POST /mano/v1/vims`
pub(crate) async fn register(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let ask: NewVim = request.json()?;
    cx.vims.driver(&ask.vim_type)?;
    let there = cx.store.find::<Vim>(request.tenant(), &ask.id).await?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    let made = register::register(origin, &ask, there.as_deref())?;
    cx.store.commit(made.plan).await?;
    let shown = show(&made.vim, &made.zones, &request.api_root);
    Ok(Reply::created(href(&request.api_root, &made.vim.id), &shown).etag(1))
}

/// `GET /mano/v1/vims`
pub(crate) async fn list(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let query = Query::all::<Vim>(request.tenant()).limit(PAGE);
    let (tenant, root) = (request.tenant(), request.api_root.as_str());
    door::list_many(cx, &request, &LISTING, query, |page| page_of(cx, tenant, root, page)).await
}

/// VIMs with their zones, read in one go.
async fn page_of(
    cx: &Cx,
    tenant: &TenantId,
    api_root: &str,
    page: Vec<Stored>,
) -> Result<Vec<Value>, Error> {
    let vims = page.iter().map(|stored| Ok(stored.decode::<Vim>()?.value));
    let vims = vims.collect::<Result<Vec<_>, Error>>()?;
    let zones_of = |vim: &Vim| {
        let ids = vim.zones.iter().map(|zone| Zone::id_of(&vim.id, zone));
        ids.map(|id| Key::of::<Zone>(tenant, id)).collect::<Vec<_>>()
    };
    let keys: Vec<Key> = vims.iter().flat_map(zones_of).collect();
    let mut zones: BTreeMap<String, Vec<Zone>> = BTreeMap::new();
    for stored in cx.store.get_many(&keys).await?.into_iter().flatten() {
        let zone = stored.decode::<Zone>()?.value;
        zones.entry(zone.vim_id.clone()).or_default().push(zone);
    }
    let of = |vim: &Vim| zones.get(&vim.id).map_or(&[][..], Vec::as_slice);
    Ok(vims.iter().map(|vim| show(vim, of(vim), api_root)).collect())
}

/// `GET /mano/v1/vims/{vimId}`
pub(crate) async fn read(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (vim, zones) = with_zones(cx, &request).await?;
    let zones: Vec<Zone> = zones.into_iter().map(|z| z.value).collect();
    Ok(Reply::ok(&show(&vim, &zones, &request.api_root)))
}

/// `DELETE /mano/v1/vims/{vimId}`
pub(crate) async fn deregister(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let (vim, zones) = with_zones(cx, &request).await?;
    let first = Query::all::<Resource>(request.tenant()).by(Index::VimId, &vim.id).limit(1);
    let known = cx.store.page(&first).await?;
    let known = known.documents.iter().map(|d| Ok(d.decode::<Resource>()?.value));
    let known = known.collect::<Result<Vec<_>, Error>>()?;
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(register::deregister(origin, &vim, &zones, &known)?).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn with_zones(
    cx: &Cx,
    request: &Request,
) -> Result<(Versioned<Vim>, Vec<Versioned<Zone>>), Error> {
    let id = request.param("vimId");
    let vim = cx.store.read::<Vim>(request.tenant(), id).await?;
    Ok((vim, cx.store.children::<Zone>(request.tenant(), id).await?))
}

fn href(api_root: &str, vim: &str) -> String {
    format!("{api_root}/mano/v1/vims/{vim}")
}

/// A VIM for its operators: how it is reached stays with us.
fn show(vim: &Vim, zones: &[Zone], api_root: &str) -> Value {
    let sum =
        |of: fn(&Zone) -> Amounts| zones.iter().map(of).fold(Amounts::default(), |a, b| a + b);
    let own = href(api_root, &vim.id);
    let mut shown = json!({
        "id": vim.id,
        "vimType": vim.vim_type,
        "capacity": amounts(sum(|z| z.capacity)),
        "reserved": amounts(sum(Zone::reserved)),
        "zones": zones.iter().map(|zone| json!({
            "id": zone.zone_id,
            "capacity": amounts(zone.capacity),
            "reserved": amounts(zone.reserved()),
        })).collect::<Vec<_>>(),
        "_links": {
            "self": { "href": own },
            "resources": { "href": format!("{own}/resources") },
        },
    });
    if vim.vim_type == "sim" {
        shown["_links"]["behaviour"] = json!({ "href": format!("{own}/behaviour") });
    }
    shown
}

/// Amounts in the units they were registered in.
fn amounts(amounts: Amounts) -> Value {
    json!({
        "vcpus": parts(amounts.vcpu_milli, 1000),
        "memoryGib": parts(amounts.memory_mib, 1024),
        "storageGib": amounts.storage_gib,
    })
}

/// A whole number where it is one.
fn parts(amount: i64, unit: i32) -> Value {
    let unit = i64::from(unit);
    if amount % unit == 0 {
        return (amount / unit).into();
    }
    let (whole, rest) = (amount / unit, amount % unit);
    // Registered amounts are 32-bit numbers of units: well within what a double holds.
    let [whole, rest, unit] =
        [whole, rest, unit].map(|n| i32::try_from(n).map_or(f64::MAX, f64::from));
    (whole + rest / unit).into()
}
