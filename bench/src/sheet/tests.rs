use super::*;

#[test]
fn thousands_are_set_apart() {
    let cases =
        [(0.0, 2, "0.00"), (999.0, 0, "999"), (1000.0, 0, "1,000"), (-1234.5, 1, "-1,234.5"), (1e6, 0, "1,000,000")];
    for (value, decimals, text) in cases {
        assert_eq!(number(value, decimals), text);
    }
    assert_eq!(number(-123.0, 0), "-123");
    assert_eq!(number(f64::NAN, 2), "NaN");
}

#[test]
fn a_block_has_its_table_and_its_notes() {
    let mut sheet = Sheet::default();
    sheet.section("keys, level os");
    sheet.head(&["", "a second"]);
    sheet.row(["get".to_owned(), "1".to_owned()]);
    sheet.note("of one run");
    let text = sheet.markdown();
    assert!(text.starts_with("**keys, level os** (load average "));
    assert!(text.ends_with("\n\n|  | a second |\n|---|---|\n| get | 1 |\n\n- of one run\n"), "{text}");
}

#[test]
fn a_goal_is_met_from_its_value_on() {
    let mut sheet = Sheet::default();
    sheet.goal("get", Wanted::AtLeast(0.85), 0.85);
    sheet.goal("put", Wanted::AtLeast(0.75), 0.74);
    sheet.goal("restart", Wanted::AtMost(5.0), 5.0);
    sheet.goal("depth", Wanted::AtMost(1.5), f64::NAN);
    let verdicts: Vec<bool> = sheet.goals().lines().skip(2).map(|line| line.ends_with("| met |")).collect();
    assert_eq!(verdicts, [true, false, true, false]);
}

#[test]
fn the_lowest_ratios_come_first_with_the_start_of_their_title() {
    let mut sheet = Sheet::default();
    sheet.section("dunena, level os, 50 connections");
    [("a", 0.5), ("b", 0.04), ("c", 0.9)].into_iter().for_each(|(what, ratio)| sheet.ratio(what, ratio));
    let text = sheet.lowest(2);
    assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), ["| dunena: b | 0.04 |", "| dunena: a | 0.50 |"]);
}
