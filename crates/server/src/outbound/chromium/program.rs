//! Where the browser is.

use std::{env, path::PathBuf};

/// What Debian and Google call it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The program at this path or of this name; without one, the first of the usual names in `PATH`. What cannot be found is
/// told in words.
pub fn find(configured: &str) -> Result<PathBuf, String> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    match configured {
        "" => in_folders(&folders, &NAMES)
            .ok_or_else(|| format!("no browser to render with: none of {} is in PATH", NAMES.join(", "))),
        path if path.contains('/') => Some(PathBuf::from(path))
            .filter(|path| path.is_file())
            .ok_or_else(|| format!("no browser to render with: {path} is no file")),
        name => {
            in_folders(&folders, &[name]).ok_or_else(|| format!("no browser to render with: {name} is not in PATH"))
        }
    }
}

fn in_folders(folders: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    let mut candidates = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.find(|program| program.is_file())
}
