//! The endpoint `purge`.

use super::super::{
    asked::{Answer, Asked},
    error::Error,
};

pub(in super::super) async fn answer(_asked: Asked<'_>) -> Answer {
    Err(Error::NoRoute)
}
