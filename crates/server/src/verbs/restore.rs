use std::path::Path;

use manifold_engine::backup::{self, Received};
use manifold_server::config;

use super::{Failure, progress::Progress, settings::load};

/// `manifold restore`: makes the configured data directory of a backup.
pub fn restore(flags: &config::Flags, from: &Path) -> Result<(), Failure> {
    let config = load(flags)?.config;
    let progress = Progress::begin("restored and checked");
    let restored = backup::restore(from, &config.data_dir, &mut |bytes| progress.moved(bytes));
    let Received { manifest, findings } = restored.map_err(|error| Failure::backup(&error))?;
    progress.end(&config.data_dir, &manifest, &findings);
    for file in &manifest.elsewhere {
        println!("{} was at {}: put it there, or leave its path out of the configuration", file.name, file.path);
    }
    Ok(())
}
