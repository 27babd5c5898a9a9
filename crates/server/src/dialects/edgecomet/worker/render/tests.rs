use super::*;

#[test]
fn a_document_that_was_written_anew_is_utf_8() {
    for (given, expected) in [
        (Some("text/html"), "text/html; charset=utf-8"),
        (Some("text/html; charset=iso-8859-1"), "text/html; charset=utf-8"),
        (Some("application/xhtml+xml;charset=utf-16"), "application/xhtml+xml; charset=utf-8"),
        (Some(" ; x"), "text/html; charset=utf-8"),
        (None, "text/html; charset=utf-8"),
    ] {
        let given = given.map(HeaderValue::from_static);
        assert_eq!(in_utf_8(given.as_ref()), expected);
    }
}

#[test]
fn only_what_would_be_the_same_again_is_permanent() {
    assert_eq!(Failure::from(&Failed::TooLarge), Failure::Permanent("response too large".to_owned()));
    for (failed, why) in [
        (Failed::TimedOut, "timed out"),
        (Failed::Crashed("the tab crashed"), "the tab crashed"),
        (Failed::Refused("Page.navigate"), "the browser refused Page.navigate"),
        (Failed::NotStarted("no".to_owned()), "the browser does not start: no"),
    ] {
        assert_eq!(Failure::from(&failed), Failure::Temporary(why.to_owned()));
    }
}
