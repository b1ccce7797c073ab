//! The blob port on a bucket: content comes and goes in parts and is never held whole.

mod address;
mod reader;
mod upload;

use crate::{clients::Clients, settings::Settings};
use async_trait::async_trait;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use futures_util::stream;
use jiff::Timestamp;
use mano_ports::{
    blobs::{Address, Blobs, ByteStream, Error, Listed, ReadSeek, Stored},
    error::Source,
    workflows::Listing,
};
use std::{io, time::Duration};

/// What the keys of the port's blobs begin with in the bucket.
pub const PREFIX: &str = "blobs/";

/// Blobs in a bucket.
#[derive(Debug, Clone)]
pub struct S3Blobs {
    client: aws_sdk_s3::Client,
    bucket: String,
}

impl S3Blobs {
    /// The bucket that the settings name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self { client: clients.s3.clone(), bucket: settings.bucket.clone() }
    }

    /// The size and the revision of a blob.
    async fn head(&self, name: &str) -> Result<(u64, Option<String>), Error> {
        let head = self.client.head_object().bucket(&self.bucket).key(key(name)?);
        let head = head.send().await.map_err(|error| wrap(name, error))?;
        let size = u64::try_from(head.content_length.unwrap_or_default()).unwrap_or_default();
        Ok((size, head.e_tag))
    }

    /// The body of a range that is not empty; none: it begins beyond the end.
    async fn range(
        &self,
        name: &str,
        (from, to): (u64, u64),
        revision: Option<String>,
    ) -> Result<Option<aws_sdk_s3::primitives::ByteStream>, Error> {
        let get = self.client.get_object().bucket(&self.bucket).key(key(name)?);
        let get = get.range(format!("bytes={from}-{}", to - 1)).set_if_match(revision);
        match get.send().await {
            Ok(got) => Ok(Some(got.body)),
            Err(error) if error.code() == Some("InvalidRange") => Ok(None),
            Err(error) => Err(wrap(name, error)),
        }
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, name: &str, content: ByteStream, limit: u64) -> Result<Stored, Error> {
        upload::upload(self, key(name)?, content, limit).await
    }

    async fn size(&self, name: &str) -> Result<u64, Error> {
        Ok(self.head(name).await?.0)
    }

    async fn open(&self, name: &str, from: u64, to: u64) -> Result<ByteStream, Error> {
        if from >= to {
            self.head(name).await?;
            return Ok(Box::pin(stream::empty()));
        }
        let Some(body) = self.range(name, (from, to), None).await? else {
            return Ok(Box::pin(stream::empty()));
        };
        Ok(Box::pin(stream::unfold(body, async |mut body| {
            let part = body.next().await?;
            Some((part.map_err(io::Error::other), body))
        })))
    }

    async fn reader(&self, name: &str) -> Result<Box<dyn ReadSeek>, Error> {
        let (size, revision) = self.head(name).await?;
        Ok(Box::new(reader::Reader::new(self.clone(), name.into(), size, revision)))
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let Ok(key) = key(name) else { return Ok(()) };
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        match delete.send().await {
            Err(error) if !is_absent(&error) => Err(unavailable(error)),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Listing<Listed>, Error> {
        let list = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(format!("{PREFIX}{prefix}"))
            .set_start_after(after.map(|after| format!("{PREFIX}{after}")))
            .max_keys(i32::try_from(most.clamp(1, 1000)).unwrap_or(1000));
        let listed = list.send().await.map_err(unavailable)?;
        let more = listed.is_truncated == Some(true);
        let items: Vec<_> =
            listed.contents.unwrap_or_default().into_iter().filter_map(of).collect();
        let next = items.last().filter(|_| more).map(|last| last.name.clone());
        Ok(Listing { items, next })
    }

    async fn upload_url(
        &self,
        name: &str,
        content: &Stored,
        valid: Duration,
    ) -> Result<Option<Address>, Error> {
        address::upload(self, key(name)?, content, valid).await.map(Some)
    }

    async fn download_url(&self, name: &str, valid: Duration) -> Result<Option<String>, Error> {
        address::download(self, key(name)?, valid).await.map(Some)
    }
}

/// A blob as the bucket lists it.
fn of(object: aws_sdk_s3::types::Object) -> Option<Listed> {
    let name = object.key?.strip_prefix(PREFIX)?.to_owned();
    let size = u64::try_from(object.size?).ok()?;
    let modified = Timestamp::from_second(object.last_modified?.secs()).ok()?;
    Some(Listed { name, size, modified })
}

/// The key of a name; a name that cannot be put is a name nothing is found under.
fn key(name: &str) -> Result<String, Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-./_".contains(&byte);
    let inside = name.len() <= 1000
        && name.bytes().all(allowed)
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    if inside { Ok(format!("{PREFIX}{name}")) } else { Err(Error::Absent(name.into())) }
}

fn unavailable(error: impl Into<Source>) -> Error {
    Error::Unavailable(error.into())
}

/// Says that there is nothing of this name, or that the bucket failed.
fn wrap<E>(name: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if is_absent(&error) { Error::Absent(name.into()) } else { unavailable(error) }
}

/// A HEAD has no body to say why: the status must do.
fn is_absent<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let nothing = matches!(error.code(), Some("NoSuchKey" | "NotFound"));
    nothing || error.raw_response().is_some_and(|response| response.status().as_u16() == 404)
}
