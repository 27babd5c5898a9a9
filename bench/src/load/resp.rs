//! The protocol of Redis, as far as a client that knows what it asked needs it.

use crate::Result;

/// A command as it goes over the wire.
pub fn command(words: &[&str]) -> Vec<u8> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    command.into_bytes()
}

/// Where the reply at the start of `answer` ends, once all of it is there.
pub fn extent(answer: &[u8]) -> Result<Option<usize>> {
    let (mut at, mut pending) = (0, 1u64);
    while pending > 0 {
        let Some(line) = line(&answer[at..]) else { return Ok(None) };
        at += line.len() + 2;
        pending -= 1;
        match line.first() {
            Some(b'-') => return Err(format!("redis: {}", String::from_utf8_lossy(line)).into()),
            Some(b'*') => pending += size(line).unwrap_or_default(),
            Some(b'$') => at += size(line).map_or(0, |bytes| bytes as usize + 2),
            _ => {}
        }
        if at > answer.len() {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

/// Visits the strings and numbers of whole replies.
pub fn leaves(mut replies: &[u8], leaf: &mut impl FnMut(&[u8])) {
    while let Some(line) = line(replies) {
        replies = &replies[line.len() + 2..];
        match (line.first(), size(line)) {
            (Some(b'*'), _) => {}
            (Some(b'$'), Some(bytes)) => {
                leaf(&replies[..bytes as usize]);
                replies = &replies[bytes as usize + 2..];
            }
            _ => leaf(&line[1..]),
        }
    }
}

fn line(bytes: &[u8]) -> Option<&[u8]> {
    memchr::memmem::find(bytes, b"\r\n").map(|end| &bytes[..end])
}

/// The length in a line of a string or an array; none for what is null.
fn size(line: &[u8]) -> Option<u64> {
    std::str::from_utf8(line.get(1..)?).ok()?.parse().ok()
}
