use std::path::Path;

use super::Failure;

/// `manifold verify`: one line for each thing that was looked at.
pub fn verify(dir: &Path) -> Result<(), Failure> {
    for line in manifold_engine::verify(dir).map_err(|error| Failure::open(&error))? {
        println!("{line}");
    }
    Ok(())
}
