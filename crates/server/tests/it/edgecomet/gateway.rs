//! A gateway that the tests play.
