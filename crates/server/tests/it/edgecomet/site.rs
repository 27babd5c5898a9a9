//! A whole site is recached while the process is killed.
