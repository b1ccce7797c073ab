//! What the door answers, as API Gateway (REST, proxy) takes it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::BytesMut;
use futures_util::TryStreamExt;
use http::{HeaderMap, StatusCode, header};
use mano_model::{Refusal, sol::sol013::ProblemDetails};
use mano_ports::{
    blobs::{ByteStream, THROUGH},
    door::Answer,
    http::Body,
};
use serde_json::{Map, Value, json};

/// Largest content of an answer, in bytes: Lambda takes 6 MB, and Base64 adds a third.
const LARGEST: u64 = THROUGH;

/// The proxy answer.
pub(super) async fn encode(answer: Answer) -> Value {
    let Answer { status, headers, body, .. } = answer;
    match body {
        Body::Empty => whole(status, &headers, None),
        Body::Json(bytes) | Body::Text(_, bytes) => whole(status, &headers, Some(&bytes)),
        Body::Stream(_, length, _) if length > LARGEST => too_large(length),
        Body::Stream(_, _, stream) => match collect(stream).await {
            Ok(bytes) => whole(status, &headers, Some(&bytes)),
            Err(error) => {
                tracing::error!(%error, "the content of an answer broke");
                problem(StatusCode::SERVICE_UNAVAILABLE, "the content cannot be read now")
            }
        },
    }
}

/// The answer to a request that cannot even be decoded.
pub(super) fn refuse(refusal: &Refusal) -> Value {
    problem(StatusCode::BAD_REQUEST, &refusal.detail)
}

fn too_large(length: u64) -> Value {
    let detail = format!(
        "the content has {length} bytes; ask with Range for at most {LARGEST} bytes at a time"
    );
    problem(StatusCode::RANGE_NOT_SATISFIABLE, &detail)
}

fn problem(status: StatusCode, detail: &str) -> Value {
    let body =
        serde_json::to_vec(&ProblemDetails::new(status.as_u16(), detail)).unwrap_or_default();
    let mut headers = HeaderMap::new();
    let media_type = header::HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, media_type);
    whole(status, &headers, Some(&body))
}

async fn collect(mut stream: ByteStream) -> std::io::Result<BytesMut> {
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

fn whole(status: StatusCode, headers: &HeaderMap, body: Option<&[u8]>) -> Value {
    let mut map = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        map.insert(name.as_str().into(), values.collect::<Vec<_>>().into());
    }
    let (body, encoded) = match body {
        None => (String::new(), false),
        Some(bytes) => match text(bytes) {
            Some(text) => (text.to_owned(), false),
            None => (BASE64_STANDARD.encode(bytes), true),
        },
    };
    json!({
        "statusCode": status.as_u16(),
        "multiValueHeaders": map,
        "body": body,
        "isBase64Encoded": encoded,
    })
}

/// Bytes as text, if that is what they are and Lambda can carry them so.
///
/// Zeros are text by the letter, and in JSON six times as long; quotes and ends of lines are twice
/// as long, which matters where there is much of them.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (mut doubled, mut controls) = (0, 0);
    for byte in bytes {
        match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => doubled += 1,
            byte if byte.is_ascii_control() => controls += 5,
            _ => {}
        }
    }
    let (longer, base64) = (doubled + controls, bytes.len() / 3);
    let fits = (bytes.len() + longer) as u64 <= LARGEST + LARGEST / 3;
    (controls <= base64 && (longer <= base64 || fits)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::stream;

    fn answer(body: Body) -> Answer {
        Answer { route: "", status: StatusCode::OK, headers: HeaderMap::new(), body }
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_encoded() {
        let pieces = [Ok(Bytes::from_static(&[0xff, 0x00])), Ok(Bytes::from_static(b"a"))];
        let body = Body::Stream("application/zip", 3, Box::pin(stream::iter(pieces)));
        let told = encode(answer(body)).await;
        assert_eq!((&told["body"], &told["isBase64Encoded"]), (&json!("/wBh"), &json!(true)));
        for text in ["{}", "\n\n", r#"{"a":"","b":""}"#] {
            let told = encode(answer(Body::Json(Bytes::from_static(text.as_bytes())))).await;
            assert_eq!((&told["body"], &told["isBase64Encoded"]), (&json!(text), &json!(false)));
        }
    }

    #[tokio::test]
    async fn as_much_as_passes_through_fits_in_an_answer_whatever_it_is() {
        const LAMBDA: usize = 6 * 1024 * 1024;
        let fillings: [&[u8]; 7] = [b"\0", b"\n", b"\"", b"\\", b"a", b"{\"a\":\"b\"}\n", b"\xff"];
        let size = usize::try_from(LARGEST).expect("small");
        for filling in fillings {
            let content: Bytes = filling.iter().copied().cycle().take(size).collect();
            let stream = Box::pin(stream::iter([Ok(content)]));
            let told = encode(answer(Body::Stream("application/zip", LARGEST, stream))).await;
            assert!(told.to_string().len() < LAMBDA, "{filling:?}");
        }
    }

    #[tokio::test]
    async fn what_lambda_cannot_carry_is_refused_with_the_way_out() {
        let body = Body::Stream("application/zip", LARGEST + 1, Box::pin(stream::empty()));
        let told = encode(answer(body)).await;
        assert_eq!(told["statusCode"], 416);
        assert!(told["body"].as_str().is_some_and(|text| text.contains("Range")), "{told}");
    }
}
