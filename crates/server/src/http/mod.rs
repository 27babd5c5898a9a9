//! What every dialect shares and none of them is known to.

pub mod auth;
pub mod body;
pub mod browser;
pub mod coding;
pub mod embedded;
pub mod etag;
pub mod gzip;
pub mod json;
pub mod jwt;
pub mod lossy;
pub mod observe;
pub mod openapi;
pub mod path;
pub mod query;
pub mod reply;
pub mod route;
pub mod uuid;
pub mod windows;
pub mod ws;
