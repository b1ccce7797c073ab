//! How often a message was tried in vain: SQS counts receives, also of those that only came along.

use super::{
    DynamoStore, failed,
    item::{keyed, n, number},
    keys,
};
use aws_sdk_dynamodb::types::ReturnValue;
use mano_ports::store::Error;

/// So long a count is kept, in seconds: longer than SQS keeps a message.
const REMEMBERED: i64 = 15 * 24 * 3600;

impl DynamoStore {
    /// Counts a try of a message; which it was, from 1.
    pub(crate) async fn tried(&self, message: &str) -> Result<u32, Error> {
        let until = self.clock.now().as_second().saturating_add(REMEMBERED);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(keyed(keys::tries(message), "tries")))
            .update_expression("SET #until = :until ADD #tries :one")
            .expression_attribute_names("#until", keys::TTL)
            .expression_attribute_names("#tries", "tries")
            .expression_attribute_values(":until", n(until))
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::UpdatedNew);
        let counted = update.send().await.map_err(failed)?;
        Ok(number(&counted.attributes.unwrap_or_default(), "tries"))
    }
}
