//! Addresses by which clients send and fetch content past us, signed in advance.
//!
//! The length and the checksum stand among the signed headers: S3 takes nothing without them, and
//! compares the checksum with what came.

use super::{S3Blobs, unavailable};
use aws_sdk_s3::presigning::PresigningConfig;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use mano_ports::{
    blobs::{Address, Error, Stored},
    hex::unhex,
};
use std::time::Duration;

/// What a client sends of itself.
const BY_ITSELF: [&str; 2] = ["host", "content-length"];

/// An address that takes this content under a key.
pub(super) async fn upload(
    to: &S3Blobs,
    key: String,
    content: &Stored,
    valid: Duration,
) -> Result<Address, Error> {
    let sha256 = sum(&content.sha256)
        .ok_or_else(|| unavailable(format!("'{}' is no SHA-256", content.sha256)))?;
    let put = to
        .client
        .put_object()
        .bucket(&to.bucket)
        .key(key)
        .content_length(i64::try_from(content.size).unwrap_or(i64::MAX))
        .checksum_sha256(BASE64_STANDARD.encode(sha256));
    let signed = put.presigned(presigning(valid)?).await.map_err(unavailable)?;
    let headers = signed.headers().filter(|(name, _)| !BY_ITSELF.contains(name));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Address { url: signed.uri().to_owned(), headers })
}

/// An address that hands out what lies under a key.
pub(super) async fn download(
    from: &S3Blobs,
    key: String,
    valid: Duration,
) -> Result<String, Error> {
    let get = from.client.get_object().bucket(&from.bucket).key(key);
    let get = get.response_content_type("application/zip");
    let signed = get.presigned(presigning(valid)?).await.map_err(unavailable)?;
    Ok(signed.uri().to_owned())
}

fn presigning(valid: Duration) -> Result<PresigningConfig, Error> {
    PresigningConfig::expires_in(valid).map_err(unavailable)
}

/// The bytes of a SHA-256 in hexadecimal.
fn sum(text: &str) -> Option<Vec<u8>> {
    unhex(text).filter(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sum_is_a_sum() {
        assert_eq!(sum(&"0f".repeat(32)), Some(vec![15; 32]));
        for text in ["", "0f", &"0g".repeat(32), &"é".repeat(64)] {
            assert_eq!(sum(text), None, "{text}");
        }
    }
}
