//! The table, against the indexes of the store.

use super::template;
use mano_model::plan::Index;
use std::collections::BTreeSet;

#[test]
fn the_table_has_the_indexes_of_the_store() {
    let template = template();
    let table = &template["Resources"]["Table"]["Properties"];
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    let deployed: BTreeSet<&str> =
        indexes.iter().map(|index| index["IndexName"].as_str().unwrap()).collect();
    assert_eq!(deployed, Index::ALL.iter().map(|index| index.as_str()).collect());
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "ttl");
    let allowed = template["Resources"]["EveryFunction"].to_string();
    for index in Index::ALL {
        let named = format!("${{Table.Arn}}/index/{}\"", index.as_str());
        assert!(allowed.contains(&named), "no function may query {}", index.as_str());
    }
}
