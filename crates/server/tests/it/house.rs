//! Rules about the sources that the compiler cannot see (architecture 1, 2 and 8).

use std::path::{Path, PathBuf};

const DIALECTS: [&str; 5] = ["unison", "flo", "synap", "dunena", "edgecomet"];
/// A longer file says why in its header: a line of it holds this word.
const MOST_LINES: usize = 700;
const REASON: &str = "Long because";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// All files below a folder of the workspace with this extension, with their text.
fn sources(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                collect(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(&root().join(folder), extension, &mut paths);
    paths.sort();
    let shown = |path: &Path| path.strip_prefix(root()).expect("inside").display().to_string();
    paths.iter().map(|path| (shown(path), std::fs::read_to_string(path).expect("a text"))).collect()
}

fn rust(folder: &str) -> Vec<(String, String)> {
    sources(folder, "rs")
}

/// Lines that break a rule, with their places.
fn offenders(files: &[(String, String)], breaks: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        for (number, line) in text.lines().enumerate() {
            if breaks(path, line) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[track_caller]
fn assert_none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}\n{}", found.join("\n"));
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn no_dialect_imports_another() {
    for dialect in DIALECTS {
        let files = rust(&format!("crates/server/src/dialects/{dialect}"));
        let others: Vec<&str> = DIALECTS.into_iter().filter(|other| *other != dialect).collect();
        let found = offenders(&files, |_, line| {
            !is_comment(line) && others.iter().any(|other| line.contains(&format!("dialects::{other}")))
        });
        assert_none("a dialect imports only itself", &found);
    }
}

#[test]
fn what_dialects_share_knows_none_of_them() {
    for folder in ["crates/server/src/http", "crates/server/src/net", "crates/server/src/outbound"] {
        let found = offenders(&rust(folder), |_, line| {
            !is_comment(line) && (line.contains("dialects::") || DIALECTS.iter().any(|d| names_dialect(line, d)))
        });
        assert_none("http, net and outbound know no dialect", &found);
    }
}

#[test]
fn the_engine_and_the_store_never_name_a_dialect() {
    for folder in ["crates/engine/src", "crates/store/src"] {
        let found = offenders(&rust(folder), |_, line| DIALECTS.iter().any(|dialect| names_dialect(line, dialect)));
        assert_none("the engine never learns a dialect's name", &found);
    }
}

/// Whether the line has the name as a word: `flow` and `float` are none.
fn names_dialect(line: &str, dialect: &str) -> bool {
    line.to_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == dialect)
}

#[test]
fn the_server_does_not_know_the_store() {
    let manifest = std::fs::read_to_string(root().join("crates/server/Cargo.toml")).expect("the manifest");
    assert!(!manifest.contains("manifold-store"), "server lists the store");
    let found = offenders(&rust("crates/server/src"), |_, line| {
        line.split("manifold_store").skip(1).any(|after| !after.starts_with('_'))
    });
    assert_none("server never names the store", &found);
    let manifest = std::fs::read_to_string(root().join("crates/store/Cargo.toml")).expect("the manifest");
    assert!(!manifest.contains("manifold-engine") && !manifest.contains("manifold-server"), "store looks up");
    let manifest = std::fs::read_to_string(root().join("crates/engine/Cargo.toml")).expect("the manifest");
    assert!(!manifest.contains("manifold-server"), "engine looks up");
    let wire = ["axum", "hyper", "http", "tungstenite"];
    for dependency in wire {
        let listed = manifest.lines().any(|line| line.split(['.', ' ', '=']).next() == Some(dependency));
        assert!(!listed, "the engine lists {dependency}: no HTTP there");
    }
}

#[test]
fn metric_names_live_in_one_file() {
    let prefixes = ["manifold_", "unison_", "flo_", "synap_", "dunena_", "edgecomet_"];
    let crates = ["manifold_server", "manifold_engine", "manifold_store"];
    let found = offenders(&rust("crates"), |path, line| {
        let elsewhere = path.contains("/src/") && !path.ends_with("telemetry/names.rs") && !path.contains("/tests");
        elsewhere
            && !is_comment(line)
            && line.split('"').skip(1).step_by(2).any(|literal| {
                let plain = literal.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
                plain && prefixes.iter().any(|p| literal.starts_with(p)) && !crates.contains(&literal)
            })
    });
    assert_none("metric names live in telemetry/names.rs", &found);
}

#[test]
fn long_files_say_why() {
    let found: Vec<String> = rust("crates")
        .iter()
        .filter(|(_, text)| text.lines().count() > MOST_LINES)
        .filter(|(_, text)| !text.lines().take_while(|line| is_comment(line)).any(|line| line.contains(REASON)))
        .map(|(path, text)| format!("{path}: {} lines", text.lines().count()))
        .collect();
    assert_none(&format!("over {MOST_LINES} lines a header says {REASON:?}"), &found);
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file does not break its own rule.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["todo", "!("], ["unimplemented", "!("], ["#[ig", "nore"]];
    let words: Vec<String> = words.iter().map(|parts| parts.concat()).collect();
    for folder in ["crates", "bench", "fuzz/src", "fuzz/shared"] {
        let found = offenders(&rust(folder), |_, line| words.iter().any(|word| line.contains(word.as_str())));
        assert_none("work that is not done is not merged", &found);
    }
}

#[test]
fn only_the_clock_reads_time() {
    let found = offenders(&rust("crates"), |path, line| {
        let product = path.contains("/src/") && !path.ends_with("/tests.rs") && !path.contains("/tests/");
        product && !is_comment(line) && line.contains("SystemTime::now") && !path.ends_with("engine/src/clock.rs")
    });
    assert_none("wall-clock time comes from engine::clock", &found);
}

#[test]
fn the_disk_format_document_lists_exactly_the_tables_of_the_engine() {
    let keys: Vec<(String, String)> =
        rust("crates/engine/src").into_iter().filter(|(path, _)| path.contains("/keys")).collect();
    assert!(!keys.is_empty(), "the engine has no keys.rs");
    let mut in_code: Vec<(u8, String)> = keys.iter().flat_map(|(_, text)| tables_of_code(text)).collect();
    let document = std::fs::read_to_string(root().join("docs/disk-format.md")).expect("docs/disk-format.md");
    let mut in_document = tables_of_document(&document);
    in_code.sort();
    in_document.sort();
    assert!(!in_code.is_empty(), "no table found in keys.rs");
    assert_eq!(in_document, in_code, "docs/disk-format.md (left) and keys.rs (right)");
}

#[test]
fn every_crate_we_name_is_used_and_has_its_reason_in_the_table() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let named = crates_of_manifest(&manifest);
    assert!(named.len() > 50, "no dependencies found in Cargo.toml");

    let members = ["crates/store", "crates/engine", "crates/server", "bench"]
        .map(|member| root().join(member).join("Cargo.toml"));
    let members = members.map(|manifest| std::fs::read_to_string(manifest).expect("a manifest"));
    let used: Vec<String> = members.iter().flat_map(|text| text.lines().filter_map(crate_of_line)).collect();
    let unused: Vec<String> = named.iter().filter(|name| !used.contains(name)).cloned().collect();
    assert_none("crates that no member uses", &unused);

    let document = std::fs::read_to_string(root().join("docs/dependencies.md")).expect("docs/dependencies.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let mut documented: Vec<String> =
        rows.flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`').to_owned())).collect();
    let mut ours: Vec<String> = named.into_iter().filter(|name| !name.starts_with("manifold-")).collect();
    documented.sort();
    ours.sort();
    assert_eq!(documented, ours, "docs/dependencies.md (left) and Cargo.toml (right)");
}

/// The fuzzers are a workspace of their own, whose lock nobody looks at for long.
#[test]
fn the_lock_of_the_fuzzers_names_what_our_crates_depend_on() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect(path);
    let lock: toml::Table = read("fuzz/Cargo.lock").parse().expect("a lock file");
    let packages = lock["package"].as_array().expect("packages");
    for member in ["store", "engine", "server"] {
        let manifest: toml::Table = read(&format!("crates/{member}/Cargo.toml")).parse().expect("a manifest");
        let of = |section: &str| manifest.get(section).and_then(|section| section.as_table()).into_iter().flatten();
        let mut wanted: Vec<&str> =
            of("dependencies").chain(of("build-dependencies")).map(|(name, _)| name.as_str()).collect();
        wanted.sort_unstable();
        let name = format!("manifold-{member}");
        let package = packages.iter().find(|package| package["name"].as_str() == Some(&name)).expect("the crate");
        let locked = package["dependencies"].as_array().expect("dependencies").iter().filter_map(|one| one.as_str());
        // Where there are several versions of a crate, its name is followed by one.
        let mut locked: Vec<&str> = locked.filter_map(|one| one.split(' ').next()).collect();
        locked.sort_unstable();
        assert_eq!(locked, wanted, "run cargo build in fuzz/ ({name}; the lock left, the manifest right)");
    }
}

/// The names below `[workspace.dependencies]`.
fn crates_of_manifest(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter_map(crate_of_line).collect()
}

/// `tokio` of `tokio = "1"` and of `tokio.workspace = true`.
fn crate_of_line(line: &str) -> Option<String> {
    let name = line.split(['=', '.']).next()?.trim();
    (!name.is_empty() && !name.starts_with(['#', '['])).then(|| name.to_owned())
}

/// `pub const KV: TableId = TableId(2);` and its kin: a constant in capitals of a type with "Table" in its name.
fn tables_of_code(text: &str) -> Vec<(u8, String)> {
    text.lines()
        .filter(|line| !is_comment(line) && line.contains("const ") && line.contains("Table"))
        .filter_map(|line| {
            let name = line.split("const ").nth(1)?.split(':').next()?.trim();
            let number =
                line.split('=').nth(1)?.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?;
            Some((number.parse().ok()?, name.to_lowercase()))
        })
        .collect()
}

/// Rows of a Markdown table that begin with a number and a name: `| 2 | KV | …`.
fn tables_of_document(text: &str) -> Vec<(u8, String)> {
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix('|')?.split('|').map(|cell| cell.trim().trim_matches('`'));
            let number = cells.next()?.parse().ok()?;
            Some((number, cells.next()?.to_lowercase()))
        })
        .collect()
}
