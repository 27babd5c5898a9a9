//! Every limit has its number in `docs/operations.md`, and it is the number that the code has. A row of the document names its
//! constant in a comment: `| what | 10 KiB <!-- server/src/folder/file.rs NAME --> | what happens then |`.

use std::{collections::BTreeMap, path::Path};

const OPEN: &str = "<!-- ";
const CLOSE: &str = " -->";

/// Constants that are called like limits and are none that a client could meet.
const NO_LIMITS: [(&str, &str); 31] = [
    ("engine/src/backup/archive.rs", "NAME_MAX"),
    ("engine/src/backup/archive.rs", "PREFIX_MAX"),
    ("engine/src/backup/archive.rs", "SHORT_NAME_MAX"),
    ("engine/src/backup/manifest.rs", "MANIFEST_MAX"),
    ("engine/src/backup/manifest.rs", "SUM_MAX"),
    ("engine/src/export/mod.rs", "COUNT_MAX"),
    ("server/src/dialects/dunena/cache/batch.rs", "MAX_WHOLE_BYTES"),
    ("server/src/dialects/dunena/check.rs", "MOST_MS"),
    ("server/src/dialects/dunena/proxy/native/postgres/array.rs", "MAX_DIMENSIONS"),
    ("server/src/dialects/dunena/proxy/native/postgres/texts.rs", "MAX_NESTING"),
    ("server/src/dialects/dunena/proxy/native/postgres/texts.rs", "MAX_PARAMETERS"),
    ("server/src/dialects/edgecomet/home/redis/leases.rs", "MOST_PER_PULL"),
    ("server/src/dialects/edgecomet/home/redis/member.rs", "MOST_BYTES"),
    ("server/src/dialects/edgecomet/home/redis/paging.rs", "MOST_CARRIED"),
    ("server/src/dialects/edgecomet/home/redis/presence.rs", "MOST_NAMES"),
    ("server/src/dialects/edgecomet/writing/purge.rs", "MOST_NAMES"),
    ("server/src/dialects/flo/ts/book.rs", "MOST_BYTES"),
    ("server/src/http/embedded.rs", "MAX_BYTES"),
    ("server/src/http/body.rs", "RESERVE_MAX"),
    ("server/src/http/json.rs", "MAX_INTEGER"),
    ("server/src/http/observe.rs", "ID_MAX"),
    ("server/src/http/route.rs", "MAX_PARAMETERS"),
    ("server/src/net/head.rs", "KEPT_MAX"),
    ("server/src/net/head.rs", "METHOD_MAX"),
    ("server/src/net/listen.rs", "ACCEPT_PAUSE_MAX"),
    ("server/src/net/socket.rs", "LINGER_MAX_BYTES"),
    ("engine/src/series/block.rs", "POINTS_MAX"),
    ("engine/src/stream/append.rs", "KIND_MAX"),
    ("engine/src/types/index.rs", "BLOCK_MAX"),
    ("server/src/dialects/edgecomet/asked/parameters.rs", "OFFSET_MAX"),
    ("server/src/net/local.rs", "PATH_MAX_BYTES"),
];

/// Where limits that clients meet live.
const FOLDERS: [&str; 5] =
    ["server/src/net", "server/src/http", "server/src/dialects", "server/src/telemetry", "engine/src"];

fn crates() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(crates().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the document says: the constant, and the number in front of its name.
fn documented() -> Vec<((String, String), f64)> {
    let document = text("../docs/operations.md");
    let mut found = Vec::new();
    for line in document.lines() {
        for (at, _) in line.match_indices(OPEN) {
            let (before, rest) = (&line[..at], &line[at + OPEN.len()..]);
            let (constant, _) = rest.split_once(CLOSE).unwrap_or_else(|| panic!("no end of the comment: {line}"));
            let (path, name) = constant.split_once(' ').unwrap_or_else(|| panic!("no constant: {line}"));
            let cell = before.rsplit('|').next().unwrap_or(before);
            found.push(((path.to_owned(), name.to_owned()), number(cell)));
        }
    }
    found
}

/// `10,000`, `16 KiB`, `75 s`: the last number of a text with its unit; seconds in milliseconds.
fn number(cell: &str) -> f64 {
    let words: Vec<&str> = cell.split_whitespace().collect();
    let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let at = words.iter().rposition(is_number).unwrap_or_else(|| panic!("no number in {cell:?}"));
    let plain: f64 = words[at].replace(',', "").parse().unwrap_or_else(|_| panic!("no number in {cell:?}"));
    plain
        * match words.get(at + 1).copied() {
            Some("KiB") => 1024.0,
            Some("MiB") => f64::from(1 << 20),
            Some("GiB") => f64::from(1 << 30),
            Some("s") => 1000.0,
            _ => 1.0,
        }
}

/// The constants of a file with the text of their values.
fn constants(source: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
        let Some((_, rest)) = line.split_once("const ") else { continue };
        let Some((name, rest)) = rest.split_once(": ") else { continue };
        let Some((kind, value)) = rest.split_once(" = ") else { continue };
        let numeric = ["usize", "u64", "u32", "i64", "i32", "Duration"].contains(&kind);
        if numeric && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit()) {
            found.entry(name.to_owned()).or_insert_with(|| value.trim_end_matches(';').to_owned());
        }
    }
    found
}

/// The value of an expression as constants have them.
fn value(expression: &str) -> Option<f64> {
    // What holds outside unit tests.
    if let Some((_, product)) = expression.split_once("else { ") {
        return value(product.trim_end_matches(" }"));
    }
    if let Some(inner) = expression.strip_prefix("Duration::from_secs(") {
        return value(inner.trim_end_matches(')')).map(|seconds| seconds * 1000.0);
    }
    if let Some(inner) = expression.strip_prefix("Duration::from_millis(") {
        return value(inner.trim_end_matches(')'));
    }
    if let Some((number, bits)) = expression.split_once(" << ") {
        return Some(value(number)? * 2_f64.powf(value(bits)?));
    }
    expression.replace('_', "").parse().ok()
}

#[test]
fn the_document_says_the_numbers_of_the_code() {
    let documented = documented();
    assert!(documented.len() > 80, "{} constants are named", documented.len());
    let mut wrong = Vec::new();
    for ((path, name), said) in documented {
        let Some(expression) = constants(&text(&path)).remove(&name) else {
            wrong.push(format!("{path} has no {name}"));
            continue;
        };
        let has = value(&expression).unwrap_or_else(|| panic!("{path}: {name} = {expression} is not understood"));
        // One that counts in other units says so at the end of its name.
        let unit = match name.rsplit('_').next() {
            Some("KIB") => 1024.0,
            _ => 1.0,
        };
        let seconds = ["MOST_TTL", "MOST_LEASE", "MOST_WAIT"].contains(&name.as_str());
        let has = has * if seconds { 1000.0 } else { unit };
        if (has - said).abs() > 0.5 {
            wrong.push(format!("{path}: {name} is {has}, the document says {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_constant_that_is_called_a_limit_is_in_the_document() {
    let named: Vec<(String, String)> = documented().into_iter().map(|(constant, _)| constant).collect();
    let mut missing = Vec::new();
    for folder in FOLDERS {
        for path in files(&crates().join(folder)) {
            let shown = path.strip_prefix(crates()).expect("inside").display().to_string();
            if shown.contains("/tests") || shown.contains("/fuzzing") {
                continue;
            }
            for name in constants(&text(&shown)).into_keys() {
                let words: Vec<&str> = name.split('_').collect();
                let is_limit = words[0] == "MOST" || words.contains(&"MAX");
                let constant = (shown.clone(), name);
                let is_none = NO_LIMITS.contains(&(&constant.0, &constant.1));
                if is_limit && !is_none && !named.contains(&constant) {
                    missing.push(format!("{} {}", constant.0, constant.1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "not in docs/operations.md:\n{}", missing.join("\n"));
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
