//! What a database or an upstream says is passed on, but nothing of the connection string.

/// Shorter ones are also ordinary words; taking them out would tell more than leaving them in.
const SHORTEST: usize = 4;

/// Parts of a connection string that no text may show.
#[derive(Clone)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Secrets {
        let mut parts: Vec<String> =
            parts.into_iter().filter(|part| part.len() >= SHORTEST).map(str::to_owned).collect();
        // The whole string first: its beginning would be left when the password were taken out of it.
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        Secrets(parts)
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, part| text.replace(part.as_str(), "***"))
    }

    /// The length of the longest: so much more than is shown of a text has to be read to recognise them.
    pub(super) fn longest(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }

    /// What was read of a text without them, nor the beginning of one at its end: there may be more of the text.
    pub(super) fn hide_in_beginning(&self, read: &str) -> String {
        // What is left of a character that was cut.
        let read = read.trim_end_matches(char::REPLACEMENT_CHARACTER);
        match self.0.iter().filter_map(|part| begun_at_end(read, part)).max() {
            Some(begun) => self.hide(&read[..read.len() - begun]) + "***",
            None => self.hide(read),
        }
    }
}

/// How much of a part the text ends with.
fn begun_at_end(text: &str, part: &str) -> Option<usize> {
    let longest = part.len().min(text.len());
    (SHORTEST..=longest).rev().find(|length| part.get(..*length).is_some_and(|begun| text.ends_with(begun)))
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

#[cfg(test)]
mod tests;
