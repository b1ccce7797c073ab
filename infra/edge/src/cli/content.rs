//! Archives on their way, to the server or to where it sends us on, and back.
//!
//! A server whose content passes it by answers 307 with an address of its store. That address is
//! all the store needs: our token stays with the server.

use super::{
    client::{Api, Client, Content, read},
    failure::Failure,
};
use crate::sum::{self, Sum};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use indicatif::ProgressBar;
use mano_ports::blobs::THROUGH;
use serde_json::Value;
use std::{
    fs::File,
    io::{self, Read, Seek, Write},
};
use ureq::{
    Body, SendBody,
    http::{Method, Request, Response, Uri, header},
};

/// Where a server sends us on.
struct Elsewhere {
    url: String,
    /// Scheme, host and path: what may be shown, without the signature.
    shown: String,
    headers: Vec<(String, String)>,
}

/// Sends an archive of `length` bytes as it is read.
pub(crate) fn send(
    client: &Client,
    (api, path): (Api, &str),
    file: &mut File,
    length: u64,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    bar.set_message("reading");
    let sum = sum(file)?;
    bar.set_message("");
    let elsewhere =
        if length > THROUGH { announce(client, api, path, length, &sum)? } else { None };
    let mut content = bar.wrap_read(file);
    match elsewhere {
        None => client.upload((api, path), &mut content, (length, sum)),
        Some(elsewhere) => elsewhere.put(client, &mut content, length),
    }
}

/// Fetches an archive as it comes; how many bytes it has.
pub(crate) fn fetch(
    client: &Client,
    (api, path): (Api, &str),
    to: &mut dyn Write,
    bar: &ProgressBar,
) -> Result<u64, Failure> {
    let url = client.url(api, path);
    let mut request = client.request(Method::GET, api, &url);
    if let Some(headers) = request.headers_mut() {
        // The first counts where a gateway must tell bytes from text.
        let accept = "application/zip, application/problem+json";
        headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
    }
    let asked = format!("GET {url}");
    let mut response = client.run(request, Content::None)?;
    if let Some(elsewhere) = Elsewhere::of(client, &mut response)? {
        response = elsewhere.get(client)?;
    } else if response.status() != 200 {
        read(&mut response, &asked)?;
        let what = format!("the server answered {}, which is no archive", response.status());
        return Err(Failure::new(what).at(asked));
    }
    if let Some(length) = response.body().content_length() {
        bar.set_length(length);
    }
    let mut content = bar.wrap_read(response.body_mut().as_reader());
    io::copy(&mut content, to).map_err(|error| {
        Failure::new(format!("the archive broke off: {error}")).at(asked).next("fetch it again")
    })
}

/// Asks where an archive shall go; none: to the server itself.
fn announce(
    client: &Client,
    api: Api,
    path: &str,
    length: u64,
    sum: &Sum,
) -> Result<Option<Elsewhere>, Failure> {
    let url = client.url(api, path);
    let request = client
        .request(Method::PUT, api, &url)
        .header(header::CONTENT_TYPE, "application/zip")
        .header("X-Mano-Content-Length", length)
        .header("Repr-Digest", digest(sum));
    let mut response = client.run(request, Content::None)?;
    match Elsewhere::of(client, &mut response)? {
        // It sends us to itself.
        Some(there) if there.shown.ends_with(&format!("{}{path}", api.root())) => Ok(None),
        Some(there) => Ok(Some(there)),
        None => {
            read(&mut response, &format!("PUT {url}"))?;
            let what = format!("the server answered {}, but not where to", response.status());
            Err(Failure::new(what).at(format!("PUT {url}")))
        }
    }
}

impl Elsewhere {
    /// Where an answer sends us on, if it does.
    fn of(client: &Client, response: &mut Response<Body>) -> Result<Option<Self>, Failure> {
        if response.status() != 307 {
            return Ok(None);
        }
        let location = response.headers().get(header::LOCATION).and_then(|l| l.to_str().ok());
        let (url, shown) = checked(location.unwrap_or_default(), client.endpoint())?;
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let headers = body["headers"].as_object().cloned().unwrap_or_default();
        let headers = headers.into_iter();
        let headers = headers.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        Ok(Some(Self { url, shown, headers: headers.collect() }))
    }

    /// The head of a request there: with nothing that is the server's to know.
    fn request(&self, method: Method) -> ureq::http::request::Builder {
        let request = Request::builder().method(method).uri(&self.url);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    fn put(&self, client: &Client, content: &mut dyn Read, length: u64) -> Result<(), Failure> {
        let request = self
            .request(Method::PUT)
            .header(header::CONTENT_LENGTH, length)
            .header(header::EXPECT, "100-continue")
            .body(SendBody::from_reader(content));
        self.answered("PUT", client.run_at(&self.shown, request)?).map(drop)
    }

    fn get(&self, client: &Client) -> Result<Response<Body>, Failure> {
        let request = self.request(Method::GET).body(());
        self.answered("GET", client.run_at(&self.shown, request)?)
    }

    /// The answer, if it is no refusal.
    fn answered(
        &self,
        verb: &str,
        mut response: Response<Body>,
    ) -> Result<Response<Body>, Failure> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.body_mut().with_config().limit(64 << 10).read_to_string();
        let why = message(&text.unwrap_or_default()).map(|why| format!(": {why}"));
        let what = format!("the store answered {status}{}", why.unwrap_or_default());
        let at = format!("{verb} {}", self.shown);
        Err(Failure::new(what).at(at).next("repeat the command: addresses do not last"))
    }
}

/// An address we may go to, and what of it may be shown.
fn checked(location: &str, endpoint: &str) -> Result<(String, String), Failure> {
    let refuse = |why: &str| {
        let shown = location.split('?').next().unwrap_or_default();
        Failure::new(format!("the server sends us on to '{shown}', {why}")).at(endpoint)
    };
    let uri: Uri = location.parse().map_err(|_| refuse("which is no address"))?;
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
    if !["http", "https"].contains(&scheme) || host.is_empty() {
        return Err(refuse("which is no address of the web"));
    }
    if scheme == "http" && endpoint.starts_with("https:") {
        return Err(refuse("where nothing is encrypted"));
    }
    let shown = location.split('?').next().unwrap_or_default().to_owned();
    Ok((location.to_owned(), shown))
}

/// The reason in an answer of S3.
fn message(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Message>")?;
    rest.split_once("</Message>").map(|(message, _)| message.trim_end_matches('.'))
}

/// The SHA-256 of a file, which is at its beginning again.
fn sum(file: &mut File) -> Result<Sum, Failure> {
    let unreadable =
        |error: io::Error| Failure::new(format!("the archive cannot be read: {error}"));
    let (sum, _) = sum::of_all(file).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    Ok(sum)
}

/// A checksum as RFC 9530 writes it.
fn digest(sum: &Sum) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_opens_it() {
        let there = "https://bucket.example/blobs/a?X-Amz-Signature=secret";
        let (url, shown) = checked(there, "https://mano.example").unwrap();
        assert_eq!((&*url, &*shown), (there, "https://bucket.example/blobs/a"));
        let refused = checked("ftp://x/?X-Amz-Signature=secret", "http://h").unwrap_err();
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }

    #[test]
    fn an_address_that_is_none_or_worse_is_not_followed() {
        for (location, endpoint) in [
            ("", "http://h"),
            ("/relative", "http://h"),
            ("file:///etc/passwd", "http://h"),
            ("http://bucket.example/a", "https://mano.example"),
        ] {
            assert!(checked(location, endpoint).is_err(), "{location}");
        }
        assert!(checked("http://127.0.0.1:9/a", "http://127.0.0.1:8").is_ok());
    }

    #[test]
    fn a_refusal_of_the_store_is_told_in_its_words() {
        let said = "<Error><Code>BadDigest</Code><Message>No match.</Message></Error>";
        assert_eq!(message(said), Some("No match"));
        assert_eq!(message("busy"), None);
    }

    #[test]
    fn a_digest_is_as_the_standard_writes_it_and_the_file_is_whole_afterwards() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        file.rewind().unwrap();
        // FIPS 180-2, appendix B.1.
        let said = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
        assert_eq!(digest(&sum(&mut file).unwrap()), said);
        let mut whole = String::new();
        file.read_to_string(&mut whole).unwrap();
        assert_eq!(whole, "abc");
    }
}
