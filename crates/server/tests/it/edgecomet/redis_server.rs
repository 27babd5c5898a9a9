//! A Redis server of the tests' own.
