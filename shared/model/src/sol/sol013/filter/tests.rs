//! Filters against the rules of SOL013 clause 5.2.

use super::*;
use crate::sol::sol013::{Kind, any, boolean, date_time, map, number, object, text};
use proptest::prelude::*;
use serde_json::json;

const HANDLE: &[Attribute] = &[text("vimId"), text("resourceId")];
const COMPUTE: &[Attribute] = &[text("id").must(), object("handle", HANDLE), number("cpus")];
const CONNECTION: Kind = Kind::Object(&[text("vimType")]);
const SHAPE: &[Attribute] = &[
    text("id").must(),
    text("name"),
    text("odd,name/with@and~"),
    boolean("enabled"),
    number("size"),
    date_time("startTime"),
    object("compute", COMPUTE).many(),
    text("aliases").many(),
    map("connections", &CONNECTION),
    any("userDefinedData"),
];

fn element() -> Value {
    json!({
        "id": "7", "name": "it's (one), two", "odd,name/with@and~": "odd", "enabled": true,
        "size": 10, "startTime": "2026-02-28T12:00:00+01:00",
        "compute": [
            { "id": "a", "handle": { "vimId": "north" }, "cpus": 4 },
            { "id": "b", "handle": { "vimId": "south", "resourceId": null }, "cpus": 2.5 },
        ],
        "aliases": ["red", "green"],
        "connections": { "vim1": { "vimType": "sim" } },
        "userDefinedData": { "rack": 7, "owner": "ops", "spare": false },
    })
}

fn keeps(filter: &str) -> bool {
    Filter::parse(SHAPE, filter)
        .unwrap_or_else(|refusal| panic!("{filter}: {refusal}"))
        .keeps(&element())
}

fn refused(filter: &str) -> String {
    Filter::parse(SHAPE, filter).expect_err(filter).detail
}

#[test]
fn what_holds() {
    for filter in [
        "(eq,id,7)",
        "(neq,id,8)",
        "(in,id,6,7,8)",
        "(nin,id,6,8)",
        "(gt,size,9.5)",
        "(gte,size,10)",
        "(lt,size,11)",
        "(lte,size,1e1)",
        "(eq,enabled,true)",
        "(neq,enabled,false)",
        "(eq,startTime,2026-02-28T11:00:00Z)",
        "(gt,startTime,2026-02-28T10:59:59.9Z)",
        "(cont,name,'(one)')",
        "(eq,name,'it''s (one), two')",
        "(cont,name,zwei,two)",
        "(ncont,name,zwei,three)",
        "(gt,name,a)",
        "(eq,odd~aname~1with~band~0,odd)",
        "(eq,compute/handle/vimId,south)",
        "(neq,compute/handle/vimId,south)",
        "(lt,compute/cpus,3)",
        "(eq,aliases,green)",
        "(eq,connections/vim1/vimType,sim)",
        "(eq,connections/@key,vim1)",
        "(eq,userDefinedData/rack,7)",
        "(eq,userDefinedData/owner,ops)",
        "(eq,userDefinedData/spare,false)",
        "(eq,id,7);(eq,enabled,true)",
    ] {
        assert!(keeps(filter), "{filter}");
    }
}

#[test]
fn what_does_not_hold() {
    for filter in [
        "(eq,id,8)",
        "(neq,id,7)",
        "(in,id,6,8)",
        "(nin,id,6,7)",
        "(gt,size,10)",
        "(lt,size,10)",
        "(eq,enabled,false)",
        "(gt,startTime,2026-02-28T11:00:00Z)",
        "(cont,name,zwei)",
        "(ncont,name,zwei,two)",
        "(eq,compute/handle/vimId,west)",
        "(eq,connections/@key,vim2)",
        "(eq,connections/vim2/vimType,sim)",
        "(eq,userDefinedData/rack,8)",
        "(eq,id,7);(eq,enabled,false)",
        "(eq,id,'')",
    ] {
        assert!(!keeps(filter), "{filter}");
    }
}

#[test]
fn an_absent_attribute_matches_nothing() {
    for filter in [
        "(neq,compute/handle/resourceId,x)",
        "(nin,userDefinedData/none,x)",
        "(ncont,connections/vim2/vimType,x)",
    ] {
        assert!(!keeps(filter), "{filter}");
    }
    let without = json!({ "id": "1" });
    let filter = Filter::parse(SHAPE, "(neq,name,x)").unwrap();
    assert!(!filter.keeps(&without));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (filter, at) in [
        ("", 1),
        ("eq,id,7", 1),
        ("(same,id,7)", 2),
        ("(eq,nome,7)", 5),
        ("(eq,id/x,7)", 5),
        ("(eq,compute,7)", 5),
        ("(eq,connections,7)", 5),
        ("(cont,size,7)", 7),
        ("(gt,enabled,true)", 5),
        ("(eq,size,ten)", 10),
        ("(eq,enabled,yes)", 13),
        ("(eq,startTime,yesterday)", 15),
        ("(eq,id,7", 9),
        ("(eq,id,7,8)", 9),
        ("(eq,id)", 7),
        ("(eq,id,)", 8),
        ("(in,id,7,)", 10),
        ("(eq,id,'7)", 9),
        ("(eq,id,7)x", 10),
        ("(eq,id,7);", 11),
        ("(eq,id,7)(eq,id,7)", 10),
        ("(eq,odd~xname,7)", 5),
        ("(eq,,7)", 5),
    ] {
        let detail = refused(filter);
        let place = format!("character {at}: ");
        assert!(detail.contains(&place), "{filter} ─▶ {detail}; expected {place}");
    }
}

#[test]
fn filters_are_bounded() {
    let one = "(eq,id,7)";
    let most = vec![one; Filter::MAX_TERMS].join(";");
    assert!(Filter::parse(SHAPE, &most).is_ok());
    assert!(Filter::parse(SHAPE, &format!("{most};{one}")).is_err());
    assert!(Filter::parse(SHAPE, &format!("(eq,id,{})", "x".repeat(Filter::MAX_BYTES))).is_err());
}

#[test]
fn a_demanded_value_is_found_for_an_index() {
    let filter = Filter::parse(SHAPE, "(gt,size,1);(eq,name,x)").unwrap();
    assert_eq!(filter.demands("name"), Some("x"));
    assert_eq!(filter.demands("size"), None);
    assert_eq!(Filter::parse(SHAPE, "(in,name,x,y)").unwrap().demands("name"), None);
    assert_eq!(Filter::parse(SHAPE, "(eq,compute/id,x)").unwrap().demands("id"), None);
}

/// Any JSON up to a few levels.
fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any_bool().prop_map(Value::from),
        proptest::num::f64::ANY.prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    let names = prop_oneof![Just("id"), Just("size"), Just("compute"), Just("cpus"), Just("vim1")];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..4).prop_map(|members| {
                Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

fn any_bool() -> impl Strategy<Value = bool> {
    proptest::bool::ANY
}

proptest! {
    #[test]
    fn no_text_makes_it_stumble(text in "[(),;'~/@a-zé0-9]{0,40}|.{0,40}") {
        drop(Filter::parse(SHAPE, &text));
    }

    #[test]
    fn no_expression_makes_it_stumble(
        op in "eq|neq|in|nin|gt|gte|lt|lte|cont|ncont",
        attribute in "id|size|enabled|startTime|compute/cpus|connections/@key|userDefinedData/x|compute",
        value in ".{0,12}",
        element in documents(),
    ) {
        let quoted = value.replace('\'', "''");
        if let Ok(filter) = Filter::parse(SHAPE, &format!("({op},{attribute},'{quoted}')")) {
            let _ = filter.keeps(&element);
        }
    }

    #[test]
    fn any_text_can_be_asked_for_in_quotes(value in ".{0,30}") {
        let quoted = value.replace('\'', "''");
        let filter = Filter::parse(SHAPE, &format!("(eq,id,'{quoted}')")).unwrap();
        let (same, longer) = (json!({ "id": value }), json!({ "id": format!("{value}x") }));
        prop_assert!(filter.keeps(&same));
        prop_assert!(!filter.keeps(&longer));
    }
}
