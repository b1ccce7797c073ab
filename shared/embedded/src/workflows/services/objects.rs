//! Objects: S3's `getObject` and `putObject` on the blobs of this host.
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
use mano_ports::blobs::{ByteStream, Error};
use serde_json::{Value, json};
use std::io::{self, Read};

/// Largest object a workflow reads or writes, unpacked.
const LARGEST: u64 = 64 << 20;

/// S3, as far as item readers, result writers and tasks use it.
pub(super) struct Objects(pub(super) Home);

impl Service for Objects {
    fn offers(&self) -> &[&'static str] {
        &["s3:getObject", "s3:putObject", "aws-sdk:s3:getObject", "aws-sdk:s3:putObject"]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(async move {
            match self.0.dispatch() {
                Some(dispatch) if &*call.api == "getObject" => get(&dispatch, call).await,
                Some(dispatch) => put(&dispatch, call).await,
                None => Answer::Later,
            }
        })
    }
}

fn name(arguments: &Value) -> String {
    let part = |name: &str| arguments[name].as_str().unwrap_or_default();
    let bucket = part("Bucket").rsplit(':').next().unwrap_or_default();
    format!("{bucket}/{}", part("Key"))
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
