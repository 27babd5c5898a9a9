//! Pages that a headless browser renders.
