use super::{
    PARTS,
    text::{TEMPLATE, filled},
};

#[test]
fn the_text_has_a_hole_for_every_part_and_no_other() {
    let parts = PARTS.iter().map(|part| part.name).chain(["machine", "goals", "lowest"]);
    let holes: Vec<(&str, String)> = parts.map(|name| (name, format!("<{name}>\n"))).collect();
    let text = filled(TEMPLATE, &holes).expect("holes and parts match");
    assert!(holes.iter().all(|(_, filling)| text.contains(filling.trim_end())));
    for missing in 0..holes.len() {
        let mut holes = holes.clone();
        let (name, _) = holes.remove(missing);
        let error = filled(TEMPLATE, &holes).expect_err("a hole is left").to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_filling_without_a_hole_is_refused() {
    let error = filled("no hole", &[("goals", String::new())]).expect_err("it would be lost").to_string();
    assert_eq!(error, "the text has no hole goals");
}
