//! Documents that are too large for a row: they go to a blob first, and the row names it.
//!
//! A blob's name tells whose it is, what is in it and which plan wrote it, so nobody ever
//! writes it again and a sweep can tell whether it is still somebody's.

use super::{
    DynamoStore, failed,
    item::{BLOB, keyed, s, text},
    keys,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use mano_model::plan::{Key, Plan};
use mano_ports::{
    blobs::{self, Blobs as _},
    hex::{hex, unhex},
    store::Error,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Documents larger than this, in bytes, do not go into the table (a row takes 400 KB).
const LARGE: usize = 300_000;
/// Where such documents lie among the blobs.
const FOLDER: &str = "documents/";
/// So many are looked at before it is remembered how far the sweep came.
const PAGE: usize = 100;
/// So long before its end a sweep begins with no more of them.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// The last blob that was looked at, in the row of the sweep.
const AFTER: &str = "after";
/// A blob younger than this may belong to a plan that is under way.
const YOUNG: Duration = Duration::from_secs(24 * 3600);

impl DynamoStore {
    /// Puts large documents aside; the blob of each write, if it has one.
    pub(super) async fn spill(&self, plan: &Plan) -> Result<Vec<Option<String>>, Error> {
        let mut blobs = Vec::with_capacity(plan.writes.len());
        for write in &plan.writes {
            let body = write.change.body();
            if body.len() <= LARGE {
                blobs.push(None);
                continue;
            }
            let name = name(&write.key, plan, body);
            let content = Bytes::copy_from_slice(body.as_bytes());
            let limit = u64::try_from(body.len()).unwrap_or(u64::MAX);
            let put = self.blobs.put(&name, Box::pin(stream::iter([Ok(content)])), limit).await;
            put.map_err(unavailable)?;
            blobs.push(Some(name));
        }
        Ok(blobs)
    }

    /// The text of a blob.
    pub(super) async fn spilled(&self, blob: &str) -> Result<String, Error> {
        let size = self.blobs.size(blob).await.map_err(unavailable)?;
        let mut parts = self.blobs.open(blob, 0, size).await.map_err(unavailable)?;
        let mut whole = Vec::new();
        while let Some(part) = parts.next().await {
            whole.extend_from_slice(&part.map_err(|error| Error::Unavailable(Box::new(error)))?);
        }
        String::from_utf8(whole).map_err(|error| Error::Unavailable(Box::new(error)))
    }

    /// Removes blobs of documents that have become something else; how many. It begins where the
    /// last one had to end, and ends at `until` or with the last blob.
    ///
    /// # Errors
    /// The table or the bucket cannot be read; what was removed stays so.
    pub async fn sweep_blobs(&self, until: Timestamp) -> Result<usize, Error> {
        let before = self.clock.now() - YOUNG;
        let (partition, sort) = keys::SWEEP;
        let row = self.item(keyed(partition, sort)).await?;
        let mut after = row.map(|row| text(&row, AFTER).to_owned());
        let mut gone = 0;
        while self.clock.now() + MARGIN < until {
            let page = self.blobs.list(FOLDER, after.as_deref(), PAGE).await;
            let page = page.map_err(unavailable)?;
            for blob in page.items.into_iter().filter(|blob| blob.modified < before) {
                if !self.is_used(&blob.name).await? {
                    self.blobs.delete(&blob.name).await.map_err(unavailable)?;
                    gone += 1;
                }
            }
            after = page.next;
            self.swept_to(after.as_deref()).await?;
            if after.is_none() {
                break;
            }
        }
        Ok(gone)
    }

    /// Remembers where the next sweep begins; none: with the first blob.
    async fn swept_to(&self, after: Option<&str>) -> Result<(), Error> {
        let (partition, sort) = keys::SWEEP;
        let mut row = keyed(partition, sort);
        row.extend(after.map(|after| (AFTER.to_owned(), s(after))));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(row));
        put.send().await.map(drop).map_err(failed)
    }

    /// Whether a document still has its text in this blob; what is none of ours stays.
    async fn is_used(&self, blob: &str) -> Result<bool, Error> {
        let Some((partition, id)) = owner(blob) else { return Ok(true) };
        let item = self.item(keyed(partition, id)).await?;
        Ok(item.is_some_and(|item| text(&item, BLOB) == blob))
    }
}

fn unavailable(error: blobs::Error) -> Error {
    Error::Unavailable(Box::new(error))
}

/// `documents/{partition}/{id}/{sha-256}-{plan}`, the first two in hexadecimal.
fn name(key: &Key, plan: &Plan, body: &str) -> String {
    let sha = hex(&Sha256::digest(body.as_bytes()));
    let (partition, id) = (hex(keys::partition(key).as_bytes()), hex(key.id.as_bytes()));
    format!("{FOLDER}{partition}/{id}/{sha}-{}", plan.origin.id)
}

/// The partition and the id of the document a blob was written for.
fn owner(blob: &str) -> Option<(String, String)> {
    let mut parts = blob.strip_prefix(FOLDER)?.split('/');
    let mut part = || String::from_utf8(unhex(parts.next()?)?).ok();
    Some((part()?, part()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_names_the_document_it_was_written_for() {
        let text = "note#tenant é#3";
        let blob = format!("documents/{}/61/x", hex(text.as_bytes()));
        assert_eq!(owner(&blob), Some((text.into(), "a".into())));
        assert_eq!(owner("documents/zz/61/x"), None);
        assert_eq!(owner("documents/61/62/x-y"), Some(("a".into(), "b".into())));
    }
}
