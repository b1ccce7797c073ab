//! Bodies as requests: where one is not, the sentence begins with the attribute and says what it takes.

use crate::Refusal;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Of what somebody wrote, so many characters are told back.
const TOLD_BACK: usize = 80;

/// A body as its type.
///
/// # Errors
/// Unprocessable where it is not; the sentence begins with the attribute's path.
pub fn parse<T: DeserializeOwned>(body: &Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(body).map_err(|error| refusal(&error))
}

/// The bytes of a body as its type.
///
/// # Errors
/// As of [`parse`]; malformed where it is no JSON.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut text = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize(&mut text) {
        Ok(value) => {
            text.end().map_err(|error| no_json(&error))?;
            Ok(value)
        }
        Err(error) if error.inner().is_data() => Err(refusal(&error)),
        // A list where a word is due is no JSON to the decoder of text: the value knows better.
        Err(_) => parse(&serde_json::from_slice(bytes).map_err(|error| no_json(&error))?),
    }
}

fn no_json(error: &serde_json::Error) -> Refusal {
    Refusal::malformed(format!("the body is no JSON: {error}"))
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    Refusal::unprocessable(sentence(&error.path().to_string(), &error.inner().to_string()))
}

/// What was wrong, in words of the interface; `said` is in those of the decoder.
fn sentence(path: &str, said: &str) -> String {
    // The path says better where.
    let said = said.rfind(" at line ").map_or(said, |end| &said[..end]);
    let here = if path == "." { "the body" } else { path };
    let inside = |name: &str| if path == "." { name.into() } else { format!("{path}.{name}") };
    if let Some(name) = quoted(said, "missing field ") {
        return format!("{}: it is missing", inside(name));
    }
    if let Some(name) = quoted(said, "duplicate field ") {
        return format!("{}: it is there twice", inside(name));
    }
    let (what, expected) = said.split_once(", expected ").unwrap_or((said, ""));
    let known = expected.strip_prefix("one of ").unwrap_or(expected).replace('`', "");
    if let Some(name) = quoted(what, "unknown field ") {
        return format!("{here}: it has no attribute '{}'; it has: {known}", brief(name));
    }
    if let Some(name) = quoted(what, "unknown variant ") {
        return format!("{here}: '{}' is not offered; use {known}", brief(name));
    }
    let found =
        what.strip_prefix("invalid type: ").or_else(|| what.strip_prefix("invalid value: "));
    match found {
        Some(found) => {
            format!("{here}: {} is not {}", brief(&plain(found)), expected_in_words(expected))
        }
        None => format!("{here}: {said}"),
    }
}

/// What stands in backticks after a beginning.
fn quoted<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.strip_prefix(beginning)?.strip_prefix('`')?.strip_suffix('`')
}

fn brief(text: &str) -> String {
    match text.char_indices().nth(TOLD_BACK) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// What was found, as it was written.
fn plain(found: &str) -> String {
    match found {
        "map" => "an object".into(),
        "sequence" => "a list".into(),
        found => {
            let kinds = ["integer ", "floating point ", "boolean ", "string "];
            let written = kinds.iter().find_map(|kind| found.strip_prefix(kind));
            written.unwrap_or(found).trim_matches('`').into()
        }
    }
}

fn expected_in_words(expected: &str) -> String {
    match expected {
        "a string" => "a text",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number of 0 and more",
        "i32" | "i64" => "a whole number",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "string or map" => "one of the texts it takes",
        of if of.starts_with("struct ") => "an object",
        of => of,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Why;
    use crate::sol::{
        sol003::{ScaleVnfRequest, TerminateVnfRequest},
        sol005::{CreateNsRequest, HealNsRequest, ScaleNsRequest},
    };
    use serde_json::json;

    fn told<T: DeserializeOwned>(body: Value) -> String {
        let bytes = serde_json::to_vec(&body).unwrap();
        let error = |refusal: Refusal| {
            assert_eq!(refusal.why, Why::Unprocessable, "{refusal}");
            refusal.detail
        };
        let of_value = parse::<T>(&body).err().map(error).expect("it is no such request");
        let of_bytes = read::<T>(&bytes).err().map(error).expect("it is no such request");
        assert_eq!(of_value, of_bytes, "however it comes, the sentence is the same");
        of_value
    }

    #[test]
    fn the_sentence_begins_with_the_attribute_and_speaks_no_rust() {
        let steps = |steps: Value| {
            json!({ "scaleType": "SCALE_VNF", "scaleVnfData": [{
                "vnfInstanceId": "v", "scaleVnfType": "SCALE_OUT",
                "scaleByStepData": { "aspectId": "a", "numberOfSteps": steps } }] })
        };
        let path = "scaleVnfData[0].scaleByStepData.numberOfSteps";
        let whole = "is not a whole number from 0 to 4294967295";
        for (said, expected) in [
            (
                told::<CreateNsRequest>(json!({ "nsdId": "n", "nsName": 5 })),
                "nsName: 5 is not a text",
            ),
            (told::<CreateNsRequest>(json!({ "nsdId": "n" })), "nsName: it is missing"),
            (
                told::<CreateNsRequest>(json!({ "nsdId": null, "nsName": "n" })),
                "nsdId: null is not a text",
            ),
            (told::<ScaleNsRequest>(steps(json!(-1))), &format!("{path}: -1 {whole}")),
            (told::<ScaleNsRequest>(steps(json!("two"))), &format!("{path}: \"two\" {whole}")),
            (
                told::<ScaleNsRequest>(steps(json!(5_000_000_000_u64))),
                &format!("{path}: 5000000000 {whole}"),
            ),
            (
                told::<HealNsRequest>(json!({ "healVnfData": [{}] })),
                "healVnfData[0].vnfInstanceId: it is missing",
            ),
            (
                told::<HealNsRequest>(json!({ "healVnfData": "all" })),
                "healVnfData: \"all\" is not a list",
            ),
            (
                told::<HealNsRequest>(json!({ "healVnfData": ["v"] })),
                "healVnfData[0]: \"v\" is not an object",
            ),
            (
                told::<TerminateVnfRequest>(json!({ "terminationType": "NICELY" })),
                "terminationType: 'NICELY' is not offered; use FORCEFUL or GRACEFUL",
            ),
            (
                told::<ScaleVnfRequest>(json!({ "type": ["SCALE_OUT"], "aspectId": "a" })),
                "type: a list is not one of the texts it takes",
            ),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn what_somebody_wrote_at_length_is_told_back_in_brief() {
        let said = told::<HealNsRequest>(json!({ "healVnfData": "x".repeat(100_000) }));
        assert!(said.chars().count() < 2 * TOLD_BACK, "{said}");
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for bytes in [&b"{"[..], b"{\"nsdId\": }", b"{} {}"] {
            assert_eq!(read::<Value>(bytes).unwrap_err().why, Why::Malformed);
        }
    }
}
