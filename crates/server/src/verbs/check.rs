use std::path::Path;

use manifold_server::config::{self, Loaded};

use super::{
    Failure,
    settings::{load, validate},
    tls::Identities,
};

/// `manifold check`: the effective configuration on standard output.
pub fn check(flags: config::Flags) -> Result<(), Failure> {
    let Loaded { config, notes } = load(&flags)?;
    validate(&mut config.clone())?;
    let identities = Identities::read(&config)?;
    notes
        .iter()
        .chain(&identities.warnings())
        .chain(&identities.validity())
        .for_each(|note| eprintln!("manifold: {note}"));
    let shown = config::effective(&config).map_err(Failure::configuration)?;
    print!("{shown}");
    Ok(())
}

/// `manifold edgecomet -t`.
pub fn test_edgecomet(flags: &config::Flags) -> Result<(), Failure> {
    let Loaded { mut config, notes } = load(flags)?;
    validate(&mut config)?;
    let identities = Identities::read(&config)?;
    notes
        .iter()
        .chain(&identities.warnings())
        .chain(&identities.validity())
        .for_each(|note| eprintln!("manifold: {note}"));
    let file = flags.edgecomet_alone.as_deref().unwrap_or(Path::new(""));
    println!("manifold: {} is fine", file.display());
    Ok(())
}
