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

/// Keys that were given once and for all.
#[async_trait]
impl Source for KeySet {
    async fn keys(&self) -> Result<Self, NoKeys> {
        Ok(self.clone())
    }
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

/// An address where nobody on the way can change what is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none, or others could change what is read there.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.into());
        let uri: ::http::Uri = text.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?;
        // A name and a password in an address would stand in every message about it.
        if authority.as_str().contains('@') {
            return Err(bad());
        }
        let host = authority.host();
        let here = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let here = host == "localhost" || here.is_ok_and(|ip| ip.is_loopback());
        match uri.scheme_str() {
            Some("https") => Ok(Self(text.into())),
            Some("http") if here => Ok(Self(text.into())),
            _ => Err(bad()),
        }
    }
}

/// Where an issuer publishes its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Wherever the issuer's discovery document says.
    By(Address),
    /// Here.
    At(Address),
}

/// Keys that an issuer publishes.
pub struct Published<F> {
    place: Place,
    fetch: F,
}

impl<F: Fetch> Published<F> {
    /// Keys that lie there.
    pub const fn new(place: Place, fetch: F) -> Self {
        Self { place, fetch }
    }

    async fn read(&self, address: &str) -> Result<Vec<u8>, NoKeys> {
        let read = self.fetch.get(address).await;
        read.map_err(|cause| NoKeys::Unread(address.into(), cause))
    }

    /// Where the issuer says that its keys are (OpenID Connect Discovery, clause 4).
    async fn discover(&self, issuer: &str) -> Result<Address, NoKeys> {
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
        Address::parse(&document.jwks_uri).map_err(|bad| NoKeys::Address(address, bad))
    }
}

#[async_trait]
impl<F: Fetch> Source for Published<F> {
    async fn keys(&self) -> Result<KeySet, NoKeys> {
        let Address(address) = match &self.place {
            Place::By(Address(issuer)) => self.discover(issuer).await?,
            Place::At(address) => address.clone(),
        };
        let text = self.read(&address).await?;
        KeySet::parse(&text).map_err(|bad| NoKeys::Unusable(address, bad))
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
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        assert!(Address::parse("http://[::1]:8080").is_ok());
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
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
