//! The text around the tables.

use crate::Result;

/// What the document says, with holes like `{{name}}` for what is measured.
pub const TEMPLATE: &str = include_str!("../../report/benchmarks.md");

/// The text with its holes filled; a hole without a filling, or a filling without a hole, is refused.
pub fn filled(template: &str, holes: &[(&str, String)]) -> Result<String> {
    let mut text = template.to_owned();
    for (name, filling) in holes {
        let hole = format!("{{{{{name}}}}}");
        if !text.contains(&hole) {
            return Err(format!("the text has no hole {name}").into());
        }
        text = text.replacen(&hole, filling.trim_end(), 1);
    }
    match text.find("{{") {
        Some(at) => {
            let rest: String = text[at..].chars().take(40).collect();
            Err(format!("nothing fills {rest}").into())
        }
        None => Ok(text),
    }
}
