//! Tokens that must be taken, and everything that must not.

use super::super::mint::Mint;
use super::*;
use ring::hmac;
use serde_json::json;

const ISSUER: &str = "https://idp.example";
const NOW: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn keys(mints: &[&Mint]) -> KeySet {
    KeySet::parse(Mint::key_set(mints).to_string().as_bytes()).unwrap()
}

fn verify(token: &str, keys: &KeySet) -> Result<Claims, Refused> {
    Unverified::read(token)?.verify(keys, ISSUER, "mano", at(NOW))
}

fn good() -> Value {
    json!({ "iss": ISSUER, "aud": "mano", "sub": "anna", "exp": NOW + 600, "nbf": NOW - 600 })
}

/// The good claims, one of them otherwise; null: without it.
fn but(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    if claims[name].is_null() {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims
}

fn text(part: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part.to_string())
}

#[test]
fn tokens_of_another_implementation_are_taken_for_every_algorithm_and_no_other() {
    let foreign: Value = serde_json::from_str(include_str!("foreign.json")).unwrap();
    let keys = KeySet::parse(foreign["keySet"].to_string().as_bytes()).unwrap();
    let tokens = |of: &str| foreign[of].as_object().unwrap().clone();
    for (name, token) in tokens("taken") {
        let claims = verify(token.as_str().unwrap(), &keys).unwrap();
        assert_eq!(Value::Object(claims.0), foreign["claims"], "{name}");
    }
    assert_eq!(tokens("taken").len(), 4);
    for (name, token) in tokens("refused") {
        assert!(verify(token.as_str().unwrap(), &keys).is_err(), "{name}");
    }
}

#[test]
fn whatever_bit_of_a_token_is_flipped_it_is_refused() {
    for mint in [Mint::ed("a"), Mint::ec("a")] {
        let (keys, token) = (keys(&[&mint]), mint.token(&good()));
        assert!(verify(&token, &keys).is_ok());
        for at in 0..token.len() {
            for bit in 0..7 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(verify(&changed, &keys).is_err(), "bit {bit} of {at}: {changed}");
            }
        }
    }
}

#[test]
fn a_token_cut_short_or_made_longer_is_refused() {
    let mint = Mint::ed("a");
    let (keys, token) = (keys(&[&mint]), mint.token(&good()));
    for length in 0..token.len() {
        assert!(verify(&token[..length], &keys).is_err(), "{length}");
    }
    for more in ["A", "AA", "AAAA", "=", "==", ".", ".AAAA", " ", "\n"] {
        assert!(verify(&format!("{token}{more}"), &keys).is_err(), "{more:?}");
        assert!(verify(&format!("{more}{token}"), &keys).is_err(), "{more:?}");
    }
}

#[test]
fn a_token_that_nobody_signed_is_refused() {
    let mint = Mint::ed("a");
    let keys = keys(&[&mint]);
    for name in ["none", "None", "NONE", "", "HS256", "ES512", "eddsa"] {
        let header = json!({ "alg": name, "kid": "a" });
        for token in
            [format!("{}.{}.", text(&header), text(&good())), mint.sealed(&header, &good())]
        {
            assert_eq!(verify(&token, &keys), Err(Refused::Algorithm(name.into())), "{token}");
        }
    }
    let empty = format!("{}.{}.", text(&json!({ "alg": "EdDSA", "kid": "a" })), text(&good()));
    assert_eq!(verify(&empty, &keys), Err(Refused::Signature));
}

#[test]
fn a_public_key_is_never_a_shared_secret() {
    let mint = Mint::ec("a");
    let set = Mint::key_set(&[&mint]).to_string();
    let point = BASE64_URL_SAFE_NO_PAD.decode(mint.jwk()["x"].as_str().unwrap()).unwrap();
    for secret in [set.as_bytes(), &point, mint.jwk().to_string().as_bytes()] {
        for algorithm in ["HS256", "ES256"] {
            let header = json!({ "alg": algorithm, "kid": "a" });
            let signed = format!("{}.{}", text(&header), text(&good()));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
            let token = format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag));
            assert!(verify(&token, &keys(&[&mint])).is_err(), "{algorithm}");
        }
    }
}

#[test]
fn what_a_token_says_of_its_key_never_changes_what_the_key_is() {
    let (ed, ec, stranger) = (Mint::ed("ed"), Mint::ec("ec"), Mint::ed("stranger"));
    let keys = keys(&[&ed, &ec]);
    let told = |mint: &Mint, header: Value| verify(&mint.sealed(&header, &good()), &keys);
    let swapped = told(&ed, json!({ "alg": "EdDSA", "kid": "ec" }));
    assert_eq!(swapped, Err(Refused::OtherKind));
    assert_eq!(told(&ed, json!({ "alg": "RS256", "kid": "ed" })), Err(Refused::OtherKind));
    let unknown = told(&stranger, json!({ "alg": "EdDSA", "kid": "stranger" }));
    assert_eq!(unknown, Err(Refused::UnknownKey("stranger".into())));
    let disguised = told(&stranger, json!({ "alg": "EdDSA", "kid": "ed" }));
    assert_eq!(disguised, Err(Refused::Signature));
    let brought = json!({ "alg": "EdDSA", "jwk": stranger.jwk(), "jku": "https://evil.example" });
    assert_eq!(told(&stranger, brought), Err(Refused::Signature));
}

#[test]
fn a_token_without_a_key_name_is_taken_where_only_one_key_can_be_meant() {
    let (one, two) = (Mint::ed("one"), Mint::ed("two"));
    let token = one.sealed(&json!({ "alg": "EdDSA" }), &good());
    assert!(verify(&token, &keys(&[&one])).is_ok());
    assert_eq!(verify(&token, &keys(&[&one, &two])), Err(Refused::Ambiguous));
}

#[test]
fn a_token_for_another_purpose_is_refused() {
    let mint = Mint::ed("a");
    let keys = keys(&[&mint]);
    let of = |kind: &str| {
        let header = json!({ "alg": "EdDSA", "kid": "a", "typ": kind });
        verify(&mint.sealed(&header, &good()), &keys)
    };
    for kind in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        assert!(of(kind).is_ok(), "{kind}");
    }
    assert_eq!(of("logout+jwt"), Err(Refused::Type("logout+jwt".into())));
    let extended = json!({ "alg": "EdDSA", "kid": "a", "crit": ["b64"], "b64": false });
    assert_eq!(verify(&mint.sealed(&extended, &good()), &keys), Err(Refused::Critical));
}

#[test]
fn a_token_counts_from_its_beginning_to_its_end_and_a_minute_more() {
    let mint = Mint::ed("a");
    let keys = keys(&[&mint]);
    let ask = |claims: Value| verify(&mint.token(&claims), &keys);
    assert!(ask(but("exp", json!(NOW - 59))).is_ok());
    assert_eq!(ask(but("exp", json!(NOW - 60))), Err(Refused::Expired(at(NOW - 60))));
    assert!(ask(but("nbf", json!(NOW + 60))).is_ok());
    assert_eq!(ask(but("nbf", json!(NOW + 61))), Err(Refused::Early(at(NOW + 61))));
    assert!(ask(but("nbf", Value::Null)).is_ok());
    assert!(ask(but("exp", json!(NOW as f64 + 0.5))).is_ok());
    let said = ask(but("exp", json!(0))).unwrap_err().to_string();
    assert!(said.contains("1970-01-01T00:00:00Z"), "{said}");
}

#[test]
fn a_claim_that_is_missing_or_of_the_wrong_type_refuses_the_token() {
    let mint = Mint::ed("a");
    let keys = keys(&[&mint]);
    let nonsense = [json!("soon"), json!(true), json!({}), json!(1e300), json!(i64::MAX)];
    for (name, required) in [("exp", true), ("nbf", false), ("iss", true), ("aud", true)] {
        let missing = required.then_some(Value::Null);
        for value in nonsense.iter().cloned().chain(missing) {
            let claims = but(name, value.clone());
            assert!(verify(&mint.token(&claims), &keys).is_err(), "{name}: {value}");
        }
    }
    assert!(verify(&mint.token(&but("aud", json!([1, "mano"]))), &keys).is_err());
    assert!(verify(&mint.token(&json!(["no", "object"])), &keys).is_err());
}

#[test]
fn a_token_of_another_issuer_or_for_another_audience_is_refused_and_both_are_named() {
    let mint = Mint::ed("a");
    let keys = keys(&[&mint]);
    let said = |claims: Value| verify(&mint.token(&claims), &keys).unwrap_err().to_string();
    for issuer in ["https://evil.example", "https://idp.example/", "HTTPS://IDP.EXAMPLE"] {
        let said = said(but("iss", json!(issuer)));
        assert!(said.contains(issuer) && said.contains(ISSUER), "{said}");
    }
    for audience in [json!("manometer"), json!(["a", "b"]), json!([])] {
        assert!(said(but("aud", audience)).contains("'mano'"));
    }
    let endless = said(but("aud", json!("x".repeat(5000))));
    assert!(endless.len() < 300, "{endless}");
}

#[test]
fn a_huge_token_or_one_of_other_parts_is_not_even_read() {
    let huge = format!("{}.a.a", "A".repeat(LONGEST));
    assert_eq!(Unverified::read(&huge).unwrap_err(), Refused::TooLong(huge.len()));
    let encrypted = Unverified::read("a.b.c.d.e").unwrap_err().to_string();
    assert!(encrypted.contains("three parts"), "{encrypted}");
    let deep = format!("{}.{}.", "A".repeat(10), "[".repeat(LONGEST / 2));
    assert!(Unverified::read(&deep).is_err());
}

#[test]
fn nothing_of_a_token_is_told_before_its_signature_fits() {
    let (ours, theirs) = (Mint::ed("a"), Mint::ed("a"));
    let mut claims = but("iss", json!("https://secret.example"));
    claims["exp"] = json!(0);
    let said = verify(&theirs.token(&claims), &keys(&[&ours])).unwrap_err();
    assert_eq!(said, Refused::Signature);
}
