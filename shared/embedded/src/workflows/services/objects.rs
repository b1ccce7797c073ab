//! Objects: S3's `getObject`, `putObject` and `listObjectsV2` on the blobs of this host.
//!
//! The object `Key` of `Bucket` is the blob `Bucket/Key`.

use super::{Home, returned};
use crate::dispatch::Dispatch;
use flate2::read::MultiGzDecoder;
use futures_util::{StreamExt, stream};
use mano_asl::{
    Call,
    host::{Answer, Answering, Service},
};
use mano_ports::{
    blobs::{Blobs, ByteStream, Error, Listed},
    workflows::Listing,
};
use serde_json::{Value, json};
use std::io::{self, Read};

/// Largest object a workflow reads or writes, unpacked.
const LARGEST: u64 = 64 << 20;

/// S3, as far as item readers, result writers and tasks use it.
pub(super) struct Objects(pub(super) Home);

impl Service for Objects {
    fn offers(&self) -> &[&'static str] {
        &[
            "s3:getObject",
            "s3:putObject",
            "s3:listObjectsV2",
            "aws-sdk:s3:getObject",
            "aws-sdk:s3:putObject",
            "aws-sdk:s3:listObjectsV2",
        ]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(async move {
            let Some(dispatch) = self.0.dispatch() else { return Answer::Later };
            match (&*call.api, &*call.service) {
                ("getObject", _) => get(&dispatch, call).await,
                // What an item reader asks for is all of it, as items.
                ("listObjectsV2", "s3") => items(&*dispatch.cx.blobs, call).await,
                ("listObjectsV2", _) => list(&*dispatch.cx.blobs, call).await,
                _ => put(&dispatch, call).await,
            }
        })
    }
}

fn name(arguments: &Value) -> String {
    below(arguments, "Key")
}

/// The bucket, and what an argument names in it.
fn below(arguments: &Value, argument: &str) -> String {
    let part = |name: &str| arguments[name].as_str().unwrap_or_default();
    let bucket = part("Bucket").rsplit(':').next().unwrap_or_default();
    format!("{bucket}/{}", part(argument))
}

async fn get(dispatch: &Dispatch, call: &Call) -> Answer {
    let name = name(call.arguments.value());
    let failed = |error: Error| match error {
        Error::Absent(_) => Answer::failed(
            "S3.NoSuchKeyException",
            format!("The specified key does not exist: {name} (Service: S3, Status Code: 404)"),
        ),
        error @ Error::Unavailable(_) => Answer::failed("S3.SdkClientException", error.to_string()),
    };
    let size = match dispatch.cx.blobs.size(&name).await {
        Ok(size) => size,
        Err(error) => return failed(error),
    };
    let stream = match dispatch.cx.blobs.open(&name, 0, size.min(LARGEST + 1)).await {
        Ok(stream) => stream,
        Err(error) => return failed(error),
    };
    match content(stream).await {
        Ok(body) => returned(&json!({ "Body": body, "ContentLength": size })),
        Err(error) => Answer::failed("S3.S3Exception", format!("The object {name}: {error}")),
    }
}

/// The text of an object, unpacked if it is packed.
async fn content(mut stream: ByteStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await {
        bytes.extend_from_slice(&part?);
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&*bytes).take(LARGEST + 1).read_to_end(&mut unpacked)?;
        bytes = unpacked;
    }
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it has more than {LARGEST} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// How many objects are asked for; S3 gives 1,000 at a time.
fn most(arguments: &Value) -> Option<usize> {
    arguments["MaxKeys"].as_u64().and_then(|most| usize::try_from(most).ok())
}

/// An object as the items of a Map have it.
fn item(bucket: &str, listed: &Listed) -> Value {
    json!({
        "Etag": tag(listed),
        "Key": listed.name.strip_prefix(bucket).unwrap_or_default(),
        "LastModified": listed.modified.as_second(),
        "Size": listed.size,
        "StorageClass": "STANDARD",
    })
}

/// What differs once the object does, as far as the folder remembers; nothing of it is read.
fn tag(listed: &Listed) -> String {
    format!("\"{:x}-{:x}\"", listed.modified.as_nanosecond(), listed.size)
}

/// All objects below a prefix, or so many as are asked for.
async fn items(blobs: &dyn Blobs, call: &Call) -> Answer {
    let arguments = call.arguments.value();
    let (bucket, prefix) = (below(arguments, ""), below(arguments, "Prefix"));
    let most = most(arguments).unwrap_or(usize::MAX);
    let (mut all, mut after, mut bytes) = (Vec::new(), None, 0);
    while all.len() < most {
        let page = match page(blobs, &bucket, &prefix, after, most - all.len()).await {
            Ok(page) => page,
            Err(failed) => return failed,
        };
        bytes += page.items.iter().map(|listed| listed.name.len() as u64 + 120).sum::<u64>();
        if bytes > LARGEST {
            let cause =
                format!("The list of {prefix} has more than {LARGEST} bytes; name a Prefix");
            return Answer::failed("S3.S3Exception", cause);
        }
        all.extend(page.items.iter().map(|listed| item(&bucket, listed)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    returned(&Value::Array(all))
}

/// One page, as S3 answers.
async fn list(blobs: &dyn Blobs, call: &Call) -> Answer {
    let arguments = call.arguments.value();
    if arguments.get("Delimiter").is_some() {
        return Answer::failed("S3.S3Exception", "this host lists without a Delimiter");
    }
    let (bucket, prefix) = (below(arguments, ""), below(arguments, "Prefix"));
    let after =
        ["ContinuationToken", "StartAfter"].iter().find(|name| arguments[**name].is_string());
    let after = after.map(|name| below(arguments, name));
    let most = most(arguments).unwrap_or(1000).clamp(1, 1000);
    let page = match page(blobs, &bucket, &prefix, after, most).await {
        Ok(page) => page,
        Err(failed) => return failed,
    };
    let key = |name: &str| name.strip_prefix(&bucket).unwrap_or_default().to_owned();
    let contents = page.items.iter().map(|listed| {
        json!({ "Key": key(&listed.name), "ETag": tag(listed), "Size": listed.size,
            "LastModified": listed.modified.to_string(), "StorageClass": "STANDARD" })
    });
    let mut answer = json!({
        "Name": bucket.trim_end_matches('/'),
        "Prefix": arguments["Prefix"].as_str().unwrap_or_default(),
        "MaxKeys": most,
        "KeyCount": page.items.len(),
        "IsTruncated": page.next.is_some(),
        "Contents": contents.collect::<Vec<_>>(),
    });
    if let Some(next) = &page.next {
        answer["NextContinuationToken"] = key(next).into();
    }
    returned(&answer)
}

/// Some objects; a bucket without any is none.
async fn page(
    blobs: &dyn Blobs,
    bucket: &str,
    prefix: &str,
    after: Option<String>,
    most: usize,
) -> Result<Listing<Listed>, Answer> {
    let failed = |error: Error| Answer::failed("S3.SdkClientException", error.to_string());
    let page = blobs.list(prefix, after.as_deref(), most.min(1000)).await.map_err(failed)?;
    if page.items.is_empty() && blobs.list(bucket, None, 1).await.map_err(failed)?.items.is_empty()
    {
        let bucket = bucket.trim_end_matches('/');
        let cause = format!(
            "The specified bucket does not exist: {bucket} (Service: S3, Status Code: 404)"
        );
        return Err(Answer::failed("S3.NoSuchBucketException", cause));
    }
    Ok(page)
}

async fn put(dispatch: &Dispatch, call: &Call) -> Answer {
    let arguments = call.arguments.value();
    let given = &arguments["Body"];
    let body = given.as_str().map_or_else(|| given.to_string(), ToOwned::to_owned);
    let content: ByteStream = Box::pin(stream::iter([Ok(body.into())]));
    match dispatch.cx.blobs.put(&name(arguments), content, LARGEST).await {
        Ok(stored) => returned(&json!({ "ETag": format!("\"{}\"", stored.sha256) })),
        Err(error) => {
            let cause = format!("The object {} cannot be written: {error}", name(arguments));
            Answer::failed("S3.S3Exception", cause)
        }
    }
}
