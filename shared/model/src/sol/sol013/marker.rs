//! The paging marker (SOL013 clause 5.4): where a list goes on, with the filter and the selector
//! it was asked with.
//!
//! Opaque to clients: base64url of a checksum and JSON. The checksum covers the path of the list,
//! so a marker of one list is refused by another. It guards against mistakes, not against forgery:
//! a marker holds nothing but an id and the client's own parameters.

use crate::Refusal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The id after which the next page begins.
    pub after: String,
    /// The filter and selector parameters of the first page, in order.
    pub query: Vec<(String, String)>,
}

impl Marker {
    /// The name of its query parameter.
    pub const PARAMETER: &'static str = "nextpage_opaque_marker";

    /// The text for a link to the list at `path`.
    #[must_use]
    pub fn seal(&self, path: &str) -> String {
        #[expect(clippy::expect_used, reason = "strings in arrays cannot fail to be JSON")]
        let text = serde_json::to_vec(&(&self.after, &self.query)).expect("strings are JSON");
        let mut sealed = checksum(path, &text).to_be_bytes().to_vec();
        sealed.extend(text);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Reads the marker of a link to the list at `path`.
    ///
    /// # Errors
    /// A refusal (400) of anything that [`Marker::seal`] did not make for this path.
    pub fn open(path: &str, sealed: &str) -> Result<Self, Refusal> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
            let (sum, text) = bytes.split_first_chunk::<8>()?;
            let fits = u64::from_be_bytes(*sum) == checksum(path, text);
            let (after, query) = serde_json::from_slice(text).ok().filter(|_| fits)?;
            Some(Self { after, query })
        };
        read().ok_or_else(|| {
            Refusal::malformed(format!(
                "{} is not a marker of this list; take the link of the page before as it is, or begin without",
                Self::PARAMETER
            ))
        })
    }
}

/// FNV-1a over the path and the text.
fn checksum(path: &str, text: &[u8]) -> u64 {
    let bytes = path.bytes().chain([0]).chain(text.iter().copied());
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        let query =
            vec![("filter".into(), "(eq,id,'ä)')".into()), ("all_fields".into(), "".into())];
        Marker { after: "0b/7".into(), query }
    }

    #[test]
    fn a_marker_carries_place_and_query() {
        let sealed = marker().seal("/nslcm/v2/ns_instances");
        assert_eq!(Marker::open("/nslcm/v2/ns_instances", &sealed), Ok(marker()));
        assert!(sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }

    #[test]
    fn a_marker_of_another_list_is_refused() {
        let sealed = marker().seal("/nslcm/v2/ns_instances");
        assert!(Marker::open("/nslcm/v2/ns_lcm_op_occs", &sealed).is_err());
    }

    #[test]
    fn a_marker_that_was_touched_is_refused() {
        let sealed = marker().seal("/p");
        for n in 0..sealed.len() {
            let mut touched = sealed.clone().into_bytes();
            touched[n] = if touched[n] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(touched).unwrap();
            if let Ok(opened) = Marker::open("/p", &touched) {
                // Bits of the last character that base64 does not use change nothing.
                assert_eq!(opened, marker());
            }
        }
        for junk in ["", "A", "AAAAAAAAAAA", "%%%", "ä"] {
            assert!(Marker::open("/p", junk).is_err(), "{junk}");
        }
    }
}
