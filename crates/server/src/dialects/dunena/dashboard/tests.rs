use super::*;

#[test]
fn the_page_has_one_style_and_one_script_and_the_policy_knows_both() {
    for element in ["style", "script"] {
        assert_eq!(PAGE.matches(&format!("<{element}")).count(), 1, "{element}");
        assert!(inner(element).is_some_and(|inner| inner.len() > 1000), "{element}");
        assert!(POLICY.to_str().unwrap().contains(&hash(element)), "{element}");
    }
}

#[test]
fn nothing_on_the_page_comes_from_elsewhere_or_needs_what_the_policy_forbids() {
    for forbidden in ["http://", "https://", "src=", "@import", "url(", " style=", " onclick", "javascript:", "eval("] {
        assert!(!PAGE.contains(forbidden), "{forbidden}");
    }
    // What users stored is shown as text, never as HTML; and what was typed is kept nowhere.
    for forbidden in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "localStorage", "sessionStorage"]
    {
        assert!(!PAGE.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn every_element_that_the_script_asks_for_is_there_once() {
    let script = inner("script").unwrap();
    let ids: Vec<&str> =
        script.split("$(\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id).collect();
    assert!(ids.len() > 20, "{ids:?}");
    for id in ids {
        assert_eq!(PAGE.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
}
