//! User, host and port.

use std::borrow::Cow;

use super::{
    BadUrl, INVALID_HOST, MALFORMED, MISSING_HOST,
    escape::{self, Byte, Escapes, Plain},
};

/// ASCII that a host may have as it is.
static HOST: Plain = Plain::and(b"!$&'()*+,;=:[]<>\"");
/// What a user may have as it is, percent signs included.
static USER_GIVEN: Plain = Plain::and(b"!$&'()*+,;=:%@");
/// What a user or password has as it is in normal form.
static USER: Plain = Plain::and(b"$&+,;=");

/// What stands between `//` and the path.
#[derive(Debug)]
pub(super) struct Authority<'a> {
    user: Option<User<'a>>,
    /// Decoded, with the port, as it was given.
    host: Vec<u8>,
}

/// Both decoded.
#[derive(Debug)]
struct User<'a> {
    name: Cow<'a, [u8]>,
    /// May be empty, which is not the same as none.
    password: Option<Cow<'a, [u8]>>,
}

impl<'a> Authority<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BadUrl> {
        let (user, host) = match text.rsplit_once('@') {
            Some((user, host)) => (Some(User::parse(user)?), host),
            None => (None, text),
        };
        let host = parse_host(host)?;
        match name(&host) {
            _ if host.is_empty() => Err(MISSING_HOST),
            name if name != b"localhost" && !name.contains(&b'.') => Err(INVALID_HOST),
            _ => Ok(Authority { user, host }),
        }
    }

    /// Appends its normal form under a scheme, which is in lower case.
    pub(super) fn write(&self, scheme: &str, out: &mut String) {
        if let Some(user) = &self.user {
            USER.write(&user.name, out);
            if let Some(password) = &user.password {
                out.push(':');
                USER.write(password, out);
            }
            out.push('@');
        }
        let host = lower(&self.host);
        // The dot goes before the port does, so that one in front of a default port stays.
        let host = host.strip_suffix('.').unwrap_or(&host);
        let default_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        HOST.write(host.strip_suffix(default_port).unwrap_or(host).as_bytes(), out);
    }
}

impl<'a> User<'a> {
    fn parse(text: &'a str) -> Result<Self, BadUrl> {
        if !text.bytes().all(|byte| USER_GIVEN.has(byte)) {
            return Err(MALFORMED);
        }
        let (name, password) = text.split_once(':').map_or((text, None), |(name, password)| (name, Some(password)));
        Ok(User { name: escape::decode(name)?, password: password.map(escape::decode).transpose()? })
    }
}

/// Host and port decoded.
fn parse_host(text: &str) -> Result<Vec<u8>, BadUrl> {
    let bracket = if text.starts_with('[') { Some(text.rfind(']').ok_or(MALFORMED)?) } else { None };
    let port = match bracket {
        Some(end) => &text[end + 1..],
        None => &text[text.rfind(':').unwrap_or(text.len())..],
    };
    if !is_port(port.as_bytes()) {
        return Err(MALFORMED);
    }
    let zone = bracket.and_then(|end| text[..end].find("%25").map(|start| start..end)).unwrap_or_default();
    let mut host = Vec::with_capacity(text.len());
    decode_host(&text[..zone.start], |_| false, &mut host)?;
    decode_host(&text[zone.clone()], |byte| HOST.has(byte), &mut host)?;
    decode_host(&text[zone.end..], |_| false, &mut host)?;
    Ok(host)
}

/// Appends a part of a host decoded. Of ASCII, only `%` and what `may_be_escaped` may be escaped.
fn decode_host(text: &str, may_be_escaped: impl Fn(u8) -> bool, out: &mut Vec<u8>) -> Result<(), BadUrl> {
    for byte in Escapes::of(text) {
        let byte = byte?;
        let allowed = match byte {
            Byte::Plain(byte) => !byte.is_ascii() || HOST.has(byte),
            Byte::Escaped(byte) => !byte.is_ascii() || byte == b'%' || may_be_escaped(byte),
        };
        if !allowed {
            return Err(MALFORMED);
        }
        out.push(byte.value());
    }
    Ok(())
}

/// Nothing, or a colon and any number of digits.
fn is_port(text: &[u8]) -> bool {
    text.split_first().is_none_or(|(colon, digits)| *colon == b':' && digits.iter().all(u8::is_ascii_digit))
}

/// A host without its port and brackets.
fn name(host: &[u8]) -> &[u8] {
    let port = memchr::memrchr(b':', host).filter(|colon| is_port(&host[*colon..]));
    let name = &host[..port.unwrap_or(host.len())];
    name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name)
}

/// In lower case, each character by itself; what is no UTF-8 becomes U+FFFD, byte by byte.
fn lower(host: &[u8]) -> String {
    let mut lower = String::with_capacity(host.len());
    for chunk in host.utf8_chunks() {
        // The first of several characters is the simple mapping: only `İ` has several.
        lower.extend(chunk.valid().chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)));
        lower.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    lower
}
