//! Attribute selectors (SOL013 clause 5.3): which attributes of each element a client wants to see.
//!
//! Only complex optional attributes can be left out; mandatory and simple ones always stay.

use super::{
    path::{Hop, Path},
    shape::{Attribute, Kind, Listing},
};
use crate::Refusal;
use serde_json::Value;

/// What becomes of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cut {
    /// It is left out.
    Gone,
    /// Some of what lies below it is left out.
    Inner(Vec<(&'static str, Self)>),
}

/// Which attributes leave an element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    cuts: Vec<(&'static str, Cut)>,
}

/// A path of member names.
type Names = Vec<String>;

impl Selector {
    /// The query parameters that make a selector.
    pub const PARAMETERS: [&'static str; 4] =
        ["all_fields", "fields", "exclude_fields", "exclude_default"];
    /// Most attribute names taken in one parameter.
    pub const MAX_NAMES: usize = 256;

    /// Reads the selector of a query; without any parameter it is `exclude_default`.
    ///
    /// # Errors
    /// A refusal (400) of unknown attributes and of combinations the standard does not have.
    pub fn parse<'q>(
        listing: &Listing,
        query: impl IntoIterator<Item = (&'q str, &'q str)>,
    ) -> Result<Self, Refusal> {
        let asked = Asked::read(listing, query)?;
        let default = || paths(listing.shape, listing.excluded_by_default.iter().copied());
        let cuts = match asked {
            Asked { all: true, fields: None, exclude: None, default: false } => Vec::new(),
            Asked { all: false, fields: None, exclude: None, .. } => {
                without(listing.shape, &default()?, &[])
            }
            Asked { all: false, fields: Some(kept), exclude: None, default: true } => {
                without(listing.shape, &default()?, &kept)
            }
            Asked { all: false, fields: Some(kept), exclude: None, default: false } => {
                only(listing.shape, &kept)
            }
            Asked { all: false, fields: None, exclude: Some(gone), default: false } => {
                without(listing.shape, &gone, &[])
            }
            Asked { .. } => return Err(combination()),
        };
        Ok(Self { cuts })
    }

    /// Takes from an element what the client does not want to see.
    pub fn apply(&self, element: &mut Value) {
        cut(element, &self.cuts);
    }
}

/// The refusal of parameters that exclude each other.
fn combination() -> Refusal {
    Refusal::malformed(
        "these selectors cannot be combined; use one of all_fields, fields, exclude_fields, \
         exclude_default, or fields with exclude_default",
    )
}

/// The parameters as they stand in the query.
#[derive(Default)]
struct Asked {
    all: bool,
    default: bool,
    fields: Option<Vec<Names>>,
    exclude: Option<Vec<Names>>,
}

impl Asked {
    fn read<'q>(
        listing: &Listing,
        query: impl IntoIterator<Item = (&'q str, &'q str)>,
    ) -> Result<Self, Refusal> {
        let mut asked = Self::default();
        for (name, value) in query {
            match name {
                "all_fields" => asked.all = flag(name, value)?,
                "exclude_default" => asked.default = flag(name, value)?,
                "fields" => asked.fields = Some(names(listing, name, value)?),
                "exclude_fields" => asked.exclude = Some(names(listing, name, value)?),
                _ => {}
            }
        }
        Ok(asked)
    }
}

/// A parameter that has no value.
fn flag(name: &str, value: &str) -> Result<bool, Refusal> {
    if value.is_empty() {
        return Ok(true);
    }
    Err(Refusal::malformed(format!("{name} takes no value; write ?{name}, not ?{name}={value}")))
}

/// The attribute names of a parameter, checked against the type.
fn names(listing: &Listing, parameter: &str, value: &str) -> Result<Vec<Names>, Refusal> {
    let listed: Vec<_> = value.split(',').collect();
    if listed.len() > Selector::MAX_NAMES {
        let detail = format!("{parameter} lists more than {} names", Selector::MAX_NAMES);
        return Err(Refusal::malformed(detail));
    }
    paths(listing.shape, listed.into_iter())
        .map_err(|refusal| Refusal::malformed(format!("in {parameter}: {}", refusal.detail)))
}

/// Paths of member names; they may not lead into maps or unknown content.
fn paths<'n>(
    shape: &'static [Attribute],
    listed: impl Iterator<Item = &'n str>,
) -> Result<Vec<Names>, Refusal> {
    listed
        .map(|text| {
            Path::parse(shape, text)?
                .hops
                .into_iter()
                .map(|hop| match hop {
                    Hop::Member(name) => Ok(name),
                    Hop::Keys => Err(Refusal::malformed(format!(
                        "'{text}' names the keys of a map; name the map itself"
                    ))),
                })
                .collect()
        })
        .collect()
}

/// What is listed below an attribute: nothing, all of it, or parts.
fn below<'n>(listed: &[&'n [String]], attribute: &Attribute) -> (bool, Vec<&'n [String]>) {
    let tails: Vec<_> = listed
        .iter()
        .filter_map(|path| path.split_first())
        .filter(|(head, _)| *head == attribute.name)
        .map(|(_, tail)| tail)
        .collect();
    (tails.iter().any(|tail| tail.is_empty()), tails)
}

/// The paths as slices.
fn slices(paths: &[Names]) -> Vec<&[String]> {
    paths.iter().map(Vec::as_slice).collect()
}

/// The cuts that leave mandatory, simple and listed attributes.
fn only(shape: &'static [Attribute], kept: &[Names]) -> Vec<(&'static str, Cut)> {
    only_below(shape, &slices(kept))
}

fn only_below(shape: &'static [Attribute], kept: &[&[String]]) -> Vec<(&'static str, Cut)> {
    let mut cuts = Vec::new();
    for attribute in shape {
        let (whole, parts) = below(kept, attribute);
        if parts.is_empty() && attribute.removable() {
            cuts.push((attribute.name, Cut::Gone));
        } else if !whole
            && !parts.is_empty()
            && let Kind::Object(attributes) = attribute.kind
        {
            cuts.push((attribute.name, Cut::Inner(only_below(attributes, &parts))));
        }
    }
    cuts
}

/// The cuts that take the listed attributes away, except those that are kept all the same.
fn without(
    shape: &'static [Attribute],
    gone: &[Names],
    kept: &[Names],
) -> Vec<(&'static str, Cut)> {
    without_below(shape, &slices(gone), &slices(kept))
}

fn without_below(
    shape: &'static [Attribute],
    gone: &[&[String]],
    kept: &[&[String]],
) -> Vec<(&'static str, Cut)> {
    let mut cuts = Vec::new();
    for attribute in shape {
        let (taken, parts) = below(gone, attribute);
        let (saved, wanted) = below(kept, attribute);
        if parts.is_empty() || saved {
            continue;
        }
        let goes = taken && attribute.removable();
        if goes && wanted.is_empty() {
            cuts.push((attribute.name, Cut::Gone));
        } else if let Kind::Object(attributes) = attribute.kind {
            let inner = match (goes, taken) {
                (true, _) => only_below(attributes, &wanted),
                (false, false) => without_below(attributes, &parts, &wanted),
                (false, true) => continue,
            };
            cuts.push((attribute.name, Cut::Inner(inner)));
        }
    }
    cuts
}

/// Carries cuts out, in every element of an array.
fn cut(value: &mut Value, cuts: &[(&'static str, Cut)]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, cuts)),
        Value::Object(members) => {
            for (name, what) in cuts {
                match what {
                    Cut::Gone => drop(members.shift_remove(*name)),
                    Cut::Inner(inner) => {
                        if let Some(member) = members.get_mut(*name) {
                            cut(member, inner);
                        }
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
