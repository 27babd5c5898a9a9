//! Redis as the home.
