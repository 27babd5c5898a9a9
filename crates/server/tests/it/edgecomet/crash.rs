//! Nothing that was acknowledged is lost when the process is killed.
