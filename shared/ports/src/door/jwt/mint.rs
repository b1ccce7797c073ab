//! An issuer for tests, with keys of its own that nobody else has.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};

/// A private key under a name.
pub struct Mint {
    id: String,
    pair: Pair,
}

enum Pair {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair, SystemRandom),
}

impl Mint {
    /// A fresh Ed25519 key.
    ///
    /// # Panics
    /// This machine has no randomness.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn ed(id: &str) -> Self {
        let written = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("randomness");
        let pair = Ed25519KeyPair::from_pkcs8(written.as_ref()).expect("what was just made");
        Self { id: id.into(), pair: Pair::Ed(pair) }
    }

    /// The Ed25519 key of a seed: the same for whoever knows it.
    ///
    /// # Panics
    /// Never: every seed has a key.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn seeded(id: &str, seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("every seed has a key");
        Self { id: id.into(), pair: Pair::Ed(pair) }
    }

    /// A fresh P-256 key.
    ///
    /// # Panics
    /// This machine has no randomness.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn ec(id: &str) -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let written = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("randomness");
        let pair = EcdsaKeyPair::from_pkcs8(kind, written.as_ref(), &random).expect("just made");
        Self { id: id.into(), pair: Pair::Ec(pair, random) }
    }

    /// The public half, as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ed(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "kid": self.id, "use": "sig",
                "x": encoded(pair.public_key().as_ref()),
            }),
            Pair::Ec(pair, _) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({
                    "kty": "EC", "crv": "P-256", "kid": self.id, "alg": "ES256",
                    "x": encoded(x), "y": encoded(y),
                })
            }
        }
    }

    /// What the issuer publishes.
    #[must_use]
    pub fn key_set(mints: &[&Self]) -> Value {
        json!({ "keys": mints.iter().map(|mint| mint.jwk()).collect::<Vec<_>>() })
    }

    /// A token with these claims.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let algorithm = match self.pair {
            Pair::Ed(_) => "EdDSA",
            Pair::Ec(..) => "ES256",
        };
        self.sealed(&json!({ "alg": algorithm, "kid": self.id, "typ": "JWT" }), claims)
    }

    /// A token whose header is not as it must be, signed nevertheless.
    ///
    /// # Panics
    /// This machine has no randomness.
    #[must_use]
    #[expect(clippy::expect_used, reason = "for tests alone")]
    pub fn sealed(&self, header: &Value, claims: &Value) -> String {
        let text = |part: &Value| encoded(part.to_string().as_bytes());
        let signed = format!("{}.{}", text(header), text(claims));
        let signature = match &self.pair {
            Pair::Ed(pair) => encoded(pair.sign(signed.as_bytes()).as_ref()),
            Pair::Ec(pair, random) => {
                encoded(pair.sign(random, signed.as_bytes()).expect("randomness").as_ref())
            }
        };
        format!("{signed}.{signature}")
    }
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
