//! Configuration: original files, the command line, reloading.
