use super::*;

/// The pieces of an answer, which are the text of one that is written at once.
#[track_caller]
fn same(values: Vec<Option<Bytes>>) -> Vec<Bytes> {
    let keys: Vec<String> = (0..values.len()).map(|n| format!("k\"{n}")).collect();
    let expected = whole(&keys, &values);
    let pieces: Vec<Bytes> = pieces(keys, values).collect();
    assert!(pieces.concat() == expected, "{} pieces are another text", pieces.len());
    pieces
}

#[test]
fn pieces_are_the_text_of_a_whole_answer() {
    assert_eq!(same(Vec::new()), [r#"{"result":{}}"#]);
    assert_eq!(same(vec![None, Some("x\u{0}".into())]), [r#"{"result":{"k\"0":null,"k\"1":"x\u0000"}}"#]);
    let values = (0..3000).map(|n| (n % 3 > 0).then(|| Bytes::from("é\n\u{1}x".repeat(n % 400)))).collect();
    let pieces = same(values);
    let (last, others) = pieces.split_last().expect("pieces");
    assert!(others.len() > 10 && !last.is_empty());
    let longest = PIECE_BYTES + 400 * "é\\n\\u0001x".len() + 20;
    assert!(others.iter().all(|piece| (PIECE_BYTES..longest).contains(&piece.len())));
}

#[test]
fn a_piece_is_written_when_it_is_asked_for() {
    let value = Bytes::from(vec![b'x'; PIECE_BYTES]);
    let mut pieces = pieces((0..3).map(|n| n.to_string()).collect(), vec![Some(value.clone()); 3]);
    for _ in 0..3 {
        assert!(!value.is_unique());
        pieces.next().expect("a piece");
    }
    assert!(value.is_unique(), "a value that was written is let go");
    assert_eq!(pieces.next().as_deref(), Some(&b"}}"[..]));
    assert_eq!(pieces.next(), None);
}
