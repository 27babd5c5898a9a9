//! What a page's head says to search engines: its title, and whether it may be listed.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use hyper::{HeaderMap, header::CONTENT_TYPE};
use url::Url;

use super::charset;
use crate::dialects::edgecomet::{hosts::Patterns, url::Address};

#[cfg(test)]
mod tests;

/// Longest title, in characters.
const TITLE_CHARS: usize = 500;

/// What is known of a page that is HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialects::edgecomet) struct Html {
    pub(in crate::dialects::edgecomet) title: String,
    pub(in crate::dialects::edgecomet) index_status: u8,
}

/// How search engines take a page, as records spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexStatus {
    Indexable = 1,
    NotOk = 2,
    Forbidden = 3,
    CanonicalElsewhere = 4,
}

/// Whether headers say that a body is HTML.
pub(in crate::dialects::edgecomet) fn is_html(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let media = media.split(|byte| *byte == b';').next().unwrap_or_default();
    media.trim_ascii().eq_ignore_ascii_case(b"text/html")
}

/// What a page says that is kept under `page`, was found at `found_at`, and has this status.
pub(in crate::dialects::edgecomet) fn read(
    page: &str,
    found_at: &str,
    is_ok: bool,
    headers: &HeaderMap,
    body: &[u8],
) -> Html {
    let head = Head::read(body);
    let charset = charset::declared(headers, head.charset.as_deref(), body);
    let title = head.title.as_deref().map(|title| charset::decode(&charset, title)).unwrap_or_default();
    let index_status = if !is_ok {
        IndexStatus::NotOk
    } else if head.forbids_listing() {
        IndexStatus::Forbidden
    } else if head.is_elsewhere(page, found_at) {
        IndexStatus::CanonicalElsewhere
    } else {
        IndexStatus::Indexable
    };
    Html { title: title.trim().chars().take(TITLE_CHARS).collect(), index_status: index_status as u8 }
}

/// What stands in the head of a document.
#[derive(Debug, Default)]
struct Head {
    title: Option<Vec<u8>>,
    charset: Option<Vec<u8>>,
    robots: Vec<String>,
    googlebot: Vec<String>,
    base: Option<String>,
    canonical: Option<String>,
}

impl Head {
    /// Reads up to where the head ends, said or not.
    fn read(body: &[u8]) -> Head {
        let mut emitter = DefaultEmitter::default();
        // What stands in a script or a style is no markup.
        emitter.naively_switch_states(true);
        // The mark of UTF-8 is no text.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut head = Head::default();
        let mut inside = Inside::Head;
        for Ok(token) in Tokenizer::new_with_emitter(body, emitter) {
            inside = match (inside, token) {
                (Inside::Head, Token::StartTag(tag)) => match head.start(&tag) {
                    Some(inside) => inside,
                    None => break,
                },
                (Inside::Head, Token::String(text)) if !text.trim_ascii().is_empty() => break,
                (Inside::Title, Token::String(text)) => {
                    // Pieces of one title come one after the other.
                    head.title.get_or_insert_default().extend_from_slice(&text);
                    Inside::Title
                }
                (Inside::Title, Token::EndTag(_)) => {
                    head.title.get_or_insert_default();
                    Inside::Head
                }
                (Inside::Other(name), Token::EndTag(tag)) if tag.name == name => Inside::Head,
                (inside, _) => inside,
            };
        }
        head
    }

    /// Takes a start tag; what follows is inside of what comes back, none if it begins the body.
    fn start(&mut self, tag: &StartTag<()>) -> Option<Inside> {
        match tag.name.as_slice() {
            b"title" if self.title.is_none() => return Some(Inside::Title),
            b"title" => return Some(Inside::Other(b"title")),
            b"template" => return Some(Inside::Other(b"template")),
            b"noscript" => return Some(Inside::Other(b"noscript")),
            b"script" => return Some(Inside::Other(b"script")),
            b"style" => return Some(Inside::Other(b"style")),
            b"noframes" => return Some(Inside::Other(b"noframes")),
            b"meta" => self.meta(tag),
            b"base" => set_once(&mut self.base, attribute(tag, "href")),
            b"link" if is_canonical(tag) => set_once(&mut self.canonical, attribute(tag, "href")),
            b"html" | b"head" | b"link" | b"basefont" | b"bgsound" => {}
            _ => return None,
        }
        Some(Inside::Head)
    }

    fn meta(&mut self, tag: &StartTag<()>) {
        let content = attribute(tag, "content").unwrap_or_default();
        let charset = attribute(tag, "charset").or_else(|| {
            let is_type = attribute(tag, "http-equiv").is_some_and(|name| name.eq_ignore_ascii_case("content-type"));
            is_type.then(|| charset::parameter(&content).map(str::to_owned))?
        });
        if self.charset.is_none() {
            self.charset = charset.map(String::into_bytes);
        }
        let name = attribute(tag, "name").unwrap_or_default();
        match name.trim().to_ascii_lowercase().as_str() {
            "robots" => self.robots.push(content),
            "googlebot" => self.googlebot.push(content),
            _ => {}
        }
    }

    /// What is said to one crawler by name counts instead of what is said to all.
    fn forbids_listing(&self) -> bool {
        let named = self.googlebot.iter().any(|content| !content.trim().is_empty());
        let said = if named { &self.googlebot } else { &self.robots };
        let words = said.iter().flat_map(|content| content.split(','));
        words.into_iter().any(|word| ["noindex", "none"].iter().any(|no| word.trim().eq_ignore_ascii_case(no)))
    }

    /// Whether the page says that it really is another one.
    fn is_elsewhere(&self, page: &str, found_at: &str) -> bool {
        let Some(canonical) = &self.canonical else { return false };
        let Ok(found_at) = Url::parse(found_at) else { return false };
        let base = self.base.as_ref().and_then(|base| found_at.join(base).ok()).unwrap_or(found_at);
        let Ok(resolved) = base.join(canonical.trim()) else { return false };
        normal(resolved.as_str()).is_some_and(|resolved| Some(resolved) != normal(page))
    }
}

/// What a token is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Head,
    Title,
    /// An element whose content says nothing about the page.
    Other(&'static [u8]),
}

fn normal(url: &str) -> Option<String> {
    Some(Address::parse_known(url).ok()?.normal(&Patterns::default()))
}

fn is_canonical(tag: &StartTag<()>) -> bool {
    let relations = attribute(tag, "rel").unwrap_or_default();
    relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("canonical"))
}

/// The first that is not empty counts.
fn set_once(place: &mut Option<String>, value: Option<String>) {
    if place.is_none() {
        *place = value.filter(|value| !value.trim().is_empty());
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}
