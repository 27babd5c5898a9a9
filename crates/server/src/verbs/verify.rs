use std::path::Path;

use manifold_server::dialects::dunena;

use super::Failure;

/// `manifold verify`: one line for each thing that was looked at.
pub fn verify(dir: &Path) -> Result<(), Failure> {
    // Where it is unless `dunena.db_path` says otherwise: no configuration is read here.
    for line in manifold_engine::verify(dir, dunena::DB_FILE).map_err(|error| Failure::open(&error))? {
        println!("{line}");
    }
    Ok(())
}
