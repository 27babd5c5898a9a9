//! What every dialect shares and none of them is known to.

pub mod auth;
pub mod body;
pub mod json;
pub mod observe;
pub mod path;
pub mod query;
pub mod route;
pub mod ws;
