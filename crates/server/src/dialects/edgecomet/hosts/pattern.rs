//! Patterns over names and paths: exact, with `*`, or a regular expression behind `~` or `~*`.

use std::{collections::HashSet, sync::Arc};

use regex::{Regex, RegexBuilder};

use super::agents::{self, Agent};

#[cfg(test)]
mod tests;

/// Memory that a compiled expression may take.
const REGEX_BYTES: usize = 1 << 20;

/// Several patterns; one of them is enough. Matching takes time in proportion to the text. Clones share what was parsed.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Patterns(Arc<Several>);

#[derive(Debug, Default)]
struct Several {
    /// In lower case.
    exact: HashSet<String>,
    others: Vec<Pattern>,
}

impl Patterns {
    /// Patterns that ignore the case of letters, unless they are expressions.
    pub(in super::super) fn parse(texts: &[String]) -> Result<Self, BadPattern> {
        let mut patterns = Several::default();
        for text in texts {
            patterns.add(Pattern::parse(text, Case::Ignored)?);
        }
        Ok(Patterns(Arc::new(patterns)))
    }

    /// The same over user agents, where `$Name` stands for bots.
    pub(in super::super) fn of_agents(texts: &[String]) -> Result<Self, BadPattern> {
        let mut patterns = Several::default();
        for text in texts {
            let Some(name) = text.strip_prefix('$') else {
                patterns.add(Pattern::parse(text, Case::Ignored)?);
                continue;
            };
            let bots = agents::named(name).ok_or_else(|| BadPattern::new(text, "is an unknown bot alias"))?;
            patterns.others.extend(bots.into_iter().map(Pattern::Agent));
        }
        Ok(Patterns(Arc::new(patterns)))
    }

    /// Whether there is no pattern.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.exact.is_empty() && self.0.others.is_empty()
    }

    /// Whether one of them fits.
    pub(in super::super) fn matches(&self, text: &str) -> bool {
        if self.is_empty() {
            return false;
        }
        let lower = text.to_lowercase();
        self.0.exact.contains(&lower) || self.0.others.iter().any(|pattern| pattern.fits(text, &lower))
    }
}

impl Several {
    fn add(&mut self, pattern: Pattern) {
        match pattern {
            Pattern::Exact { text, case: Case::Ignored } => drop(self.exact.insert(text)),
            other => self.others.push(other),
        }
    }
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} {what}")]
pub(in super::super) struct BadPattern {
    pattern: String,
    what: String,
}

impl BadPattern {
    fn new(pattern: &str, what: impl Into<String>) -> Self {
        BadPattern { pattern: pattern.to_owned(), what: what.into() }
    }
}

/// What letters of an exact pattern or one with `*` mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// `a` is `A`.
    Ignored,
    /// It is not.
    Kept,
}

/// One pattern. Where case is ignored its text is in lower case.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Exact {
        text: String,
        case: Case,
    },
    /// What stands between the stars, at least two texts.
    Wildcard {
        parts: Vec<String>,
        case: Case,
    },
    Expression(Regex),
    Agent(&'static Agent),
}

impl Pattern {
    pub(super) fn parse(text: &str, case: Case) -> Result<Self, BadPattern> {
        if text.is_empty() {
            return Err(BadPattern::new(text, "is no pattern"));
        }
        if let Some(rest) = text.strip_prefix('~') {
            let (expression, ignored) = rest.strip_prefix('*').map_or((rest, false), |rest| (rest, true));
            return Self::expression(text, expression, ignored);
        }
        let spelled = match case {
            Case::Ignored => text.to_lowercase(),
            Case::Kept => text.to_owned(),
        };
        if !spelled.contains('*') {
            return Ok(Pattern::Exact { text: spelled, case });
        }
        Ok(Pattern::Wildcard { parts: spelled.split('*').map(str::to_owned).collect(), case })
    }

    fn expression(pattern: &str, expression: &str, case_ignored: bool) -> Result<Self, BadPattern> {
        if expression.is_empty() {
            return Err(BadPattern::new(pattern, "has no expression"));
        }
        let built = RegexBuilder::new(expression).case_insensitive(case_ignored).size_limit(REGEX_BYTES).build();
        built.map(Pattern::Expression).map_err(|error| {
            let why = match error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                // The last line says what is wrong; those before it draw where.
                error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
            };
            BadPattern::new(pattern, format!("is no regular expression: {why}"))
        })
    }

    /// Whether it fits a text.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Exact { case: Case::Kept, .. } | Pattern::Wildcard { case: Case::Kept, .. } => self.fits(text, ""),
            _ => self.fits(text, &text.to_lowercase()),
        }
    }

    fn fits(&self, text: &str, lower: &str) -> bool {
        let in_case = |case: &Case| if *case == Case::Kept { text } else { lower };
        match self {
            Pattern::Exact { text: exact, case } => exact == in_case(case),
            Pattern::Wildcard { parts, case } => wildcard(parts, in_case(case)),
            Pattern::Expression(expression) => expression.is_match(text),
            Pattern::Agent(agent) => agent.is(lower),
        }
    }
}

/// Whether `text` begins with the first part, ends with the last, and has the others in between, in order. The first place
/// where a part fits is as good as any later one, so nothing is tried twice.
fn wildcard(parts: &[String], text: &str) -> bool {
    let [first, between @ .., last] = parts else { return false };
    let Some(text) = text.strip_prefix(first.as_str()) else { return false };
    let Some(mut text) = text.strip_suffix(last.as_str()) else { return false };
    for part in between {
        let Some(at) = memchr::memmem::find(text.as_bytes(), part.as_bytes()) else { return false };
        text = &text[at + part.len()..];
    }
    true
}
