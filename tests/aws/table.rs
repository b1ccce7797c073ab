//! The table of a deployment, emptied before each story and filled with what a story begins with.

use crate::cloud::{Client, call, given};
use serde_json::{Value, json};

/// DynamoDB takes so many writes at a time.
const AT_A_TIME: usize = 25;

fn ask(verb: &str, body: &Value) -> Value {
    call(&Client::new(), "dynamodb", &format!("DynamoDB_20120810.{verb}"), body)
}

/// Every row there is.
pub(crate) fn rows() -> Vec<Value> {
    let mut rows = Vec::new();
    let mut asked = json!({ "TableName": given("MANO_AWS_TABLE"), "ConsistentRead": true });
    loop {
        let mut page = ask("Scan", &asked);
        rows.append(page["Items"].as_array_mut().unwrap());
        if page["LastEvaluatedKey"].is_null() {
            return rows;
        }
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"].take();
    }
}

/// Takes every row away: all stories share one deployment, and none sees what another left.
pub(crate) fn empty() {
    let key = |row: &Value| json!({ "pk": row["pk"], "sk": row["sk"] });
    let table = given("MANO_AWS_TABLE");
    let all = rows().iter().map(|row| json!({ "DeleteRequest": { "Key": key(row) } })).collect();
    write(&table, all);
}

/// Puts rows into a table.
pub(crate) fn fill(table: &str, rows: &[Value]) {
    write(table, rows.iter().map(|row| json!({ "PutRequest": { "Item": row } })).collect());
}

fn write(table: &str, requests: Vec<Value>) {
    for some in requests.chunks(AT_A_TIME) {
        let mut left = json!({ table: some });
        while left.as_object().is_some_and(|left| !left.is_empty()) {
            left =
                ask("BatchWriteItem", &json!({ "RequestItems": left }))["UnprocessedItems"].take();
        }
    }
}
