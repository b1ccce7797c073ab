//! Whether a token is what its issuer made, for us, and in time: a decision without I/O.

use super::keys::{KeySet, NoKey};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far the issuer's clock may be from ours.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// Longest token that is read, in bytes.
pub const LONGEST: usize = 16 << 10;
/// Longest text of a token that is told, in characters.
const SHOWN: usize = 120;

/// How a token may be signed (RFC 7518, RFC 8037): by a private key only, whose public half the
/// issuer publishes. `none` and shared secrets are no such way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// RSA, PKCS #1 v1.5, SHA-384.
    Rs384,
    /// ECDSA on P-256, SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Their names, for messages.
    pub const TAKEN: &str = "RS256, RS384, ES256 or EdDSA";

    /// The algorithm of this name, if it is taken.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "RS384" => Some(Self::Rs384),
            "ES256" => Some(Self::Es256),
            // RFC 9864 gives the curve a name of its own.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// Why a token is refused. Nothing it claims is told before its signature fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No issuer writes such long ones.
    #[error("the token has {0} characters; at most {LONGEST} are read")]
    TooLong(usize),
    /// It is something else.
    #[error("the token is no JSON web token: {0}")]
    NotJwt(&'static str),
    /// Signed in a way that is not taken.
    #[error("the token says algorithm '{0}'; it must be {taken}", taken = Algorithm::TAKEN)]
    Algorithm(String),
    /// Made for another purpose.
    #[error("the token is of type '{0}', which gives no access; send an access token")]
    Type(String),
    /// It wants rules to be known that are not (`crit`).
    #[error("the token demands extensions (crit) that are not known here")]
    Critical,
    /// Its key is not the issuer's.
    #[error("the token is signed with key '{0}', which is none of the issuer's")]
    UnknownKey(String),
    /// Its key is of another kind than its algorithm.
    #[error("the algorithm of the token does not belong to the issuer's key for it")]
    OtherKind,
    /// It names no key, and several could be meant.
    #[error("the token names no key (kid), and more than one of the issuer's could be meant")]
    Ambiguous,
    /// It was changed, or signed by somebody else.
    #[error("the signature does not fit: the token was changed, or somebody else signed it")]
    Signature,
    /// A claim is missing or of the wrong type.
    #[error("the claim '{0}' of the token is missing, or no {1}")]
    Claim(&'static str, &'static str),
    /// Its time is over.
    #[error("the token expired at {0}; ask the issuer for a new one")]
    Expired(Timestamp),
    /// Its time has not come.
    #[error("the token is not valid before {0}; if that is past, the clocks disagree")]
    Early(Timestamp),
    /// Somebody else issued it.
    #[error("the token was issued by '{said}'; only those of '{trusted}' are taken")]
    Issuer {
        /// The claim.
        said: String,
        /// Ours.
        trusted: String,
    },
    /// It is meant for somebody else.
    #[error("the token is meant for '{said}', not for '{us}'")]
    Audience {
        /// The claim.
        said: String,
        /// Ours.
        us: String,
    },
}

/// What a token claims, once it is known to be true.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Claims that somebody else vouches for.
    #[cfg(test)]
    pub(super) const fn of(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// A claim.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }
}

/// The part of the header that counts here. Keys and addresses of keys in it are never looked at.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token that can be read; nothing in it is believed yet.
#[derive(Debug)]
pub struct Unverified<'t> {
    algorithm: Algorithm,
    key: Option<String>,
    /// What was signed: header and payload as they stand there.
    signed: &'t str,
    signature: Vec<u8>,
}

impl<'t> Unverified<'t> {
    /// Reads a token (JWS compact serialization, RFC 7515).
    ///
    /// # Errors
    /// It is none, or signed in a way that is not taken.
    pub fn read(token: &'t str) -> Result<Self, Refused> {
        if token.len() > LONGEST {
            return Err(Refused::TooLong(token.len()));
        }
        let parts = Refused::NotJwt("it does not have three parts with dots between them");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(|| parts.clone())?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| parts.clone())?;
        if payload.contains('.') {
            return Err(parts);
        }
        let header: Header = serde_json::from_slice(&decoded(header)?)
            .map_err(|_| Refused::NotJwt("its header is no JSON object with an algorithm"))?;
        let algorithm =
            Algorithm::named(&header.alg).ok_or_else(|| Refused::Algorithm(shown(&header.alg)))?;
        if header.crit.is_some() {
            return Err(Refused::Critical);
        }
        if let Some(kind) = header.typ.filter(|kind| !gives_access(kind)) {
            return Err(Refused::Type(shown(&kind)));
        }
        Ok(Self { algorithm, key: header.kid, signed, signature: decoded(signature)? })
    }

    /// Whether keys that are newer than ours might change this verdict.
    pub(super) const fn may_be_ahead(&self, refused: &Refused) -> bool {
        match refused {
            Refused::UnknownKey(_) => true,
            // It says no name by which a new key could be told from an old one.
            Refused::OtherKind | Refused::Ambiguous | Refused::Signature => self.key.is_none(),
            Refused::TooLong(_)
            | Refused::NotJwt(_)
            | Refused::Algorithm(_)
            | Refused::Type(_)
            | Refused::Critical
            | Refused::Claim(..)
            | Refused::Expired(_)
            | Refused::Early(_)
            | Refused::Issuer { .. }
            | Refused::Audience { .. } => false,
        }
    }

    /// What it claims, if one of these keys signed it, the issuer is the one that is trusted, it
    /// is meant for this audience, and `now` lies in its time.
    ///
    /// # Errors
    /// Why not.
    pub fn verify(
        &self,
        keys: &KeySet,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<Claims, Refused> {
        let named = self.key.as_deref();
        let key = keys.choose(named, self.algorithm).map_err(|why| match why {
            NoKey::Unknown => Refused::UnknownKey(shown(named.unwrap_or_default())),
            NoKey::OtherKind => Refused::OtherKind,
            NoKey::Ambiguous => Refused::Ambiguous,
        })?;
        if !key.signed(self.algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(Refused::Signature);
        }
        let (_, payload) = self.signed.split_once('.').unwrap_or_default();
        let claims = serde_json::from_slice(&decoded(payload)?)
            .map_err(|_| Refused::NotJwt("its payload is no JSON object"))?;
        let claims = Claims(claims);
        from(&claims, issuer)?;
        meant_for(&claims, audience)?;
        in_time(&claims, now)?;
        Ok(claims)
    }
}

/// Whether a token of this type is one to show at a door (RFC 7519 clause 5.1, RFC 9068).
fn gives_access(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "at+jwt")
}

fn from(claims: &Claims, issuer: &str) -> Result<(), Refused> {
    let said = claims.text("iss").ok_or(Refused::Claim("iss", "text"))?;
    if said == issuer {
        return Ok(());
    }
    Err(Refused::Issuer { said: shown(said), trusted: issuer.into() })
}

fn meant_for(claims: &Claims, us: &str) -> Result<(), Refused> {
    let missing = || Refused::Claim("aud", "text and no list of texts");
    let said: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => {
            many.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(missing)?
        }
        _ => return Err(missing()),
    };
    if said.contains(&us) {
        return Ok(());
    }
    Err(Refused::Audience { said: shown(&said.join(", ")), us: us.into() })
}

fn in_time(claims: &Claims, now: Timestamp) -> Result<(), Refused> {
    let missing = Refused::Claim("exp", "time in seconds");
    let until = claims.get("exp").and_then(instant).ok_or(missing)?;
    if now.duration_since(until) >= LEEWAY {
        return Err(Refused::Expired(until));
    }
    let Some(from) = claims.get("nbf") else { return Ok(()) };
    let from = instant(from).ok_or(Refused::Claim("nbf", "time in seconds"))?;
    if from.duration_since(now) > LEEWAY {
        return Err(Refused::Early(from));
    }
    Ok(())
}

/// A time in seconds since 1970 (RFC 7519, NumericDate), which may have a fraction.
fn instant(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return Timestamp::from_second(seconds).ok();
    }
    let whole = SignedDuration::try_from_secs_f64(value.as_f64()?).ok()?;
    Timestamp::from_duration(whole).ok()
}

/// Base64url without padding and with nothing in the bits that no byte needs, so that no two
/// texts are the same token.
fn decoded(part: &str) -> Result<Vec<u8>, Refused> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::NotJwt("a part of it is no Base64url"))
}

/// The beginning of a text that somebody else wrote.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
