//! An address of a page, as a request needs it: what it is called by, and what is asked for there. The bytes are those of
//! the address; a library that tidies addresses up would ask for another page.

use std::fmt::Write;

use hyper::Uri;
use percent_encoding::percent_decode_str;

#[cfg(test)]
mod tests;

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// In lower case; empty if there is none.
    pub(super) scheme: String,
    /// The host's name, decoded, without a port.
    pub(super) name: String,
    /// The host's name as it stands in the address.
    raw_name: String,
    /// With its colon, if there is one that says something.
    port: String,
    /// As they stand in the address, the fragment left out.
    path_and_query: String,
}

impl Target {
    /// Takes an address apart. What is in front of the host's name and its `@` is left out: no credentials are sent.
    pub(super) fn parse(url: &str) -> Target {
        let url = url.split('#').next().unwrap_or_default();
        let (scheme, rest) = split_scheme(url).unwrap_or(("", url));
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let (raw_name, port) = host.rsplit_once(':').filter(|(_, port)| is_port(port)).unwrap_or((host, ""));
        Target {
            scheme: scheme.to_ascii_lowercase(),
            name: percent_decode_str(raw_name).decode_utf8_lossy().into_owned(),
            raw_name: raw_name.to_owned(),
            port: if port.is_empty() { String::new() } else { format!(":{port}") },
            path_and_query: path_and_query.to_owned(),
        }
    }

    /// The host's name as the name service knows it: names in other scripts have another spelling there (IDNA).
    pub(super) fn ascii_name(&self) -> Option<String> {
        url::Host::parse(&self.raw_name).ok().map(|host| host.to_string())
    }

    /// What a request is made with; none if there is no such host or port.
    pub(super) fn uri(&self) -> Option<Uri> {
        let mut text = format!("{}://{}{}", self.scheme, self.ascii_name()?, self.port);
        if !self.path_and_query.starts_with('/') {
            text.push('/');
        }
        for byte in self.path_and_query.bytes() {
            match byte {
                // Never part of a request's target (RFC 9112), though an address may have them in its query.
                ..=b' ' | b'"' | b'<' | b'>' | 0x7f.. => {
                    write!(text, "%{byte:02X}").expect("writing to memory cannot fail");
                }
                _ => text.push(char::from(byte)),
            }
        }
        let uri: Uri = text.parse().ok()?;
        // A number that is no port is taken for none.
        (self.port.is_empty() || uri.port_u16().is_some()).then_some(uri)
    }
}

/// The scheme of an address and what follows its colon, if it has one.
fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then_some((scheme, rest))
}
