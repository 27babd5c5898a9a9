//! A site that the tests play.
