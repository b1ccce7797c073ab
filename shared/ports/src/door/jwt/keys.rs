//! The public keys of an issuer (a JWK set, RFC 7517), and which of them checks a signature.

use super::token::Algorithm;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

/// Fewest bytes of an RSA modulus: 2,048 bits.
const RSA_LEAST: usize = 256;
/// Most bytes of an RSA modulus: 8,192 bits.
const RSA_MOST: usize = 1024;

/// The keys of an issuer that can check a signature here; others in the set do not count.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// Why a text is no set of keys.
#[derive(Debug, thiserror::Error)]
pub enum BadKeys {
    /// It is longer than any issuer's.
    #[error("the key set has {0} bytes; at most {most} are taken", most = KeySet::LONGEST)]
    TooLong(usize),
    /// It is something else.
    #[error("this is no JWK set ({{\"keys\": […]}})")]
    NotJwks(#[from] serde_json::Error),
    /// It has no key for what is taken here.
    #[error("the key set has no public key for {taken}", taken = Algorithm::TAKEN)]
    None,
}

/// Why no key checks a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// There is none of that name.
    Unknown,
    /// The one it names is of another kind.
    OtherKind,
    /// More than one could have been meant.
    Ambiguous,
}

/// One key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    id: Option<String>,
    only: Option<Algorithm>,
    public: Public,
}

#[derive(Debug, Clone)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A key as it is written; what is not named here does not matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

impl KeySet {
    /// Longest text that is read, in bytes.
    pub const LONGEST: usize = 256 << 10;

    /// Reads a JWK set. A key that is of no use here is passed over: an issuer may publish any.
    ///
    /// # Errors
    /// It is none, or has no key that could check a token.
    pub fn parse(text: &[u8]) -> Result<Self, BadKeys> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        if text.len() > Self::LONGEST {
            return Err(BadKeys::TooLong(text.len()));
        }
        let set: Set = serde_json::from_slice(text)?;
        let keys: Vec<_> = set.keys.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() { Err(BadKeys::None) } else { Ok(Self { keys }) }
    }

    /// The key a token names, or the only one there is for its algorithm where it names none.
    pub(super) fn choose(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, NoKey> {
        let meant = |key: &&Key| id.is_none_or(|id| key.id.as_deref() == Some(id));
        let named: Vec<_> = self.keys.iter().filter(meant).collect();
        let mut fit = named.iter().filter(|key| key.fits(algorithm));
        match (fit.next(), fit.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(NoKey::Ambiguous),
            (None, _) if named.is_empty() => Err(NoKey::Unknown),
            (None, _) => Err(NoKey::OtherKind),
        }
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let signs = jwk.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let verifies =
            jwk.key_ops.as_ref().is_none_or(|known| known.iter().any(|op| op == "verify"));
        if !signs || !verifies {
            return None;
        }
        // A key for an algorithm that is not taken checks nothing.
        let only = match &jwk.alg {
            Some(name) => Some(Algorithm::named(name)?),
            None => None,
        };
        let public = jwk.public()?;
        Some(Self { id: jwk.kid, only, public })
    }

    /// Whether signatures of this algorithm are made with such a key: what a token says of its
    /// algorithm never changes what a key is.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 => matches!(self.public, Public::Rsa { .. }),
            Algorithm::Es256 => matches!(self.public, Public::P256(_)),
            Algorithm::EdDsa => matches!(self.public, Public::Ed25519(_)),
        };
        kind && self.only.is_none_or(|only| only == algorithm)
    }

    /// Whether its owner signed this.
    pub(super) fn signed(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        let checked = match (&self.public, algorithm) {
            (Public::Rsa { n, e }, Algorithm::Rs256) => RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                text,
                signature,
            ),
            (Public::Rsa { n, e }, Algorithm::Rs384) => RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA384,
                text,
                signature,
            ),
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(text, signature)
            }
            (Public::Ed25519(point), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&signature::ED25519, point).verify(text, signature)
            }
            (Public::Rsa { .. } | Public::P256(_) | Public::Ed25519(_), _) => return false,
        };
        checked.is_ok()
    }
}

impl Jwk {
    /// The key itself, if it is of a kind that is taken and whole.
    fn public(&self) -> Option<Public> {
        match (self.kty.as_str(), self.crv.as_str()) {
            ("RSA", _) => {
                let (n, e) = (number(&self.n)?, number(&self.e)?);
                (RSA_LEAST..=RSA_MOST).contains(&n.len()).then_some(Public::Rsa { n, e })
            }
            ("EC", "P-256") => {
                // The uncompressed form of a point (SEC 1, clause 2.3.3).
                let point = [vec![4], exactly(&self.x, 32)?, exactly(&self.y, 32)?];
                Some(Public::P256(point.concat()))
            }
            ("OKP", "Ed25519") => Some(Public::Ed25519(exactly(&self.x, 32)?)),
            _ => None,
        }
    }
}

/// A number without the zeros before it, as the library wants it.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let number = bytes.get(zeros..)?;
    (!number.is_empty()).then(|| number.to_vec())
}

fn exactly(text: &str, length: usize) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const X: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn parse(keys: &Value) -> Result<KeySet, BadKeys> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    fn ed(id: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "kid": id })
    }

    #[test]
    fn a_key_that_cannot_check_a_token_here_is_passed_over() {
        let with = |name: &str, value: Value| {
            let mut key = ed("a");
            key[name] = value;
            key
        };
        for useless in [
            json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "a" }),
            json!({ "kty": "EC", "crv": "P-521", "x": X, "y": X }),
            json!({ "kty": "EC", "crv": "P-256", "x": X, "y": "AAAA" }),
            json!({ "kty": "RSA", "n": "z".repeat(340), "e": "AQAB" }),
            json!({ "kty": "RSA", "n": "z".repeat(1368), "e": "AQAB" }),
            json!({ "kty": "RSA", "n": "z".repeat(344), "e": "AAAA" }),
            json!("not even an object"),
            with("use", json!("enc")),
            with("key_ops", json!(["sign"])),
            with("alg", json!("HS256")),
            with("x", json!(1)),
        ] {
            assert!(matches!(parse(&json!([useless])), Err(BadKeys::None)), "{useless}");
            let both = parse(&json!([useless, ed("b")])).unwrap();
            assert!(both.choose(Some("b"), Algorithm::EdDsa).is_ok());
        }
    }

    #[test]
    fn a_key_that_is_for_one_algorithm_checks_no_other() {
        let rsa = json!({ "kty": "RSA", "n": "z".repeat(344), "e": "AQAB", "alg": "RS256" });
        let keys = parse(&json!([rsa])).unwrap();
        assert!(keys.choose(None, Algorithm::Rs256).is_ok());
        assert_eq!(keys.choose(None, Algorithm::Rs384).map(|_| ()), Err(NoKey::OtherKind));
    }

    #[test]
    fn a_text_that_is_no_key_set_or_too_long_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys": 1}"#, "-----BEGIN PUBLIC KEY-----"] {
            assert!(matches!(KeySet::parse(text.as_bytes()), Err(BadKeys::NotJwks(_))), "{text}");
        }
        let long = vec![b' '; KeySet::LONGEST + 1];
        assert!(matches!(KeySet::parse(&long), Err(BadKeys::TooLong(_))));
    }

    #[test]
    fn a_key_is_chosen_by_its_name_and_kind_and_never_guessed_among_several() {
        let keys = parse(&json!([ed("a"), ed("b")])).unwrap();
        let why = |id, algorithm| keys.choose(id, algorithm).map(|_| ()).unwrap_err();
        assert!(keys.choose(Some("a"), Algorithm::EdDsa).is_ok());
        assert_eq!(why(Some("c"), Algorithm::EdDsa), NoKey::Unknown);
        assert_eq!(why(Some("a"), Algorithm::Rs256), NoKey::OtherKind);
        assert_eq!(why(None, Algorithm::EdDsa), NoKey::Ambiguous);
        assert!(parse(&json!([ed("a")])).unwrap().choose(None, Algorithm::EdDsa).is_ok());
    }
}
