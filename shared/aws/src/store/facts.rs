//! The facts that were committed and not yet relayed, per document in their order.

use super::{
    DynamoStore, failed,
    item::{Item, keyed, number, s, text},
    keys::{self, PK, SK},
};
use mano_model::plan::Announced;
use mano_ports::store::Error;
use std::collections::HashMap;

/// Rows read at a time.
const CHUNK: i32 = 100;

/// A fact that somebody still has to hear.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    partition: String,
    place: String,
    /// The fact.
    pub(crate) fact: Announced,
}

/// Due facts that have waited for too long, of a part of a shard.
#[derive(Debug)]
pub(crate) struct Overdue {
    /// How many there are.
    pub(crate) facts: usize,
    /// The documents they are about, by their names in the table.
    pub(crate) abouts: Vec<String>,
    /// Where the next part begins; none: the shard has no more.
    pub(crate) next: Option<Item>,
}

impl DynamoStore {
    /// The first due facts about a document, in order.
    pub(crate) async fn due(&self, about: &str) -> Result<Vec<Due>, Error> {
        let values = HashMap::from([
            (":p".to_owned(), s(keys::facts(about))),
            (":about".to_owned(), s(format!("{about}#"))),
        ]);
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :p AND begins_with(sk, :about)")
            .set_expression_attribute_values(Some(values))
            .limit(CHUNK);
        let got = query.send().await.map_err(failed)?;
        // A row that cannot be read must not be passed over: what follows it waits.
        got.items.unwrap_or_default().iter().map(read).collect()
    }

    /// Every listener heard the fact.
    pub(crate) async fn relayed(&self, due: &Due) -> Result<(), Error> {
        let key = keyed(&due.partition, &due.place);
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        let deleted = delete.send().await;
        deleted.map(drop).map_err(failed)
    }

    /// A part of a shard's due facts, and which of them were due before an instant (milliseconds
    /// since 1970).
    pub(crate) async fn overdue(
        &self,
        shard: u32,
        after: Option<Item>,
        before: i64,
    ) -> Result<Overdue, Error> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :p")
            .projection_expression("pk, sk, #at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":p", s(format!("{}{shard}", keys::FACTS)))
            .set_exclusive_start_key(after);
        let got = query.send().await.map_err(failed)?;
        let items = got.items.unwrap_or_default();
        let late = items.iter().filter(|item| number::<i64>(item, "at") < before);
        let late: Vec<_> = late.filter_map(|item| keys::parse_fact(text(item, SK))).collect();
        let mut abouts: Vec<_> = late.iter().map(|(about, _)| (*about).to_owned()).collect();
        // They come document by document.
        abouts.dedup();
        Ok(Overdue { facts: late.len(), abouts, next: got.last_evaluated_key })
    }
}

fn read(item: &Item) -> Result<Due, Error> {
    let fact = serde_json::from_str(text(item, "fact")).map_err(|error| {
        let place = text(item, SK);
        Error::Rejected(format!("the fact in row '{place}' cannot be read: {error}").into())
    })?;
    Ok(Due { partition: text(item, PK).into(), place: text(item, SK).into(), fact })
}
