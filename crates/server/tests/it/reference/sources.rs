//! The structs and enums of the configuration, read from their sources: the form that `rustfmt` gives them is all that has
//! to be understood.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Where the sections are, by the name that a path of a type begins with.
const SCOPES: [(&str, &[&str]); 7] = [
    ("config", &["config/mod.rs", "config/sections.rs"]),
    ("net", &["net/tls/options.rs"]),
    ("unison", &["dialects/unison/config.rs"]),
    ("flo", &["dialects/flo/config.rs", "dialects/flo/config"]),
    ("synap", &["dialects/synap/config.rs", "dialects/synap/access.rs"]),
    ("dunena", &["dialects/dunena/config.rs"]),
    ("edgecomet", &["dialects/edgecomet/config.rs", "dialects/edgecomet/config"]),
];

/// What a field can be of.
pub enum Item {
    Struct(Vec<Field>),
    /// The words that stand for its variants.
    Enum(Vec<String>),
}

/// One key.
pub struct Field {
    pub name: String,
    /// Its type as it is written.
    pub kind: String,
    /// Its comment in one line.
    pub meaning: String,
}

/// Everything that was read, by scope and name.
pub struct Sources(HashMap<(&'static str, String), Item>);

impl Sources {
    pub fn read() -> Sources {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut items = HashMap::new();
        for (scope, places) in SCOPES {
            for file in places.iter().flat_map(|place| files(&source.join(place))) {
                let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                items.extend(read(&text).into_iter().map(|(name, item)| ((scope, name), item)));
            }
        }
        Sources(items)
    }

    /// What a type is called there, with the scope that it is in; none when it is a plain value.
    pub fn find(&self, scope: &str, kind: &str) -> Option<(&'static str, &Item)> {
        let (within, name) = kind.rsplit_once("::").map_or((scope, kind), |(within, name)| (within, name));
        [within, "config", "net"].into_iter().find_map(|scope| {
            let (scope, _) = SCOPES.iter().find(|(known, _)| *known == scope)?;
            Some((*scope, self.0.get(&(*scope, name.to_owned()))?))
        })
    }
}

/// What stands between a key and those below it, and the type that they are of.
pub fn below(kind: &str) -> (String, &str) {
    let inner = |wrapper: &str| kind.strip_prefix(wrapper)?.strip_suffix('>');
    let nested = |suffix: &str, of| {
        let (rest, of) = below(of);
        (format!("{suffix}{rest}"), of)
    };
    match (inner("Option<"), inner("Vec<"), inner("BTreeMap<String, ")) {
        (Some(of), _, _) => below(of),
        (_, Some(of), _) => nested("[]", of),
        (_, _, Some(of)) => nested(".<name>", of),
        _ => (String::new(), kind),
    }
}

/// A file, or those of a folder that are no tests.
fn files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(place) else { return vec![place.to_owned()] };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|found| found == "rs")).collect();
    files.retain(|path| !path.ends_with("tests.rs"));
    files.sort();
    files
}

/// Structs and enums that serde reads.
fn read(text: &str) -> Vec<(String, Item)> {
    let mut items = Vec::new();
    let mut lines = text.lines();
    let (mut derives, mut attributes) = (false, String::new());
    while let Some(line) = lines.next() {
        if line.starts_with("#[") {
            derives |= line.starts_with("#[derive(") && line.contains("Deserialize");
            attributes.push_str(line);
            continue;
        }
        let body = |name: &str| name.strip_suffix(" {").map(str::to_owned);
        if let Some(name) = line.strip_prefix("pub struct ").and_then(body).filter(|_| derives) {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            items.push((name, Item::Struct(fields(&body))));
        } else if let Some(name) = line.strip_prefix("pub enum ").and_then(body).filter(|_| derives) {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            let rename = ["lowercase", "snake_case"].into_iter().find(|style| attributes.contains(style));
            // What is told apart by its type has no words.
            if !attributes.contains("untagged") {
                items.push((name, Item::Enum(words(&body, rename))));
            }
        }
        (derives, attributes) = (false, String::new());
    }
    items
}

fn fields(body: &[&str]) -> Vec<Field> {
    let (mut fields, mut comment, mut attributes) = (Vec::new(), Vec::new(), String::new());
    for line in body.iter().map(|line| line.trim()) {
        if let Some(words) = line.strip_prefix("///") {
            comment.push(words.trim());
        } else if line.starts_with("#[") {
            attributes.push_str(line);
        } else if let Some((name, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(": ")) {
            let name = renamed(&attributes).unwrap_or(name.strip_prefix("pub ").unwrap_or(name)).to_owned();
            // Keys of others are taken and not read.
            let read = !attributes.contains("serde(skip)") && kind != "IgnoredAny";
            if read {
                fields.push(Field { name, kind: kind.to_owned(), meaning: comment.join(" ") });
            }
            (comment, attributes) = (Vec::new(), String::new());
        }
    }
    fields
}

fn words(body: &[&str], rename: Option<&str>) -> Vec<String> {
    let (mut words, mut attributes) = (Vec::new(), String::new());
    for line in body.iter().map(|line| line.trim()) {
        if line.starts_with("#[") {
            attributes.push_str(line);
        } else if let Some(variant) = line.strip_suffix(',') {
            let spelled = match rename {
                Some("snake_case") => snake(variant),
                _ => variant.to_lowercase(),
            };
            words.push(renamed(&attributes).map_or(spelled, str::to_owned));
            attributes.clear();
        }
    }
    words
}

fn renamed(attributes: &str) -> Option<&str> {
    attributes.split_once("rename = \"")?.1.split('"').next()
}

fn snake(variant: &str) -> String {
    let mut word = String::new();
    for (at, letter) in variant.char_indices() {
        if letter.is_uppercase() && at > 0 {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}
