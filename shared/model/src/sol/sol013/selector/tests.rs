//! Selectors against the table of SOL013 clause 5.3.

use super::*;
use crate::sol::sol013::{any, object, text};
use serde_json::json;

const INNER: &[Attribute] = &[text("state").must(), any("extra"), text("ports").many()];
const SHAPE: &[Attribute] = &[
    text("id").must(),
    text("name"),
    object("info", INNER),
    object("parts", INNER).many(),
    any("metadata"),
    object("links", INNER).must(),
];
const LISTING: Listing = Listing::new(SHAPE, &["info", "metadata"]);

fn element() -> Value {
    let inner = json!({ "state": "S", "extra": { "x": 1 }, "ports": ["p"] });
    json!({ "id": "1", "name": "n", "info": inner, "parts": [inner, inner], "metadata": {}, "links": inner })
}

/// What is left of the element under a query.
fn left(query: &[(&str, &str)]) -> Value {
    let selector = Selector::parse(&LISTING, query.iter().copied()).unwrap();
    let mut value = element();
    selector.apply(&mut value);
    value
}

fn without(names: &[&str]) -> Value {
    let mut value = element();
    for name in names {
        value.as_object_mut().unwrap().shift_remove(*name);
    }
    value
}

#[test]
fn no_selector_is_the_default() {
    assert_eq!(left(&[]), without(&["info", "metadata"]));
    assert_eq!(left(&[("exclude_default", "")]), left(&[]));
}

#[test]
fn all_fields_shows_everything() {
    assert_eq!(left(&[("all_fields", "")]), element());
}

#[test]
fn fields_shows_the_mandatory_the_simple_and_the_listed() {
    assert_eq!(left(&[("fields", "metadata")]), without(&["info", "parts"]));
    let mut expected = without(&["info", "metadata"]);
    expected["parts"] =
        json!([{ "state": "S", "extra": { "x": 1 } }, { "state": "S", "extra": { "x": 1 } }]);
    assert_eq!(left(&[("fields", "parts/extra")]), expected);
    assert_eq!(left(&[("fields", "id,name")]), without(&["info", "parts", "metadata"]));
    assert_eq!(left(&[("fields", "parts,parts/extra")]), without(&["info", "metadata"]));
}

#[test]
fn exclude_fields_hides_the_listed_and_nothing_mandatory_or_simple() {
    assert_eq!(left(&[("exclude_fields", "parts")]), without(&["parts"]));
    assert_eq!(left(&[("exclude_fields", "id,name,links")]), element());
    let mut expected = element();
    expected["info"].as_object_mut().unwrap().shift_remove("extra");
    assert_eq!(left(&[("exclude_fields", "info/extra,info/state")]), expected);
}

#[test]
fn fields_with_exclude_default_adds_to_the_default() {
    let query = [("fields", "metadata"), ("exclude_default", "")];
    assert_eq!(left(&query), without(&["info"]));
    let query = [("exclude_default", ""), ("fields", "info/ports")];
    let mut expected = without(&["metadata"]);
    expected["info"] = json!({ "state": "S", "ports": ["p"] });
    assert_eq!(left(&query), expected);
}

#[test]
fn other_combinations_are_refused() {
    let names = Selector::PARAMETERS;
    let legal = [
        vec!["all_fields"],
        vec!["fields"],
        vec!["exclude_fields"],
        vec!["exclude_default"],
        vec!["fields", "exclude_default"],
        vec![],
    ];
    for bits in 0_u8..16 {
        let chosen: Vec<_> = (0..4).filter(|n| bits & (1 << n) != 0).map(|n| names[n]).collect();
        let query = chosen.iter().map(|name| {
            let flag = *name == "all_fields" || *name == "exclude_default";
            (*name, if flag { "" } else { "info" })
        });
        let parsed = Selector::parse(&LISTING, query);
        assert_eq!(parsed.is_ok(), legal.contains(&chosen), "{chosen:?}");
    }
}

#[test]
fn unknown_attributes_and_valued_flags_are_refused() {
    for (name, value) in [
        ("fields", "wrong_field"),
        ("fields", "info/wrong"),
        ("fields", "name/x"),
        ("fields", ""),
        ("fields", "info,,id"),
        ("fields", "metadata/@key"),
        ("exclude_fields", "wrong_field"),
        ("all_fields", "true"),
        ("exclude_default", "1"),
    ] {
        assert!(Selector::parse(&LISTING, [(name, value)]).is_err(), "{name}={value}");
    }
}
