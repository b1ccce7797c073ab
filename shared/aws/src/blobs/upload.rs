//! Putting a stream into a bucket: whole or not at all, with one part in memory.
//!
//! ```text
//!   one part    ─▶ PutObject
//!   more parts  ─▶ begin ─▶ part … part ─▶ complete      (a stream that breaks: abort)
//! ```

use super::{S3Blobs, unavailable};
use aws_sdk_s3::{
    error::ProvideErrorMetadata,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use mano_ports::{
    blobs::{ByteStream, Error, Stored},
    hex::hex,
};
use sha2::{Digest, Sha256};

/// Bytes of a part; S3 takes 10,000 parts of at least 5 MiB.
const PART: usize = 8 << 20;

/// Content on its way in.
struct Incoming {
    stream: ByteStream,
    /// What came and belongs to the next part.
    held: BytesMut,
    sha: Sha256,
    size: u64,
    limit: u64,
}

impl Incoming {
    /// The next part; all but the last have the same size. `None`: that was all.
    async fn part(&mut self) -> Result<Option<Bytes>, Error> {
        while self.held.len() < PART {
            let Some(piece) = self.stream.next().await else { break };
            let piece = piece.map_err(unavailable)?;
            self.size = self.size.saturating_add(piece.len() as u64);
            if self.size > self.limit {
                return Err(unavailable(format!("the content has more than {} bytes", self.limit)));
            }
            self.sha.update(&piece);
            self.held.extend_from_slice(&piece);
        }
        let part = self.held.split_to(self.held.len().min(PART)).freeze();
        Ok(Some(part).filter(|part| !part.is_empty()))
    }
}

/// Puts the stream under a key.
pub(super) async fn upload(
    to: &S3Blobs,
    key: String,
    stream: ByteStream,
    limit: u64,
) -> Result<Stored, Error> {
    let (held, sha) = (BytesMut::new(), Sha256::new());
    let mut incoming = Incoming { stream, held, sha, size: 0, limit };
    let first = incoming.part().await?.unwrap_or_default();
    match incoming.part().await? {
        None => {
            let put = to.client.put_object().bucket(&to.bucket).key(key).body(first.into());
            put.send().await.map_err(unavailable)?;
        }
        Some(second) => parts(to, key, [first, second], &mut incoming).await?,
    }
    Ok(Stored { size: incoming.size, sha256: hex(&incoming.sha.finalize()) })
}

/// Puts content of more than one part.
async fn parts(
    to: &S3Blobs,
    key: String,
    first: [Bytes; 2],
    incoming: &mut Incoming,
) -> Result<(), Error> {
    let begin = to.client.create_multipart_upload().bucket(&to.bucket).key(&key);
    let begun = begin.send().await.map_err(unavailable)?;
    let upload = Upload { to, key, id: begun.upload_id.unwrap_or_default() };
    let done = upload.all(first, incoming).await;
    if done.is_err() {
        let abort = to.client.abort_multipart_upload().bucket(&to.bucket).key(&upload.key);
        // The first error counts; the bucket's lifecycle removes what stays behind.
        drop(abort.upload_id(&upload.id).send().await);
    }
    done
}

/// An upload that has begun.
struct Upload<'a> {
    to: &'a S3Blobs,
    key: String,
    id: String,
}

impl Upload<'_> {
    async fn all(&self, first: [Bytes; 2], incoming: &mut Incoming) -> Result<(), Error> {
        let mut done = Vec::new();
        for part in first {
            done.push(self.one(done.len(), part).await?);
        }
        while let Some(part) = incoming.part().await? {
            done.push(self.one(done.len(), part).await?);
        }
        let number = done.len();
        let done = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let complete = self.to.client.complete_multipart_upload().bucket(&self.to.bucket);
        let complete = complete.key(&self.key).upload_id(&self.id).multipart_upload(done);
        match complete.send().await {
            // The answer to the attempt that completed it was lost.
            Err(error) if error.code() == Some("NoSuchUpload") => {
                if self.is_complete(incoming.size, number).await {
                    return Ok(());
                }
                Err(unavailable(error))
            }
            done => done.map(drop).map_err(unavailable),
        }
    }

    /// Whether content of this size and of so many parts lies under the key.
    async fn is_complete(&self, size: u64, parts: usize) -> bool {
        let head = self.to.client.head_object().bucket(&self.to.bucket).key(&self.key);
        let Ok(found) = head.send().await else { return false };
        let tag = found.e_tag.unwrap_or_default();
        let of_parts = tag.trim_matches('"').ends_with(&format!("-{parts}"));
        of_parts && found.content_length.and_then(|found| u64::try_from(found).ok()) == Some(size)
    }

    async fn one(&self, before: usize, part: Bytes) -> Result<CompletedPart, Error> {
        let number = i32::try_from(before + 1).unwrap_or(i32::MAX);
        let put = self.to.client.upload_part().bucket(&self.to.bucket).key(&self.key);
        let put = put.upload_id(&self.id).part_number(number).body(part.into());
        let put = put.send().await.map_err(unavailable)?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(put.e_tag)
            .set_checksum_crc32(put.checksum_crc32)
            .build())
    }
}
