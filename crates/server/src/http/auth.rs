//! Constant-time comparison of secrets, and the `Authorization` header.
