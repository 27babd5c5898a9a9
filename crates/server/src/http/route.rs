//! A table of routes over raw paths, where `%2F` survives; dispatch, 405 with `Allow` and OpenAPI read the same table.
