//! Reading documents by their keys, always as of the last commit.

use super::{
    DynamoStore, failed,
    item::{Item, Row, Text, keyed, text},
    keys::{self, PK, SK},
};
use crate::pause::jittered;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures_util::{StreamExt, TryStreamExt, stream};
use mano_model::plan::Key;
use mano_ports::store::{Error, Stored};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// `DynamoDB` reads so many rows at a time.
const AT_A_TIME: usize = 100;
/// Blobs read at the same time.
pub(super) const BLOBS: usize = 8;
/// How often is asked for the rows `DynamoDB` had no time for.
const ATTEMPTS: u32 = 10;

/// Rows by partition and sort key.
pub(super) type Rows = HashMap<(String, String), Item>;

impl DynamoStore {
    /// One row.
    pub(super) async fn item(&self, key: Item) -> Result<Option<Item>, Error> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key));
        let got = get.consistent_read(true).send().await;
        Ok(got.map_err(failed)?.item)
    }

    /// One document.
    pub(super) async fn one(&self, key: &Key) -> Result<Option<Stored>, Error> {
        // What cannot be put is not there.
        if !keys::fits(key) {
            return Ok(None);
        }
        match self.item(keyed(keys::partition(key), &key.id)).await? {
            Some(item) => Ok(Some(self.stored(Row::read(key.clone(), item)).await?)),
            None => Ok(None),
        }
    }

    /// The documents in the order of the keys.
    pub(super) async fn many(&self, wanted: &[Key]) -> Result<Vec<Option<Stored>>, Error> {
        let places: HashSet<_> = wanted.iter().filter(|key| keys::fits(key)).map(place).collect();
        let rows = self.batch(places.into_iter().collect()).await?;
        let found = wanted.iter().map(|key| {
            let row = rows.get(&place(key)).map(|item| Row::read(key.clone(), item.clone()));
            async move {
                match row {
                    Some(row) => self.stored(row).await.map(Some),
                    None => Ok(None),
                }
            }
        });
        stream::iter(found.collect::<Vec<_>>()).buffered(BLOBS).try_collect().await
    }

    /// The row with its text, wherever that lies.
    pub(super) async fn stored(&self, row: Row) -> Result<Stored, Error> {
        let text = match &row.text {
            Text::Here(text) => text.clone(),
            Text::Blob(blob) => self.spilled(blob).await?,
        };
        row.with(text)
    }

    /// Rows by their keys, which are all different.
    pub(super) async fn batch(&self, mut left: Vec<(String, String)>) -> Result<Rows, Error> {
        let (mut rows, mut attempt) = (Rows::new(), 0);
        while !left.is_empty() {
            let now = left.split_off(left.len().saturating_sub(AT_A_TIME));
            let (found, unread) = self.batch_once(now).await?;
            rows.extend(found);
            attempt = if unread.is_empty() { 0 } else { attempt + 1 };
            if attempt >= ATTEMPTS {
                return Err(Error::Unavailable("the table is too busy to be read".into()));
            }
            if attempt > 0 {
                let (base, most) = (Duration::from_millis(20), Duration::from_secs(1));
                self.clock.sleep(jittered(attempt, base, most)).await;
            }
            left.extend(unread);
        }
        Ok(rows)
    }

    /// As many rows as there is time for, and the keys of the others.
    async fn batch_once(
        &self,
        wanted: Vec<(String, String)>,
    ) -> Result<(Rows, Vec<(String, String)>), Error> {
        let keys = wanted.into_iter().map(|(pk, sk)| keyed(pk, sk)).collect();
        let asked = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
        let asked = super::write::built(asked.build())?;
        let got = self.client.batch_get_item().request_items(&self.table, asked).send().await;
        let got = got.map_err(failed)?;
        let found = got.responses.into_iter().flat_map(HashMap::into_values).flatten();
        let found = found.map(|item| (place_of(&item), item)).collect();
        let unread = got.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
        let unread = unread.flat_map(|left| left.keys).map(|key| place_of(&key)).collect();
        Ok((found, unread))
    }
}

fn place(key: &Key) -> (String, String) {
    (keys::partition(key), key.id.clone())
}

pub(super) fn place_of(item: &Item) -> (String, String) {
    (text(item, PK).into(), text(item, SK).into())
}
