//! Form-decoded query parameters.
