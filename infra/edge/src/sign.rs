//! Signatures of AWS, version 4, for an interface that knows its callers by IAM: what the SDK would do,
//! without the SDK.
//!
//! Follows "Create a signed AWS API request" of the IAM user guide; the tests hold AWS's own examples.

use crate::sum::{self, Sum};
use http::{HeaderName, HeaderValue, Method, Uri, header};
use jiff::Timestamp;
use mano_ports::{
    door::{decode, encode},
    hex::hex,
};
use ring::hmac;
use std::fmt;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Who signs, and for what.
#[derive(Clone)]
pub struct Signer {
    id: String,
    secret: String,
    session: Option<String>,
    region: String,
    service: String,
}

/// Nothing of it that is secret.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} for {} in {})", self.id, self.service, self.region)
    }
}

/// What the environment lacks of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// There are no keys.
    #[error(
        "there are no credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set"
    )]
    Credentials,
    /// Neither the address nor the environment names a region.
    #[error("the region is not known: neither the address nor AWS_REGION names one")]
    Region,
}

impl Signer {
    /// Takes keys from variables, as AWS's own tools do, and the region from the address (a host of
    /// `execute-api.<region>.amazonaws.com`) or from variables.
    ///
    /// # Errors
    /// What is missing.
    pub fn new(
        service: &str,
        host: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Missing> {
        let given = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let id = given("AWS_ACCESS_KEY_ID").ok_or(Missing::Credentials)?;
        let secret = given("AWS_SECRET_ACCESS_KEY").ok_or(Missing::Credentials)?;
        let region = region_of(host)
            .or_else(|| given("AWS_REGION"))
            .or_else(|| given("AWS_DEFAULT_REGION"))
            .ok_or(Missing::Region)?;
        Ok(Self {
            id,
            secret,
            session: given("AWS_SESSION_TOKEN"),
            region,
            service: service.into(),
        })
    }

    /// The headers that prove who asks. The request goes out as it is here; a header `Host` is the
    /// address's own.
    #[must_use]
    pub fn headers(
        &self,
        method: &Method,
        uri: &Uri,
        content: &Sum,
        now: Timestamp,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = &time[..8];
        let mut headers = vec![(DATE, time.clone())];
        headers.extend(self.session.clone().map(|session| (SESSION, session)));
        let (names, request) = canonical(method, uri, &headers, content);
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = [ALGORITHM, &time, &scope, &hex(&sum::of(request.as_bytes()))].join("\n");
        let parts = [day, &self.region, &self.service, "aws4_request", &text];
        let key = format!("AWS4{}", self.secret).into_bytes();
        let signature = hex(&parts.iter().fold(key, |key, part| mac(&key, part)));
        let said = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.id
        );
        headers.push((header::AUTHORIZATION, said));
        let value = |(name, value): (_, String)| Some((name, HeaderValue::try_from(value).ok()?));
        headers.into_iter().filter_map(value).collect()
    }
}

/// The names of the headers that are signed, and the request in the form that is.
fn canonical(
    method: &Method,
    uri: &Uri,
    headers: &[(HeaderName, String)],
    content: &Sum,
) -> (String, String) {
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut names = String::from("host");
    let mut lines = format!("host:{host}\n");
    for (name, value) in headers {
        names.push_str(&format!(";{name}"));
        lines.push_str(&format!("{name}:{value}\n"));
    }
    // What is encoded in the path is encoded once more; so it is for all services but S3.
    let path: Vec<_> = uri.path().split('/').map(encode).collect();
    let query = query(uri.query().unwrap_or_default());
    let sum = hex(content);
    let request = [method.as_str(), &path.join("/"), &query, &lines, &names, &sum].join("\n");
    (names, request)
}

/// Parameters encoded one way and in order.
fn query(text: &str) -> String {
    let encoded = |text: &str| decode(text, false).map_or_else(|| encode(text), |t| encode(&t));
    let mut pairs: Vec<_> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The region in a host of API Gateway's.
fn region_of(host: &str) -> Option<String> {
    let (_, rest) = host.split_once(".execute-api.")?;
    let (region, domain) = rest.split_once('.')?;
    domain.starts_with("amazonaws.com").then(|| region.to_owned())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ];

    fn signer(host: &str, variables: &[(&str, &str)]) -> Result<Signer, Missing> {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
        };
        Signer::new("service", host, get)
    }

    /// What is said of a request of AWS's published examples.
    fn said(method: &Method, path: &str, more: &[(&str, &str)]) -> String {
        let variables = [&KEYS[..], &[("AWS_REGION", "us-east-1")], more].concat();
        let uri = format!("https://example.amazonaws.com{path}").parse().unwrap();
        let signer = signer("example.amazonaws.com", &variables).unwrap();
        let now = "2015-08-30T12:36:00Z".parse().unwrap();
        let headers = signer.headers(method, &uri, &sum::of(b""), now);
        headers.last().unwrap().1.to_str().unwrap().to_owned()
    }

    #[test]
    fn signatures_are_those_that_aws_publishes() {
        for (method, path, signature) in [
            (Method::GET, "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (Method::POST, "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                Method::GET,
                "/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                Method::GET,
                "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
                "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
            ),
        ] {
            let scope = "20150830/us-east-1/service/aws4_request";
            let wanted = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
            );
            assert_eq!(said(&method, path, &[]), wanted, "{method} {path}");
        }
    }

    #[test]
    fn a_session_is_signed_too() {
        let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let said = said(&Method::GET, "/", &[("AWS_SESSION_TOKEN", token)]);
        assert!(
            said.ends_with("07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
            "{said}"
        );
    }

    #[test]
    fn a_path_is_encoded_once_more_and_a_query_one_way() {
        let uri = "https://h/test/@connections/JBDvjfGEIAMCERw%3D?filter=(eq,a,b%20c)&all_fields";
        let (_, request) = canonical(&Method::GET, &uri.parse().unwrap(), &[], &sum::of(b""));
        let mut lines = request.lines().skip(1);
        assert_eq!(lines.next(), Some("/test/%40connections/JBDvjfGEIAMCERw%253D"));
        assert_eq!(lines.next(), Some("all_fields=&filter=%28eq%2Ca%2Cb%20c%29"));
    }

    #[test]
    fn the_region_is_the_addresss_or_the_environments() {
        let host = "x1.execute-api.eu-west-1.amazonaws.com";
        let regions = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-west-2")];
        let variables = [&KEYS[..], &regions].concat();
        assert_eq!(signer(host, &variables).unwrap().region, "eu-west-1");
        assert_eq!(signer("mano.example", &variables).unwrap().region, "us-west-2");
        assert_eq!(signer("mano.example", &KEYS).unwrap_err(), Missing::Region);
        assert_eq!(signer(host, &KEYS[..1]).unwrap_err(), Missing::Credentials);
        let shown = format!("{:?}", signer(host, &KEYS).unwrap());
        assert!(!shown.contains("wJalr"), "{shown}");
    }
}
