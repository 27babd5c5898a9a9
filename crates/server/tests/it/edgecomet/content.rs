//! Pages that were stored, read back.
