//! What a database says is passed on, but nothing of the connection string.

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
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(***)")
    }
}

#[cfg(test)]
mod tests;
