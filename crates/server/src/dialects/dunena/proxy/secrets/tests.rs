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

#[test]
fn nothing_of_a_secret_is_left_where_a_text_was_cut() {
    let secrets = Secrets::new(["db://u:hünter2@h/d", "hünter2"]);
    let said = "no: db://u:hünter2@h/d hünter2 ".repeat(4);
    for cut in 0..=said.len() {
        let shown = secrets.hide_in_beginning(&String::from_utf8_lossy(&said.as_bytes()[..cut]));
        let known = ["db:/", "hün", "nter", "@h"].iter().find(|known| shown.contains(**known));
        assert_eq!(known, None, "{cut}: {shown}");
    }
    assert_eq!(secrets.hide_in_beginning(&said), "no: *** *** ".repeat(4));
    assert_eq!(secrets.hide_in_beginning("no such db"), "no such db");
}
