//! The bytes of an entry as a member of a queue: `{"url":"...","dimension_id":1}`, without white space. Other programs
//! compare them byte by byte, and entries that are due at one moment are ordered by them.

use super::Entry;

#[cfg(test)]
mod tests;

impl Entry {
    /// Appends its bytes as a member of a queue.
    pub fn write_member(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"url":""#);
        write_escaped(out, &self.url);
        out.extend_from_slice(br#"","dimension_id":"#);
        out.extend_from_slice(self.dimension.to_string().as_bytes());
        out.push(b'}');
    }

    /// Its bytes as a member of a queue.
    pub fn member(&self) -> Vec<u8> {
        let mut member = Vec::with_capacity(self.url.len() + 32);
        self.write_member(&mut member);
        member
    }
}

/// Text as it stands in a member: what HTML could misread is escaped, all else that JSON allows is as it is. Control
/// characters are not part of addresses in normal form.
pub fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let mut plain = 0;
    for (at, found) in text.char_indices() {
        let escaped: &[u8] = match found {
            '&' => br"\u0026",
            '<' => br"\u003c",
            '>' => br"\u003e",
            '\u{2028}' => br"\u2028",
            '\u{2029}' => br"\u2029",
            '"' => br#"\""#,
            '\\' => br"\\",
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain..at]);
        out.extend_from_slice(escaped);
        plain = at + found.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
}
