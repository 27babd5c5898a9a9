use manifold_engine::kv::Encoding;

use super::*;

#[test]
fn what_counts_is_the_text_and_not_how_it_is_spelled() {
    let json = |text: String| Value { encoding: Encoding::Json, bytes: text.into() };
    let escaped = |characters: usize| json(format!("\"{}\"", "\\u0000".repeat(characters)));
    assert!(fits(&escaped(10), 10) && !fits(&escaped(11), 10));
    assert!(fits(&json("\"0123456789\"".to_owned()), 10) && !fits(&json("12345678901".to_owned()), 10));
    let half_a_character = json("\"\\ud800 and more\"".to_owned());
    assert!(!fits(&half_a_character, 10), "what has no text is left out");
}
