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
    let known = [
        Index::NsdId,
        Index::VnfdId,
        Index::VnfPkgId,
        Index::NsInstanceId,
        Index::VnfInstanceId,
        Index::OperationState,
        Index::VimId,
    ];
    // A new index has to be added above: this does not compile without it.
    for index in known {
        match index {
            Index::NsdId
            | Index::VnfdId
            | Index::VnfPkgId
            | Index::NsInstanceId
            | Index::VnfInstanceId
            | Index::OperationState
            | Index::VimId => assert!(deployed.contains(index.as_str())),
        }
    }
    assert_eq!(deployed.len(), known.len());
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "ttl");
    let allowed = template["Resources"]["EveryFunction"].to_string();
    for index in known {
        let named = format!("${{Table.Arn}}/index/{}\"", index.as_str());
        assert!(allowed.contains(&named), "no function may query {}", index.as_str());
    }
}
