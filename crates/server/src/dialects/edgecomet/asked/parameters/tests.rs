use super::*;

#[test]
fn the_first_of_several_counts_and_an_empty_one_is_absent() {
    let asked = Parameters::parse("a=1&a=2&b=&&c&d=x%20y+z%2B&%65=%zz&f=%ff&=g");
    assert_eq!(asked.text("a"), Some("1"));
    assert_eq!((asked.text("b"), asked.text("c"), asked.text("h")), (None, None, None));
    assert_eq!(asked.text("d"), Some("x y z+"));
    assert_eq!(asked.text("e"), Some("%zz"));
    assert_eq!(asked.text("f"), Some("\u{fffd}"));
}

#[test]
fn integers_say_what_they_should_have_been() {
    let asked = Parameters::parse("a=-5&b=1.0&c=9223372036854775808&d=x&e=+1&f=%201");
    assert_eq!(asked.integer("a"), Ok(Some(-5)));
    assert_eq!(asked.integer("none"), Ok(None));
    for name in ["b", "c", "d", "e", "f"] {
        assert_eq!(asked.integer(name), Err(Error::invalid(format!("{name} must be a valid integer"))));
    }
}

#[test]
fn lists_are_split_at_commas_and_trimmed() {
    let asked = Parameters::parse("a=x,%20y%20,,z&b=,");
    assert_eq!(asked.list("a").collect::<Vec<_>>(), ["x", "y", "z"]);
    assert_eq!((asked.list("b").count(), asked.list("c").count()), (0, 0));
}

#[test]
fn a_page_has_1_to_100_items_and_begins_anywhere() {
    let page = |query: &str| Parameters::parse(query).page();
    assert_eq!(page(""), Ok(Page { offset: 0, limit: 25 }));
    assert_eq!(page("limit=100&cursor=7"), Ok(Page { offset: 7, limit: 100 }));
    assert_eq!(page("limit=1&cursor=-7"), Ok(Page { offset: 0, limit: 1 }));
    assert_eq!(page("cursor=x").map(|page| page.offset), Ok(0));
    for limit in ["0", "101", "-1"] {
        assert_eq!(page(&format!("limit={limit}")), Err(Error::invalid("limit must be between 1 and 100")));
    }
    assert_eq!(page("limit=ten"), Err(Error::invalid("limit must be a valid integer")));
    assert_eq!((Page { offset: 4, limit: 4 }).next(true), "8");
    assert_eq!((Page { offset: 8, limit: 4 }).next(false), "0");
    assert_eq!(page("cursor=18446744073709551615").map(|page| page.offset), Ok(OFFSET_MAX));
    assert_eq!(page("cursor=18446744073709551616").map(|page| page.offset), Ok(OFFSET_MAX));
    assert_eq!(page("cursor=18446744073709551616x").map(|page| page.offset), Ok(0));
    assert_eq!(page("cursor=-18446744073709551616").map(|page| page.offset), Ok(0));
}

#[test]
fn queues_are_listed_in_the_order_asked_for() {
    let listed = |query: &str| Parameters::parse(query).priorities();
    assert_eq!(listed(""), Ok(Priority::ALL.to_vec()));
    assert_eq!(listed("priority=autorecache,high,autorecache"), Ok(vec![Priority::Autorecache, Priority::High]));
    assert_eq!(listed("priority=high,HIGH"), Err(Error::invalid("invalid priority filter: HIGH")));
}
