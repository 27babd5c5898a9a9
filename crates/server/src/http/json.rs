//! JSON objects whose member values stay text, and writing JSON into one buffer.
