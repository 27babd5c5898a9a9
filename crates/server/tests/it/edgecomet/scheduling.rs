//! When entries are pulled and dispatched.
