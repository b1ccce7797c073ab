//! Where an issuer's keys come from: its own discovery document, an address, or a file.

use super::keys::{BadKeys, KeySet};
use crate::error::Source as Cause;
use async_trait::async_trait;
use serde::Deserialize;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// It could not be reached or read.
    #[error("{0} cannot be read")]
    Unread(String, #[source] Cause),
    /// What came is no set of keys.
    #[error("what {0} says cannot be used")]
    Unusable(String, #[source] BadKeys),
    /// The discovery document is none.
    #[error("{0} is no discovery document with an issuer and a jwks_uri")]
    NoDiscovery(String, #[source] serde_json::Error),
    /// It speaks for another issuer (OpenID Connect Discovery, clause 4.3).
    #[error("{0} speaks for the issuer '{1}'")]
    OtherIssuer(String, String),
    /// The keys lie where they must not be fetched from.
    #[error("{0} names keys at an address that is not taken")]
    Address(String, #[source] BadAddress),
}

/// Where the keys are had from.
#[async_trait]
pub trait Source: Send + Sync {
    /// The keys as they are now.
    async fn keys(&self) -> Result<KeySet, NoKeys>;
}

/// Gets what lies at an address, over HTTP: 200 and its content, at most [`KeySet::LONGEST`]
/// bytes of it. No redirects: keys come from where they were looked for, or not at all.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// The content.
    async fn get(&self, address: &str) -> Result<Vec<u8>, Cause>;
}

/// An address that keys must not come from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no https:// address (http:// is for this machine alone)")]
pub struct BadAddress(String);

/// Keys that an issuer publishes.
pub struct Published<F> {
    fetch: F,
    from: From,
}

enum From {
    /// Wherever the issuer says.
    Issuer(String),
    /// Here.
    Address(String),
}

impl<F: Fetch> Published<F> {
    /// Keys that lie wherever the issuer's discovery document says.
    ///
    /// # Errors
    /// The issuer is no address to ask.
    pub fn by(issuer: &str, fetch: F) -> Result<Self, BadAddress> {
        secure(issuer)?;
        Ok(Self { fetch, from: From::Issuer(issuer.into()) })
    }

    /// Keys that lie at an address.
    ///
    /// # Errors
    /// It is no address to ask.
    pub fn at(address: &str, fetch: F) -> Result<Self, BadAddress> {
        secure(address)?;
        Ok(Self { fetch, from: From::Address(address.into()) })
    }

    async fn read(&self, address: &str) -> Result<Vec<u8>, NoKeys> {
        let read = self.fetch.get(address).await;
        read.map_err(|cause| NoKeys::Unread(address.into(), cause))
    }

    /// Where the issuer says that its keys are (OpenID Connect Discovery, clause 4).
    async fn discover(&self, issuer: &str) -> Result<String, NoKeys> {
        #[derive(Deserialize)]
        struct Document {
            issuer: String,
            jwks_uri: String,
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let text = self.read(&address).await?;
        let document: Document = serde_json::from_slice(&text)
            .map_err(|error| NoKeys::NoDiscovery(address.clone(), error))?;
        if document.issuer != issuer {
            return Err(NoKeys::OtherIssuer(address, document.issuer));
        }
        secure(&document.jwks_uri).map_err(|bad| NoKeys::Address(address, bad))?;
        Ok(document.jwks_uri)
    }
}

#[async_trait]
impl<F: Fetch> Source for Published<F> {
    async fn keys(&self) -> Result<KeySet, NoKeys> {
        let address = match &self.from {
            From::Issuer(issuer) => self.discover(issuer).await?,
            From::Address(address) => address.clone(),
        };
        let text = self.read(&address).await?;
        KeySet::parse(&text).map_err(|bad| NoKeys::Unusable(address, bad))
    }
}

/// Whether nobody on the way can change what is read there.
fn secure(address: &str) -> Result<(), BadAddress> {
    let bad = || BadAddress(address.into());
    let uri: ::http::Uri = address.parse().map_err(|_| bad())?;
    let authority = uri.authority().ok_or_else(bad)?;
    // A name and a password in an address would stand in every message about it.
    if authority.as_str().contains('@') {
        return Err(bad());
    }
    let host = authority.host();
    let here = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let here = host == "localhost" || here.is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if here => Ok(()),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for good in
            ["https://idp.example", "https://idp.example:8443/realms/a", "http://127.0.0.1:1/x"]
        {
            assert_eq!(secure(good), Ok(()), "{good}");
        }
        assert_eq!(secure("http://[::1]:8080"), Ok(()));
        for bad in [
            "",
            "idp.example",
            "/keys.json",
            "http://idp.example",
            "http://localhost.example",
            "ftp://127.0.0.1/x",
            "file:///etc/passwd",
            "https://anna:secret@idp.example",
        ] {
            assert!(secure(bad).is_err(), "{bad}");
        }
    }
}
