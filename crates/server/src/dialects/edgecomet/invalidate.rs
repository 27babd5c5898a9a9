//! The endpoint `invalidate`.

use super::{
    asked::{Answer, Asked},
    error::Error,
};

pub(super) async fn answer(_asked: Asked<'_>) -> Answer {
    Err(Error::NoRoute)
}
