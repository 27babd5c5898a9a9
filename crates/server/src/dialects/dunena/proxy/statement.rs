//! Whether a query changes something: such a one is done every time, and not at all through a connector that only reads.
//!
//! No SQL is parsed here; statements are told apart and judged by a few of their words, and for that it has to be known
//! what is code and what is a literal or a comment (`lexer`). Databases differ there, even one with its settings, so a
//! query counts as a mutation when any way in which its database may read it makes it one. A query that is taken for a
//! mutation and is none costs a look at the database; the other way round would be wrong.

use lexer::{Lexer, Lexis, Token};

use super::Kind;

mod lexer;

/// What `http` may be in front of is not known.
const ANY: [Lexis; 6] =
    [Lexis::POSTGRESQL[0], Lexis::POSTGRESQL[1], Lexis::MYSQL[0], Lexis::MYSQL[1], Lexis::MYSQL[2], Lexis::SQLITE[0]];

/// First words that change something whatever follows; the last one is GraphQL's.
const WRITES: [&str; 26] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT", "DROP", "ALTER", "CREATE", "TRUNCATE", "RENAME",
    "GRANT", "REVOKE", "CALL", "EXEC", "EXECUTE", "DO", "COPY", "LOAD", "LOCK", "VACUUM", "REINDEX", "ATTACH",
    "DETACH", "SET", "MUTATION",
];
/// Words that change something inside a statement that may hold others.
const INNER_WRITES: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "MERGE"];
/// What else `EXPLAIN ANALYZE` executes.
const EXPLAINED_WRITES: [&str; 3] = ["CREATE", "EXECUTE", "REFRESH"];
/// Pragmas that answer a question about their argument; all others take it as their new value.
const ASKING_PRAGMAS: [&str; 10] = [
    "TABLE_INFO",
    "TABLE_XINFO",
    "TABLE_LIST",
    "INDEX_LIST",
    "INDEX_INFO",
    "INDEX_XINFO",
    "FOREIGN_KEY_LIST",
    "FOREIGN_KEY_CHECK",
    "INTEGRITY_CHECK",
    "QUICK_CHECK",
];
/// Pragmas that do something without any argument.
const ACTING_PRAGMAS: [&str; 3] = ["OPTIMIZE", "INCREMENTAL_VACUUM", "WAL_CHECKPOINT"];

/// Whether the query has to be done each time it is asked for.
pub(super) fn is_mutation(kind: Kind, query: &str) -> bool {
    readings(kind, query).iter().any(|lexis| has_mutation(kind, Lexer::new(query, lexis)))
}

/// Whether the database may find more than one statement in the query.
pub(super) fn may_be_several(kind: Kind, query: &str) -> bool {
    readings(kind, query).iter().any(|lexis| {
        let mut tokens = Lexer::new(query, lexis);
        tokens.any(|token| matches!(token, Token::Semicolon)) && tokens.any(|token| !matches!(token, Token::Semicolon))
    })
}

/// The ways in which the database may take the query apart.
fn readings(kind: Kind, query: &str) -> &'static [Lexis] {
    let readings: &[Lexis] = match kind {
        Kind::Http => &ANY,
        Kind::PostgreSql => &Lexis::POSTGRESQL,
        Kind::MySql => &Lexis::MYSQL,
        Kind::Sqlite => &Lexis::SQLITE,
        Kind::Elasticsearch => &[],
    };
    if lexer::is_plain(query) { &readings[..readings.len().min(1)] } else { readings }
}

fn has_mutation(kind: Kind, tokens: Lexer<'_>) -> bool {
    let mut statement = Statement::default();
    for token in tokens {
        let mutates = match token {
            Token::Semicolon => std::mem::take(&mut statement).ends_as_mutation(),
            Token::Opaque => true,
            Token::Word { text, certain } => {
                let mut words = text.split(|c: char| !c.is_ascii()).filter(|word| !word.is_empty());
                words.any(|word| statement.word(kind, word, certain))
            }
            Token::Quoted => statement.quoted(kind),
            Token::Symbol(symbol) => statement.symbol(kind, symbol),
        };
        if mutates {
            return true;
        }
    }
    statement.ends_as_mutation()
}

/// What the first word of a statement says about the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Mutation,
    /// Only reads, unless INTO says where the result goes.
    Query,
    /// May hold other statements.
    Holder,
    /// Holds a statement that it may execute.
    Explain,
    Pragma,
    /// No SQL that is known here.
    Unknown,
}

fn head(kind: Kind, word: &str) -> Head {
    let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    let any_database = kind == Kind::Http;
    if is(&["SELECT", "VALUES", "TABLE", "SHOW"]) {
        Head::Query
    } else if is(&["WITH"]) || (any_database && is(&["BEGIN", "DECLARE", "IF"])) {
        Head::Holder
    } else if is(&["EXPLAIN", "DESCRIBE", "DESC"]) {
        Head::Explain
    } else if is(&["PRAGMA"]) && (any_database || kind == Kind::Sqlite) {
        Head::Pragma
    } else if any_database && !is(&WRITES) {
        Head::Unknown
    } else {
        Head::Mutation
    }
}

/// A statement, as far as it was seen.
#[derive(Debug, Default)]
struct Statement<'t> {
    /// Nothing that comes can be its first word any more.
    begun: bool,
    /// One of its possible first words makes INTO matter.
    is_query: bool,
    is_holder: bool,
    is_explain: bool,
    is_pragma: bool,
    /// A pragma's argument has begun.
    has_argument: bool,
    last_word: &'t str,
}

impl<'t> Statement<'t> {
    /// Takes the next word; whether that makes it a mutation. A word that is not certain is one that some servers skip.
    fn word(&mut self, kind: Kind, word: &'t str, certain: bool) -> bool {
        self.last_word = word;
        if !self.begun {
            self.begun = certain;
            match head(kind, word) {
                Head::Mutation => return true,
                Head::Query => self.is_query = true,
                Head::Holder => self.is_holder = true,
                Head::Explain => self.is_explain = true,
                Head::Pragma => self.is_pragma = true,
                Head::Unknown => {}
            }
        }
        let holds = self.is_holder || self.is_explain;
        ((self.is_query || holds) && is_one_of(word, &["INTO"]))
            || (holds && is_one_of(word, &INNER_WRITES))
            || (self.is_explain && is_one_of(word, &EXPLAINED_WRITES))
    }

    fn symbol(&mut self, kind: Kind, symbol: u8) -> bool {
        if !self.begun {
            // Before the first word, a database of a known kind takes nothing but parentheses.
            return kind != Kind::Http && symbol != b'(';
        }
        let asks = ASKING_PRAGMAS.iter().any(|name| self.last_word.eq_ignore_ascii_case(name));
        let opens = symbol == b'(' && !std::mem::replace(&mut self.has_argument, true);
        self.is_pragma && (symbol == b'=' || (opens && !asks))
    }

    /// Takes a literal or a quoted name.
    fn quoted(&mut self, kind: Kind) -> bool {
        let first = !std::mem::replace(&mut self.begun, true);
        // What a pragma does cannot be seen when its name is quoted.
        (first && kind != Kind::Http) || (self.is_pragma && !self.has_argument)
    }

    fn ends_as_mutation(self) -> bool {
        let acts = || ACTING_PRAGMAS.iter().any(|name| self.last_word.eq_ignore_ascii_case(name));
        self.is_pragma && !self.has_argument && acts()
    }
}

/// Whether the word is one of `names`. Some databases let a word follow a number without a space.
fn is_one_of(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| match word.len().checked_sub(name.len()) {
        Some(0) => word.eq_ignore_ascii_case(name),
        Some(before) => word.as_bytes()[0].is_ascii_digit() && word[before..].eq_ignore_ascii_case(name),
        None => false,
    })
}

#[cfg(test)]
mod tests;
