//! `api_versions`: which editions of an interface are served (SOL013 clause 9.3).

use crate::http::{Body, Reply};
use ::http::StatusCode;
use bytes::Bytes;
use mano_model::sol::sol013::{Api, version::ApiVersionInformation};
use std::collections::BTreeMap;

/// The name of these resources in metrics.
pub(super) const TEMPLATE: &str = "api_versions";

/// The paths of the version lists of the interfaces that `templates` belong to, with their content.
pub(super) fn lists(templates: &Vec<&'static str>) -> Vec<(String, Bytes)> {
    let mut served: BTreeMap<&str, BTreeMap<&str, &Api>> = BTreeMap::new();
    for api in templates.iter().filter_map(|template| Api::of(template)) {
        served.entry(api.name).or_default().insert(api.major, api);
    }
    let mut lists = Vec::new();
    for (name, majors) in served {
        for (major, api) in &majors {
            lists.push((
                format!("/{name}/{major}/api_versions"),
                text(format!("/{name}/{major}"), [*api]),
            ));
        }
        let all = majors.into_values().rev();
        lists.push((format!("/{name}/api_versions"), text(format!("/{name}"), all)));
    }
    lists
}

/// The content of one list.
fn text<'a>(prefix: String, apis: impl IntoIterator<Item = &'a Api>) -> Bytes {
    match Reply::ok(&ApiVersionInformation::of(prefix, apis)).body {
        Body::Json(text) => text,
        Body::Empty | Body::Text(..) | Body::Stream(..) => Bytes::new(),
    }
}

/// The reply of one list.
pub(super) fn reply(text: &Bytes) -> Reply {
    Reply { status: StatusCode::OK, headers: Vec::new(), body: Body::Json(text.clone()) }
}
