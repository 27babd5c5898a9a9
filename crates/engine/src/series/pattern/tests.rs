use super::*;

fn regex(source: &str) -> Pattern {
    Pattern::regex(source).expect("a pattern")
}

fn glob(source: &str) -> Pattern {
    Pattern::glob(source).expect("a pattern")
}

#[test]
fn a_regular_expression_matches_the_whole_text() {
    assert!(regex("web-.*").matches("web-01"));
    assert!(!regex("web").matches("web-01"));
    assert!(!regex("01").matches("web-01"));
    assert!(!regex("web-01").matches("web-01\n"));
    assert!(regex("^web$").matches("web"));
    assert!(regex("").matches(""));
    assert!(!regex("").matches("a"));
}

#[test]
fn every_branch_of_a_regular_expression_is_for_the_whole_text() {
    let either = regex("web|db");
    assert!(either.matches("web") && either.matches("db"));
    assert!(!either.matches("webdb") && !either.matches("website") && !either.matches("mydb"));
    let flagged = regex("(?i)WEB|(?-i)db");
    assert!(flagged.matches("web") && !flagged.matches("DB"));
}

#[test]
fn a_dot_stands_for_a_line_feed_too() {
    assert!(regex("a.b").matches("a\nb"));
    assert!(glob("a*b").matches("a\nb"));
}

#[test]
fn a_pattern_cannot_close_parentheses_that_are_ours() {
    assert!(Pattern::regex("a)|(b").is_err());
    assert!(Pattern::regex("a)").is_err());
    assert!(Pattern::regex("(a").is_err());
}

#[test]
fn a_comment_of_the_pattern_does_not_reach_beyond_it() {
    assert!(regex("(?x) a # comment").matches("a"));
    assert!(!regex("(?x) a # comment").matches("ab"));
}

#[test]
fn a_glob_knows_two_signs() {
    assert!(glob("web-*").matches("web-01") && glob("web-*").matches("web-"));
    assert!(!glob("web-*").matches("my-web-01"));
    assert!(glob("web-0?").matches("web-01") && !glob("web-0?").matches("web-0"));
    assert!(glob("?").matches("é"), "a character, not a byte");
    assert!(glob("a.b+c").matches("a.b+c") && !glob("a.b").matches("axb"));
    assert!(glob("").matches("") && !glob("").matches("a"));
}

#[test]
fn a_pattern_that_grows_too_large_is_refused() {
    let error = Pattern::regex("(a{1000}){1000}").expect_err("gigabytes");
    assert_eq!(error, "the pattern is too large");
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let error = Pattern::regex("a{2,1}").expect_err("backwards");
    assert!(!error.contains('\n') && !error.is_empty(), "{error:?}");
}

#[test]
fn a_hostile_pattern_takes_linear_time() {
    // Backtracking would take longer than the universe is old.
    let text = "a".repeat(5000);
    assert!(!regex("(a*)*b").matches(&text));
    assert!(!glob(&"*a".repeat(50)).matches(&format!("{text}b")));
}
