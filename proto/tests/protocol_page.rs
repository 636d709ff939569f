//! `PROTOCOL.md` says what the code does: its examples, field tables, codes and
//! limits.

#[path = "samples/packets.rs"]
mod samples;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use proto::client::ClientPacket;
use proto::codes::{Code, Next};
use proto::frame::HEADER_BYTES;
use proto::friends::FRIENDS_MAX;
use proto::ids::ID_BYTES_MAX;
use proto::limits::{
    BODY_BYTES_MAX, CLIENT_FRAME_BYTES_MAX, LOGIN_FRAME_BYTES_MAX, MENTIONS_MAX, PAGE_BYTES_MAX,
    PAGE_MAX, SERVER_FRAME_BYTES_MAX, TEXT_BYTES_MAX, USER_GROUPS_MAX, VERSION,
};
use proto::server::ServerPacket;

const PAGE: &str = include_str!("../PROTOCOL.md");
const DESCRIPTIONS: &str = include_str!("../client.proto");

#[test]
fn every_packet_has_an_example_that_is_right() {
    let mut examples = hex_examples();
    for (name, packet) in samples::client() {
        let bytes = examples.remove(&format!("client {name}")).expect(name);
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        assert_eq!(bytes, frame, "{name}");
        let content = bytes.slice(HEADER_BYTES..);
        assert_eq!(ClientPacket::decode(content), Ok(packet), "{name}");
    }
    for (name, packet) in samples::server() {
        let bytes = examples.remove(&format!("server {name}")).expect(name);
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        assert_eq!(bytes, frame, "{name}");
        let content = bytes.slice(HEADER_BYTES..);
        assert_eq!(ServerPacket::decode(content), Ok(packet), "{name}");
    }
    assert!(examples.remove("list").is_some());
    assert!(examples.is_empty(), "{:?}", examples.keys());
}

#[test]
fn the_canonical_form_of_the_list_has_its_hash() {
    let list = samples::list();
    let canonical = &hex_examples()["list"];
    assert_eq!(<[u8; 16]>::from(Md5::digest(canonical)), list.hash().0);
    assert!(PAGE.contains(&format!("the hash `{}`:", list.hash())));
}

#[test]
fn field_tables_are_those_of_the_descriptions() {
    let tables = tables();
    for (name, fields) in described() {
        // What has no fields has no table.
        let on_page = tables.get(&name).cloned().unwrap_or_default();
        assert_eq!(on_page, fields, "{name}");
    }
}

#[test]
fn codes_are_those_of_the_table() {
    let class = |code: &Code| match code.next() {
        Next::Final => "final",
        Next::Again => "again",
        Next::ComeBack => "come back",
        Next::FreshToken => "fresh token",
        Next::StayAway => "stay away",
    };
    let row = |code: &Code| {
        [
            code.number().to_string(),
            format!("{code:?}"),
            class(code).to_owned(),
            code.text().to_owned(),
        ]
    };
    let expected: Vec<_> = Code::ALL.iter().map(row).collect();
    assert_eq!(rows_under("Codes"), expected);
}

#[test]
fn limits_are_those_of_the_code() {
    let expected = [
        ("LOGIN_FRAME_BYTES_MAX", LOGIN_FRAME_BYTES_MAX),
        ("CLIENT_FRAME_BYTES_MAX", CLIENT_FRAME_BYTES_MAX),
        ("SERVER_FRAME_BYTES_MAX", SERVER_FRAME_BYTES_MAX),
        ("BODY_BYTES_MAX", BODY_BYTES_MAX),
        ("TEXT_BYTES_MAX", TEXT_BYTES_MAX),
        ("ID_BYTES_MAX", ID_BYTES_MAX),
        ("FRIENDS_MAX", FRIENDS_MAX),
        ("USER_GROUPS_MAX", USER_GROUPS_MAX),
        ("MENTIONS_MAX", MENTIONS_MAX),
        ("PAGE_MAX", PAGE_MAX),
        ("PAGE_BYTES_MAX", PAGE_BYTES_MAX),
        ("VERSION", VERSION as usize),
    ];
    let on_page: Vec<_> = rows_under("Limits")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].parse().unwrap()))
        .collect();
    assert_eq!(
        on_page,
        expected.map(|(name, value)| (name.to_owned(), value))
    );
    // The same bounds in prose.
    let frames = format!(
        "{} KiB for the first frame, {} KiB for every later one",
        LOGIN_FRAME_BYTES_MAX / 1024,
        CLIENT_FRAME_BYTES_MAX / 1024
    );
    assert!(PAGE.contains(&frames));
    let served = format!("frames of up to {} KiB", SERVER_FRAME_BYTES_MAX / 1024);
    assert!(PAGE.contains(&served));
    for said in [
        format!("wants, at most {MENTIONS_MAX}."),
        format!("a page of `Members`, at most {PAGE_MAX} of them"),
        format!("which is at most {PAGE_MAX} (else 402)"),
        format!("at most {} KiB of bodies", PAGE_BYTES_MAX / 1024),
    ] {
        assert!(PAGE.contains(&said), "{said}");
    }
}

#[test]
fn every_action_tells_who_may() {
    let told = rows_under("Changing a group").into_iter();
    let told: Vec<String> = told.map(|row| row[0].clone()).collect();
    let actions = &described()["GroupAction"];
    let actions: Vec<String> = actions.iter().map(|(_, name, _)| name.clone()).collect();
    assert_eq!(told, actions[1..]);
}

#[test]
fn every_link_within_the_page_has_its_heading() {
    let anchor = |heading: String| heading.to_lowercase().replace(' ', "-");
    let headings: Vec<String> = PAGE.lines().filter_map(heading).map(anchor).collect();
    let targets = PAGE.split("](#").skip(1);
    for target in targets.filter_map(|rest| rest.split(')').next()) {
        assert!(headings.iter().any(|known| known == target), "#{target}");
    }
}

/// The bytes of each fenced block marked `hex`, by the rest of its mark.
fn hex_examples() -> BTreeMap<String, Bytes> {
    let mut examples = BTreeMap::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("```hex ") else {
            continue;
        };
        let block = lines.by_ref().take_while(|line| *line != "```");
        let bytes: Bytes = block.flat_map(bytes_of_line).collect();
        assert_eq!(examples.insert(name.to_owned(), bytes), None, "{name}");
    }
    examples
}

fn bytes_of_line(line: &str) -> Vec<u8> {
    let hex = line.split('#').next().unwrap_or_default();
    let byte = |digits| u8::from_str_radix(digits, 16).expect(line);
    hex.split_whitespace().map(byte).collect()
}

fn heading(line: &str) -> Option<String> {
    let text = line.strip_prefix('#')?.trim_start_matches('#');
    Some(text.trim().replace('`', ""))
}

/// A field or value: its number, its name, and its type if it has one.
type Field = (u32, String, Option<String>);

/// Field tables by the name of their message or enum.
fn tables() -> BTreeMap<String, Vec<Field>> {
    let mut tables = BTreeMap::new();
    for name in PAGE.lines().filter_map(heading) {
        let field = |row: Vec<String>| {
            // An enum's third column is a meaning; its names are in capitals.
            let is_value = row[1].chars().all(|c| c == '_' || c.is_ascii_uppercase());
            let type_name = row.get(2)?.trim_start_matches('[').split(']').next();
            Some((
                row[0].parse().ok()?,
                row[1].clone(),
                type_name.filter(|_| !is_value).map(str::to_owned),
            ))
        };
        let fields = rows_under(&name).into_iter().filter_map(field).collect();
        assert_eq!(tables.insert(name.clone(), fields), None, "{name} twice");
    }
    tables
}

/// The cells of the rows below a heading, up to the next one, without the
/// head of the table.
fn rows_under(name: &str) -> Vec<Vec<String>> {
    let is_name = |line: &&str| heading(line).as_deref() == Some(name);
    let lines = PAGE.lines().skip_while(|line| !is_name(line)).skip(1);
    let section = lines.take_while(|line| heading(line).is_none());
    let rows = section.filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = |row: &str| row.split(" | ").map(|cell| cell.replace('`', "")).collect();
    rows.skip(1).map(cells).collect()
}

/// The fields of every message and the values of every enum in `client.proto`.
fn described() -> BTreeMap<String, Vec<Field>> {
    let uncommented: Vec<&str> = DESCRIPTIONS
        .lines()
        .filter_map(|line| line.split("//").next())
        .collect();
    let text = uncommented.join("\n");
    let mut described = BTreeMap::new();
    for kind in ["message ", "enum "] {
        for rest in text.split(&format!("\n{kind}")).skip(1) {
            let (name, rest) = rest.split_once('{').unwrap();
            let end = rest
                .find("\nmessage ")
                .into_iter()
                .chain(rest.find("\nenum "));
            let body = &rest[..end.min().unwrap_or(rest.len())];
            let fields = body
                .split(';')
                .filter_map(|field| described_field(kind, field));
            described.insert(name.trim().to_owned(), fields.collect());
        }
    }
    assert!(described.len() > 30);
    described
}

fn described_field(kind: &str, field: &str) -> Option<Field> {
    let words = field.rsplit(['{', '}']).next()?.split_whitespace();
    let words: Vec<&str> = words.collect();
    let (name, number) = match words[..] {
        [.., name, "=", number] => (name, number),
        _ => return None,
    };
    let type_name = match words[..words.len() - 3] {
        [] => None,
        ["repeated", of] => Some(format!("repeated {of}")),
        [single] => Some(single.to_owned()),
        _ => panic!("{kind}: {field}"),
    };
    Some((number.parse().unwrap(), name.to_owned(), type_name))
}
