//! A client that costs little: one connection, one request at a time, nothing parsed unasked.

use serde_json::Value;
use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer: status, head, content.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.head, String::from_utf8_lossy(&self.body))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The last part of `Location`.
    pub(crate) fn id(&self) -> String {
        let location = self.header("location").unwrap_or_else(|| panic!("{}", self.text()));
        location.rsplit('/').next().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) async fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10) })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "application/json", b"").await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "application/json", body.to_string().as_bytes()).await
    }

    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        media: &str,
        body: &[u8],
    ) -> Answer {
        let version = if path.starts_with("/mano/") { "1.0.0" } else { "2.0.0" };
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nVersion: {version}\r\nContent-Type: \
             {media}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request).await.unwrap();
        self.answer().await
    }

    async fn answer(&mut self) -> Answer {
        self.buffer.clear();
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "closed");
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |l| l.parse().unwrap());
        while self.buffer.len() < end + length {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "closed");
        }
        answer.body = self.buffer[end..end + length].to_vec();
        answer
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
