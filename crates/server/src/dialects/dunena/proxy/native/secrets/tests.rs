use super::*;

#[test]
fn nothing_that_is_secret_is_left_in_a_text() {
    let secrets = Secrets::new(["db://u:hunter2@h/d", "hunter2"]);
    assert_eq!(secrets.hide("cannot open db://u:hunter2@h/d, hunter2 is wrong"), "cannot open ***, *** is wrong");
    assert_eq!(secrets.hide("syntax error"), "syntax error");
    assert_eq!(format!("{secrets:?}"), "Secrets(***)");
}

#[test]
fn a_secret_that_could_be_any_word_is_left() {
    assert_eq!(Secrets::new(["a", ""]).hide("a table"), "a table");
}
