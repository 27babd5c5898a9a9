//! Configuration: flags, environment, manifold.toml, defaults.
