//! Reads the keys of an issuer of tokens, with the HTTP client that the clients of AWS use.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use mano_ports::{
    door::jwt::{Fetch, KeySet},
    error,
};
use std::{sync::OnceLock, time::Duration};

/// An answer that takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(3);

/// An HTTP client, made for the first token: the certificates of a whole world take a while to
/// read.
#[derive(Default)]
pub(super) struct Web(OnceLock<Connector>);

#[async_trait]
impl Fetch for Web {
    async fn get(&self, address: &str) -> Result<Vec<u8>, error::Source> {
        tokio::time::timeout(PATIENCE, get(self.0.get_or_init(connector), address))
            .await
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
    }
}

fn connector() -> Connector {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    Connector::builder().tls_provider(ring).build()
}

async fn get(connector: &Connector, address: &str) -> Result<Vec<u8>, error::Source> {
    let mut request = HttpRequest::get(address)?;
    request.headers_mut().insert("accept", "application/json");
    let response = connector.call(request).await?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(format!("it answers {status}").into());
    }
    let (mut content, mut pieces) = (Vec::new(), ByteStream::new(response.into_body()));
    while let Some(piece) = pieces.try_next().await? {
        if content.len() + piece.len() > KeySet::LONGEST {
            return Err(format!("the answer is longer than {} bytes", KeySet::LONGEST).into());
        }
        content.extend_from_slice(&piece);
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    /// What is had from somebody who says this, whoever asks.
    async fn had(said: String) -> Result<Vec<u8>, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/keys", listener.local_addr().expect("its address"));
        let saying = async {
            let (mut peer, _) = listener.accept().await.expect("a caller");
            let mut asked = [0; 4096];
            let read = peer.read(&mut asked).await.expect("a request");
            assert!(asked[..read].starts_with(b"GET /keys HTTP/1.1\r\n"));
            // Whoever has heard enough hangs up.
            let _ = peer.write_all(said.as_bytes()).await;
        };
        let web = Web::default();
        let (had, ()) = tokio::join!(web.get(&address), saying);
        had.map_err(|error| error.to_string())
    }

    fn ok(content: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{content}", content.len())
    }

    #[tokio::test]
    async fn what_lies_there_is_had_whole_and_nothing_else_is() {
        assert_eq!(had(ok(r#"{"keys":[]}"#)).await.as_deref(), Ok(&br#"{"keys":[]}"#[..]));
        assert!(had(ok(&" ".repeat(KeySet::LONGEST))).await.is_ok());
        let long = had(ok(&" ".repeat(KeySet::LONGEST + 1))).await.expect_err("too long");
        assert!(long.contains("262144"), "{long}");
        let moved =
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(had(moved.into()).await, Err("it answers 302".into()));
        assert!(had("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".into()).await.is_err());
        assert!(had("nonsense\r\n\r\n".into()).await.is_err());
    }
}
