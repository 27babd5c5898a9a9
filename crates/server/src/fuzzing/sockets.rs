//! WebSockets: after an upgrade that is right, any messages, or any bytes at all. Every text that comes back is JSON.

use std::cell::RefCell;

use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame, FrameHeader,
    coding::{Data, OpCode},
};

use super::{
    dialects::{open_dunena, open_synap, open_unison},
    house::{House, Kept, within},
    input::Input,
};
use crate::{
    dialects::{dunena::Dunena, synap::Synap, unison::Unison},
    net::Service,
};

/// Between two messages.
const SEPARATOR: u8 = 0x1e;
/// Messages of one input.
const MOST: usize = 12;

pub(super) fn converse(data: &[u8]) {
    thread_local!(static UNISON: Kept<Unison> = const { RefCell::new(None) });
    thread_local!(static SYNAP: Kept<Synap> = const { RefCell::new(None) });
    thread_local!(static DUNENA: Kept<Dunena> = const { RefCell::new(None) });
    let mut input = Input::new(data);
    let (dialect, raw) = (input.byte(), input.byte() % 8 == 7);
    let sent = if raw { input.rest().to_vec() } else { frames(input.rest()) };
    match dialect % 5 {
        0 => UNISON.with(|kept| within(kept, open_unison, |house| talk(house, "/stream", &sent))),
        1 => SYNAP.with(|kept| within(kept, open_synap, |house| talk(house, "/api/v1/ws", &sent))),
        2 => SYNAP.with(|kept| within(kept, open_synap, |house| talk(house, "/pubsub/ws?topics=a.*,b", &sent))),
        3 => SYNAP.with(|kept| within(kept, open_synap, |house| talk(house, "/kv/ws?keys=a,b*", &sent))),
        _ => DUNENA.with(|kept| within(kept, open_dunena, |house| talk(house, "/ws", &sent))),
    }
}

/// A frame for each text; one that begins with a byte below 16 has that as its opcode.
fn frames(script: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    for message in script.split(|byte| *byte == SEPARATOR).take(MOST) {
        let (opcode, payload) = match message {
            [opcode @ ..16, rest @ ..] if *opcode != b'\n' => (OpCode::from(*opcode), rest),
            text => (OpCode::Data(Data::Text), text),
        };
        let header = FrameHeader { opcode, mask: Some([0; 4]), ..FrameHeader::default() };
        Frame::from_payload(header, payload.to_vec().into()).format(&mut sent).expect("writing to memory cannot fail");
    }
    sent
}

fn talk<S: Service>(house: &House<S>, target: &str, frames: &[u8]) {
    let upgrade = format!(
        "GET {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer key\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let answer = house.exchange(None, &[upgrade.as_bytes(), frames].concat());
    let text = String::from_utf8_lossy(&answer);
    let Some(head) = text.find("\r\n\r\n") else { return };
    assert!(text.starts_with("HTTP/1.1 101"), "{target}: {text}");
    let mut rest = &answer[head + 4..];
    while let Some((opcode, payload, behind)) = frame(rest) {
        if opcode == 1 {
            let json: Result<&serde_json::value::RawValue, _> = serde_json::from_slice(payload);
            json.unwrap_or_else(|error| panic!("no JSON: {error}: {}", String::from_utf8_lossy(payload)));
        }
        rest = behind;
    }
}

/// The first frame of a server, which is never masked, and what is behind it.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (len, rest) = rest.split_first()?;
    let (len, rest) = match len {
        126 => rest.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_be_bytes(*len)), rest))?,
        127 => rest.split_first_chunk().map(|(len, rest)| (u64::from_be_bytes(*len) as usize, rest))?,
        len => (usize::from(*len), rest),
    };
    let (payload, behind) = rest.split_at_checked(len)?;
    Some((first & 0x0f, payload, behind))
}
