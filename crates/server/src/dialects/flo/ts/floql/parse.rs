//! `source { '|' stage }`.

use manifold_engine::series::{Pattern, TagFilter, TagTest};

use super::{
    cursor::Cursor,
    literal,
    mistake::Mistake,
    script::{Script, Source, Step},
    stages,
};

/// Longest query.
const MOST_BYTES: usize = 64 << 10;
/// Most stages.
const MOST_STAGES: usize = 32;
/// Most filters: each is a pass over the series.
const MOST_FILTERS: usize = 256;
/// Most patterns among them: each takes milliseconds to compile, and up to a megabyte.
const MOST_PATTERNS: usize = 32;
/// Longest pattern.
const MOST_PATTERN_BYTES: usize = 1024;
/// What only a regular expression has; a pattern without any of it is a glob.
const REGEX_ONLY: &[char] = &['.', '^', '$', '+', '|', '(', ')', '[', ']', '{', '}', '\\'];

/// Reads a whole query.
pub(crate) fn parse(text: &str) -> Result<Script, Mistake> {
    let mut cursor = begin(text)?;
    let source = source(&mut cursor)?;
    let mut steps = Vec::new();
    while cursor.take("|") {
        let at = cursor.at();
        if steps.len() == MOST_STAGES {
            return Err(Mistake::new(at, "too many stages", format!("at most {MOST_STAGES} stages")));
        }
        let step = stages::stage(&mut cursor)?;
        if matches!(step, Step::Field(_)) && steps.iter().any(|step| matches!(step, Step::Field(_))) {
            return Err(Mistake::new(at, "field() is given twice", "field() once, with all names"));
        }
        steps.push(step);
    }
    match cursor.peek() {
        None => Ok(Script { source, steps }),
        Some(_) if !steps.is_empty() => Err(cursor.unexpected("'|' or the end")),
        Some(_) if source.range.is_some() => Err(cursor.unexpected("'|' or the end")),
        Some(_) => Err(cursor.unexpected("'{', '[', '|' or the end")),
    }
}

/// Reads a query that has no stages.
pub(crate) fn parse_source(text: &str) -> Result<Script, Mistake> {
    let mut cursor = begin(text)?;
    let source = source(&mut cursor)?;
    match cursor.peek() {
        None => Ok(Script { source, steps: Vec::new() }),
        Some(b'|') => Err(Mistake::new(cursor.at(), "stages are not allowed here", "the end")),
        Some(_) => Err(cursor.unexpected("the end")),
    }
}

fn begin(text: &str) -> Result<Cursor<'_>, Mistake> {
    if text.len() > MOST_BYTES {
        return Err(Mistake::new(MOST_BYTES, "the query is too long", format!("at most {MOST_BYTES} bytes")));
    }
    Ok(Cursor::new(text))
}

/// `name [ '{' filters '}' ] [ '[' range ']' ]`
fn source(cursor: &mut Cursor<'_>) -> Result<Source, Mistake> {
    let measurement = cursor.name("a measurement")?;
    let mut filters = Vec::new();
    if cursor.take("{") {
        while !cursor.take("}") {
            filter(cursor, &mut filters)?;
            if !cursor.take(",") {
                cursor.expect("}", "',' or '}'")?;
                break;
            }
        }
    }
    let range = if cursor.take("[") {
        let range = literal::range(cursor)?;
        cursor.expect("]", "']'")?;
        Some(range)
    } else {
        None
    };
    Ok(Source { measurement, filters, range })
}

/// Reads one more filter.
fn filter(cursor: &mut Cursor<'_>, filters: &mut Vec<TagFilter>) -> Result<(), Mistake> {
    if filters.len() == MOST_FILTERS {
        return Err(Mistake::new(cursor.at(), "too many filters", format!("at most {MOST_FILTERS} filters")));
    }
    let is_pattern = |filter: &&TagFilter| matches!(filter.test, TagTest::Matches(_) | TagTest::MatchesNot(_));
    let tag = cursor.name("a tag or '}'")?;
    const OPERATORS: [&str; 5] = ["==", "=~", "=", "!=", "!~"];
    let Some(operator) = OPERATORS.iter().find(|operator| cursor.take(operator)) else {
        return Err(cursor.unexpected("one of = == != =~ !~"));
    };
    let at = cursor.at();
    let value = match cursor.quoted()? {
        Some(value) => value,
        None => match cursor.run(|c| !c.is_ascii_whitespace() && !matches!(c, ',' | '}')) {
            "" => return Err(cursor.unexpected("a value")),
            value => value.to_owned(),
        },
    };
    if operator.ends_with('~') && filters.iter().filter(is_pattern).count() == MOST_PATTERNS {
        return Err(Mistake::new(at, "too many patterns", format!("at most {MOST_PATTERNS} patterns")));
    }
    let test = match *operator {
        "=" | "==" => TagTest::Is(value),
        "!=" => TagTest::IsNot(value),
        "=~" => TagTest::Matches(pattern(at, &value)?),
        _ => TagTest::MatchesNot(pattern(at, &value)?),
    };
    filters.push(TagFilter { tag, test });
    Ok(())
}

fn pattern(at: usize, text: &str) -> Result<Pattern, Mistake> {
    if text.len() > MOST_PATTERN_BYTES {
        return Err(Mistake::new(at, "the pattern is too long", format!("at most {MOST_PATTERN_BYTES} bytes")));
    }
    let built = if text.contains(REGEX_ONLY) { Pattern::regex(text) } else { Pattern::glob(text) };
    built.map_err(|what| Mistake::new(at, format!("invalid pattern: {what}"), "a glob or a regular expression"))
}
