//! Names that nobody had before.

/// A UUID of version 4 (RFC 9562, 5.4). Without the system's generator it repeats: nothing may depend on it being secret.
pub fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    text
}

#[cfg(test)]
mod tests;
