//! Signatures of AWS, version 4, as far as these tests need them.

use http::HeaderMap;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::env;

/// What is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// Path, already encoded, and query, already in order.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) host: &'a str,
    pub(crate) service: &'a str,
    pub(crate) body: &'a [u8],
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// HMAC with SHA-256 (RFC 2104).
fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = if key.len() > 64 { hash(key) } else { key.to_vec() };
    block.resize(64, 0);
    let pad = |by: u8| block.iter().map(|byte| byte ^ by).collect::<Vec<_>>();
    let inner = hash(&[pad(0x36), text.as_bytes().to_vec()].concat());
    hash(&[pad(0x5c), inner].concat())
}

/// The headers that prove who asks, by the credentials of the environment.
pub(crate) fn headers(what: &Signed<'_>, now: Timestamp) -> HeaderMap {
    let get = |name: &str| env::var(name).unwrap_or_default();
    let (id, secret) = (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"));
    let (token, region) = (get("AWS_SESSION_TOKEN"), get("AWS_REGION"));
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let mut signed = vec![("host", what.host.to_owned()), ("x-amz-date", time.clone())];
    if !token.is_empty() {
        signed.push(("x-amz-security-token", token));
    }
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let request =
        [what.method, what.path, what.query, &lines, &names, &hex(&hash(what.body))].join("\n");
    let scope = format!("{day}/{region}/{}/aws4_request", what.service);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&hash(request.as_bytes())));
    let key = mac(format!("AWS4{secret}").as_bytes(), day);
    let key = mac(&mac(&mac(&key, &region), what.service), "aws4_request");
    let signature = hex(&mac(&key, &text));
    let mut headers = HeaderMap::new();
    for (name, value) in signed.into_iter().skip(1) {
        headers.insert(name, value.parse().unwrap());
    }
    let said = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    headers.insert("authorization", said.parse().unwrap());
    headers
}

#[test]
fn a_mac_is_as_published() {
    // RFC 4231, test case 2.
    let said = hex(&mac(b"Jefe", "what do ya want for nothing?"));
    assert_eq!(said, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
