use std::path::Path;

use super::Failure;

/// The SQLite file of Dunena, where it is unless `dunena.db_path` says otherwise: no configuration is read here.
const DOCUMENTS: &str = "dunena.db";

/// `manifold verify`: one line for each thing that was looked at.
pub fn verify(dir: &Path) -> Result<(), Failure> {
    for line in manifold_engine::verify(dir, DOCUMENTS).map_err(|error| Failure::open(&error))? {
        println!("{line}");
    }
    Ok(())
}
