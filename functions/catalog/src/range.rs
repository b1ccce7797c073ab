//! Which bytes of content a client asks for (RFC 9110 clause 14).

use http::{HeaderMap, StatusCode, header};
use mano_model::{Refusal, refusal::Why};
use mano_ports::http::Reply;

/// Bytes `from..to` of `size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first byte.
    pub(crate) from: u64,
    /// The byte after the last.
    pub(crate) to: u64,
    /// How many there are in all.
    pub(crate) size: u64,
    /// Whether the client asked for a part.
    partial: bool,
}

impl Range {
    /// What is asked of content of `size` bytes.
    ///
    /// What is not one range of bytes is ignored, as the standard allows.
    ///
    /// # Errors
    /// Range when no byte of it exists.
    pub(crate) fn asked(headers: &HeaderMap, size: u64) -> Result<Self, Refusal> {
        let header = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        let Some(part) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
            return Ok(Self::whole(size));
        };
        match part.trim().split_once('-').map(|(from, to)| (from.trim(), to.trim())) {
            Some(("", last)) => Self::last(last, size, part),
            Some((from, to)) => Self::between(from, to, size, part),
            None => Ok(Self::whole(size)),
        }
    }

    const fn whole(size: u64) -> Self {
        Self { from: 0, to: size, size, partial: false }
    }

    /// The last `count` bytes.
    fn last(count: &str, size: u64, asked: &str) -> Result<Self, Refusal> {
        match count.parse::<u64>() {
            Ok(0) => Err(outside(asked, size)),
            Ok(_) if size == 0 => Err(outside(asked, size)),
            Ok(count) => {
                Ok(Self { from: size.saturating_sub(count), to: size, size, partial: true })
            }
            Err(_) => Ok(Self::whole(size)),
        }
    }

    /// From a byte to a byte, the last one included; without the last: to the end.
    fn between(from: &str, to: &str, size: u64, asked: &str) -> Result<Self, Refusal> {
        let Ok(from) = from.parse::<u64>() else { return Ok(Self::whole(size)) };
        let to = if to.is_empty() { Ok(u64::MAX) } else { to.parse::<u64>() };
        match to {
            Ok(to) if to < from => Ok(Self::whole(size)),
            Ok(_) if from >= size => Err(outside(asked, size)),
            Ok(to) => Ok(Self { from, to: to.saturating_add(1).min(size), size, partial: true }),
            Err(_) => Ok(Self::whole(size)),
        }
    }

    /// How many bytes.
    pub(crate) const fn len(self) -> u64 {
        self.to - self.from
    }

    /// The status and headers of an answer with these bytes.
    pub(crate) fn dress(self, mut reply: Reply) -> Reply {
        if self.partial {
            reply.status = StatusCode::PARTIAL_CONTENT;
            let what = format!("bytes {}-{}/{}", self.from, self.to - 1, self.size);
            reply = reply.header(header::CONTENT_RANGE, what);
        }
        reply.header(header::ACCEPT_RANGES, "bytes".into())
    }
}

fn outside(asked: &str, size: u64) -> Refusal {
    let detail = format!("the range {asked} is outside of the content's {size} bytes");
    Refusal::new(Why::Range, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ten(text: &'static str) -> Result<(u64, u64, bool), Why> {
        let headers = HeaderMap::from_iter([(header::RANGE, text.parse().unwrap())]);
        let range = Range::asked(&headers, 10).map_err(|refusal| refusal.why)?;
        Ok((range.from, range.to, range.partial))
    }

    #[test]
    fn one_range_of_bytes_is_understood_in_its_three_forms() {
        assert_eq!(of_ten("bytes=2-4"), Ok((2, 5, true)));
        assert_eq!(of_ten("bytes=2-"), Ok((2, 10, true)));
        assert_eq!(of_ten("bytes=-3"), Ok((7, 10, true)));
        assert_eq!(of_ten("bytes=-30"), Ok((0, 10, true)));
        assert_eq!(of_ten("bytes=9-99"), Ok((9, 10, true)));
    }

    #[test]
    fn a_range_without_a_byte_is_refused() {
        for text in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(of_ten(text), Err(Why::Range), "{text}");
        }
        let headers = HeaderMap::from_iter([(header::RANGE, "bytes=-1".parse().unwrap())]);
        assert_eq!(Range::asked(&headers, 0).unwrap_err().why, Why::Range);
    }

    #[test]
    fn what_is_no_range_of_bytes_gives_the_whole() {
        for text in ["lines=1-2", "bytes=1-2,4-5", "bytes=x-2", "bytes=4-2", "bytes=5", "bytes=-x"]
        {
            assert_eq!(of_ten(text), Ok((0, 10, false)), "{text}");
        }
    }

    #[test]
    fn a_part_says_which_part_it_is() {
        let headers = HeaderMap::from_iter([(header::RANGE, "bytes=2-4".parse().unwrap())]);
        let range = Range::asked(&headers, 10).unwrap();
        let reply = range.dress(Reply::empty(StatusCode::OK));
        assert_eq!((reply.status, range.len()), (StatusCode::PARTIAL_CONTENT, 3));
        assert!(reply.headers.contains(&(header::CONTENT_RANGE, "bytes 2-4/10".into())));
    }
}
