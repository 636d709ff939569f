//! The door for lines, at a real daemon: its page is replayed byte for byte, and
//! lines that are none harm nobody else.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use cluster::imd::Imd;
use cluster::patience::within;
use cluster::port::Port;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PAGE: &str = include_str!("../../../../connd/LINES.md");

/// Somebody who types.
struct Typist {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Typist {
    async fn comes(at: SocketAddr) -> Self {
        let stream = within("a connection", TcpStream::connect(at)).await;
        Self {
            stream: stream.unwrap(),
            input: Vec::new(),
        }
    }

    async fn types(&mut self, bytes: &[u8]) {
        within("writing", self.stream.write_all(bytes))
            .await
            .unwrap();
    }

    /// So many bytes of what is told.
    async fn is_told(&mut self, count: usize) -> String {
        while self.input.len() < count {
            let read = within("more", self.stream.read_buf(&mut self.input)).await;
            assert!(read.unwrap() > 0, "closed after {:?}", self.text());
        }
        let told = self.input.drain(..count).collect();
        String::from_utf8(told).unwrap()
    }

    /// A reply or a push, with its header.
    async fn reply(&mut self) -> (String, String) {
        let mut header = String::new();
        while !header.ends_with("\r\n") {
            header += &self.is_told(1).await;
        }
        let (state, length) = header.trim_end().split_once(':').unwrap();
        let body = self.is_told(length.parse().unwrap()).await;
        (state.to_owned(), body)
    }

    /// All that is told until the end.
    async fn ends(mut self) -> String {
        let read = self.stream.read_to_end(&mut self.input);
        // A reset is an end, too.
        let _ = within("the end", read).await;
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.input).into_owned()
    }
}

async fn start() -> (Imd, Port) {
    let port = Port::take();
    let lines = port.address();
    let settings = format!(
        "policy = \"open\"\n[lines]\nlisten = \"{lines}\"\n[shard]\ndelivery_patience = \"3 s\""
    );
    (Imd::start_by(|_| settings).await, port)
}

/// Ids and times are new each time, and as long as ever.
fn masked(text: &str) -> String {
    let mut masked = text.to_owned();
    for (key, length) in [("\"id\":\"", 36), ("\"datetime\":\"", 23)] {
        let mut from = 0;
        while let Some(at) = masked[from..].find(key) {
            let begin = from + at + key.len();
            // The id of a group is short.
            let end = begin + length;
            let is_one = masked.get(end..=end) == Some("\"");
            if is_one {
                masked.replace_range(begin..end, &"?".repeat(length));
            }
            from = begin;
        }
    }
    masked
}

#[tokio::test]
async fn the_session_of_the_page_is_what_happens() {
    let (_imd, port) = start().await;
    let lines = port.address();
    let (_, session) = PAGE.split_once("```text session\n").unwrap();
    let (session, _) = session.split_once("```").unwrap();
    let mut typists: BTreeMap<&str, Typist> = BTreeMap::new();
    let mut told = 0;
    let mut rest = BTreeMap::<&str, usize>::new();
    for line in session.lines() {
        let (who, said) = line.split_at(3);
        if !typists.contains_key(who) {
            typists.insert(who, Typist::comes(lines).await);
        }
        let typist = typists.get_mut(who).unwrap();
        if let Some(typed) = said.strip_prefix('>') {
            let typed = format!("{}\r\n", typed.trim_start());
            typist.types(typed.as_bytes()).await;
            continue;
        }
        let said = said.strip_prefix('<').unwrap();
        let said = said.strip_prefix(' ').unwrap_or(said);
        // A header, or a line of a body: the last one has no end of its own.
        let left = rest.entry(who).or_default();
        let expected = if *left == 0 {
            *left = said.split_once(':').unwrap().1.parse().unwrap();
            format!("{said}\r\n")
        } else if *left == said.len() {
            *left = 0;
            said.to_owned()
        } else {
            *left -= said.len() + 2;
            format!("{said}\r\n")
        };
        let is = typist.is_told(expected.len()).await;
        assert_eq!(masked(&is), masked(&expected), "{line}");
        told += expected.len();
    }
    assert!(told > 2_000, "{told} bytes");
    for typist in typists.into_values() {
        assert_eq!(typist.ends().await, "");
    }
}

#[tokio::test]
async fn lines_that_are_none_end_their_own_connection_alone() {
    let (_imd, port) = start().await;
    let lines = port.address();
    let mut ann = Typist::comes(lines).await;
    ann.types(b"LOGIN ann -\r\nCREATE tea\r\n").await;
    for _ in 0..2 {
        assert_eq!(ann.reply().await.0, "ok");
    }
    // Before the log-in, and after it.
    for (number, login) in ["", "LOGIN mallory -\n", "login mallory.2 -\r\n"]
        .iter()
        .enumerate()
    {
        for (garbage, code) in [
            (vec![b'x'; 64 * 1024], "401 "),
            (b"\x00\x01\x02\xff\n".to_vec(), "402 "),
            (b"\xc3\x28\r\n".to_vec(), "402 "),
        ] {
            let mut other = Typist::comes(lines).await;
            other.types(login.as_bytes()).await;
            // It may be closed before all is written.
            let _ = other.stream.write_all(&garbage).await;
            let end = other.ends().await;
            assert!(end.contains(code), "{number}: {end:?}");
        }
    }
    // These are mistakes, and the session goes on.
    for (wrong, code) in [
        ("JUMP", "402 "),
        ("SAY tea", "402 "),
        ("SAY  tea two", "402 "),
        ("a\rb", "402 "),
        ("JOIN no/id", "110 "),
        ("SAY coffee anyone?", "131 "),
    ] {
        ann.types(format!("{wrong}\r\n").as_bytes()).await;
        let (state, body) = ann.reply().await;
        assert_eq!(state, "error", "{wrong}");
        assert!(body.starts_with(code), "{wrong}: {body}");
    }
    ann.types(b"SAY tea still here\r\n").await;
    assert_eq!(ann.reply().await.0, "ok");
}
