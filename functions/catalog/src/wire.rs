//! How entries look to clients, and where they live.

use crate::inspect::Ask;
use mano_model::{
    TenantId,
    catalog::{
        Entry, Family,
        entry::Layout,
        onboard::Verdict,
        usage::{Descriptor, Usage},
    },
    ids,
    plan::{Key, Versioned},
    sol::sol013::Listing,
};
use mano_ports::{Cx, Error, http::Request};
use mano_tosca::Reading;
use serde_json::{Map, Value, json};
use std::io::{Read, Seek};

/// What the wire and the content of a family need beyond [`Family`].
pub(crate) trait Wire: Family<Document: Clone> {
    /// The path of the collection.
    const COLLECTION: &'static str;
    /// The path parameter that names an entry.
    const PARAM: &'static str;
    /// The sub-resource with the content: `package_content`.
    const CONTENT: &'static str;
    /// The attribute of the on-boarding state.
    const ONBOARDING_STATE: &'static str;
    /// The attribute of the usage state.
    const USAGE_STATE: &'static str;
    /// The attributes of an entry, for filters and selectors.
    const LISTING: &'static Listing;

    /// Links beyond `self`: name and sub-resource.
    const LINKS: &'static [(&'static str, &'static str)];

    /// Where the parts of its content lie.
    fn layout(&self) -> &Layout;

    /// Descriptors whose packages the entry names, and under which attribute.
    fn refers_to(&self) -> (&'static str, &[String]) {
        ("", &[])
    }

    /// Looks at content, which may be read in pieces.
    fn inspect(
        reader: impl Read + Seek,
        ask: &Ask,
        reading: &mut Reading,
    ) -> Result<Verdict<Self>, mano_tosca::Refusal>;
}

/// An entry with what its representation needs.
pub(crate) struct Loaded<F: Family> {
    /// The entry.
    pub(crate) entry: Versioned<Entry<F>>,
    /// How its descriptor is used; none before ONBOARDED.
    pub(crate) usage: Option<Versioned<Usage>>,
    /// The entries that brought the descriptors it refers to, as far as they are here.
    pub(crate) referred: Vec<String>,
}

impl<F: Wire> Loaded<F> {
    /// Reads what a request names.
    pub(crate) async fn by(cx: &Cx, request: &Request) -> Result<Self, Error> {
        let entry = cx.store.read::<Entry<F>>(request.tenant(), request.param(F::PARAM)).await?;
        let mut loaded = Self::all(cx, request.tenant(), vec![entry]).await?;
        loaded.pop().ok_or_else(|| Error::Bug("one entry was read and none came".into()))
    }

    /// Reads what the representations of entries need, in one go.
    pub(crate) async fn all(
        cx: &Cx,
        tenant: &TenantId,
        entries: Vec<Versioned<Entry<F>>>,
    ) -> Result<Vec<Self>, Error> {
        let key = |of, id: &str| Key::of::<Usage>(tenant, Usage::id_of(of, id));
        let mut keys = Vec::new();
        for described in entries.iter().filter_map(|entry| entry.described.as_ref()) {
            keys.push(key(F::DESCRIPTOR, described.descriptor_id()));
            let referred = described.refers_to().1;
            keys.extend(referred.iter().map(|id| key(Descriptor::Vnfd, id)));
        }
        let mut found = Vec::with_capacity(keys.len());
        for usage in cx.store.get_many(&keys).await? {
            found.push(usage.map(|stored| stored.decode::<Usage>()).transpose()?);
        }
        let mut found = found.into_iter();
        let with = |entry: Versioned<Entry<F>>| {
            let referred = entry.described.as_ref().map(|d| d.refers_to().1.len());
            let usage = referred.and_then(|_| found.next().flatten());
            let referred = found.by_ref().take(referred.unwrap_or(0)).flatten();
            let referred = referred.map(|usage| usage.value.info_id).collect();
            Self { entry, usage, referred }
        };
        Ok(entries.into_iter().map(with).collect())
    }

    /// The representation.
    pub(crate) fn show(&self, api_root: &str) -> Value {
        let entry = &self.entry.value;
        let mut shown = Map::new();
        shown.insert("id".into(), entry.id.clone().into());
        if let Some(described) = &entry.described {
            shown.extend(told(described, &self.referred));
        }
        let in_use = self.usage.as_ref().is_some_and(|usage| usage.in_use());
        let usage = if in_use { "IN_USE" } else { "NOT_IN_USE" };
        shown.insert(F::ONBOARDING_STATE.into(), entry.onboarding.state().as_str().into());
        shown.insert(F::OPERATIONAL_STATE.into(), entry.operational_state.as_str().into());
        shown.insert(F::USAGE_STATE.into(), usage.into());
        if !entry.user_defined_data.is_empty() {
            shown.insert("userDefinedData".into(), entry.user_defined_data.clone().into());
        }
        if let Some(failure) = entry.onboarding.failure() {
            shown.insert("onboardingFailureDetails".into(), json!(failure));
        }
        if !entry.warnings.is_empty() {
            shown.insert("_mano".into(), json!({ "warnings": entry.warnings }));
        }
        shown.insert("_links".into(), links::<F>(api_root, &entry.id));
        shown.into()
    }

    /// The version of a representation: it changes whenever the representation does, also
    /// through documents other than the entry's.
    pub(crate) fn etag(shown: &Value) -> u64 {
        ids::derived(&[&shown.to_string()]).as_u64_pair().0
    }
}

/// The attributes that come from the content.
fn told<F: Wire>(described: &F, referred: &[String]) -> Map<String, Value> {
    let Ok(Value::Object(mut told)) = serde_json::to_value(described) else { return Map::new() };
    told.remove("layout");
    told.remove("vnfdIds");
    let (attribute, _) = described.refers_to();
    if !attribute.is_empty() {
        told.insert(attribute.into(), json!(referred));
    }
    told
}

/// Where an entry is.
pub(crate) fn href<F: Wire>(api_root: &str, id: &str) -> String {
    format!("{api_root}{}/{id}", F::COLLECTION)
}

fn links<F: Wire>(api_root: &str, id: &str) -> Value {
    let own = href::<F>(api_root, id);
    let more = F::LINKS.iter();
    let more =
        more.map(|(name, sub)| ((*name).to_owned(), json!({ "href": format!("{own}/{sub}") })));
    let mut links = Map::from_iter([("self".to_owned(), json!({ "href": own }))]);
    links.extend(more);
    links.into()
}
