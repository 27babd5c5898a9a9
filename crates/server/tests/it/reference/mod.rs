//! `docs/configuration.md` is made from the code: what keys there are and what they mean from the structs that are read
//! and their comments, what they are without being set from the binary. `make reference` writes it.

mod sources;

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use sources::{Item, Sources};
use toml::{Table, Value};

use crate::harness::run_to_exit;

/// Set, the document is written instead of compared.
const WRITE: &str = "MANIFOLD_WRITE_REFERENCE";

const HEAD: &str = "\
# Configuration reference

This is made from the code: `make reference` writes it, and a test fails when it is not up to date. How sources are laid over
each other, and the names that the originals read, are in [operations.md](operations.md#configuration).

Every key has a name in the environment: its path in capitals, joined by `_`, after `MANIFOLD_`: `unison.api_key` is
`MANIFOLD_UNISON_API_KEY`. Lists are separated by commas there. `[]` is an entry of a list of tables, `<name>` a name that you
give; those are said in files only.
";

/// One key.
struct Row {
    path: String,
    default: String,
    meaning: String,
}

#[test]
fn the_reference_is_what_the_code_says() {
    let made = reference();
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, made).expect("write the reference");
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
    assert!(made == kept, "docs/configuration.md is not up to date, `make reference` writes it; first: {differs:#?}");
}

#[test]
fn every_key_that_the_binary_shows_is_in_the_reference() {
    let known: BTreeSet<String> = rows().into_iter().map(|row| row.path).collect();
    let mut shown = Vec::new();
    leaves("", &defaults(), &mut shown);
    assert!(shown.len() > 100, "{shown:?}");
    let missing: Vec<_> = shown.iter().filter(|path| !known.contains(*path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_key_says_what_it_means() {
    let silent: Vec<_> = rows().into_iter().filter(|row| row.meaning.is_empty()).map(|row| row.path).collect();
    assert!(silent.is_empty(), "without a comment: {silent:?}");
}

fn reference() -> String {
    let mut text = HEAD.to_owned();
    let mut section = None;
    for row in rows() {
        let of = row.path.split_once('.').map_or("", |(section, _)| section).to_owned();
        if section.as_ref() != Some(&of) {
            let title = if of.is_empty() { "Top level".to_owned() } else { format!("`[{of}]`") };
            write!(text, "\n## {title}\n\n| Key | Default | Meaning |\n|---|---|---|\n")
                .expect("a string takes everything");
            section = Some(of);
        }
        let Row { path, default, meaning } = row;
        writeln!(text, "| `{path}` | {default} | {} |", meaning.replace('|', "\\|"))
            .expect("a string takes everything");
    }
    text
}

/// All keys in the order of the structs, those of the top level first.
fn rows() -> Vec<Row> {
    let (sources, defaults) = (Sources::read(), Value::Table(defaults()));
    let mut rows = Vec::new();
    collect(&sources, "config", "Config", "", Some(&defaults), &mut rows);
    rows.sort_by_key(|row| row.path.contains('.'));
    rows
}

fn collect(sources: &Sources, scope: &str, name: &str, prefix: &str, defaults: Option<&Value>, rows: &mut Vec<Row>) {
    let Some((scope, Item::Struct(fields))) = sources.find(scope, name) else {
        panic!("{prefix} is of {scope}::{name}, which is not found");
    };
    for field in fields {
        let path = if prefix.is_empty() { field.name.clone() } else { format!("{prefix}.{}", field.name) };
        let default = defaults.and_then(|table| table.get(&field.name));
        let (suffix, of) = sources::below(&field.kind);
        let mut meaning = field.meaning.clone();
        match sources.find(scope, of) {
            // What an entry of a list has without being told cannot be asked for.
            Some((_, Item::Struct(_))) if suffix.is_empty() => collect(sources, scope, of, &path, default, rows),
            Some((_, Item::Struct(_))) => {
                let entry = format!("{path}{suffix}");
                rows.push(Row { path, default: shown(default), meaning });
                collect(sources, scope, of, &entry, None, rows);
            }
            Some((_, Item::Enum(words))) => {
                write!(
                    meaning,
                    " One of {}.",
                    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
                )
                .expect("a string takes everything");
                rows.push(Row { path, default: shown(default), meaning });
            }
            None => rows.push(Row { path, default: shown(default), meaning }),
        }
    }
}

/// A value as a file would have it; what is empty is not set.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "none".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "none".to_owned(),
        Some(Value::Table(_)) => "none".to_owned(),
        Some(value) => format!("`{value}`"),
    }
}

/// The configuration of a process that nobody told anything.
fn defaults() -> Table {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let finished = run_to_exit(&["check"], &[], folder.path());
    assert!(finished.status.success(), "{}", finished.output);
    // Notes come on standard error.
    let lines = finished.output.lines().filter(|line| !line.starts_with("manifold: "));
    let toml: String = lines.flat_map(|line| [line, "\n"]).collect();
    toml.parse().unwrap_or_else(|error| panic!("{error} in\n{toml}"))
}

fn leaves(prefix: &str, table: &Table, found: &mut Vec<String>) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(below) if !below.is_empty() => leaves(&path, below, found),
            Value::Table(_) => {}
            _ => found.push(path),
        }
    }
}
