//! Files of stored pages.

use std::{io, path::PathBuf};

use bytes::Bytes;
use manifold_engine::recache::{PageKey, Record};

use super::{config::Config, home::Home, hosts::CurrentHosts};

/// The directory of pages. Clones are the same directory.
#[derive(Debug, Clone)]
pub(super) struct Pages {
    base: PathBuf,
}

impl Pages {
    /// The directory as configured; it need not exist.
    pub(super) fn new(config: &Config, data_dir: &std::path::Path) -> Self {
        let base = config.storage.base_path.clone().unwrap_or_else(|| data_dir.join("edgecomet/cache"));
        Pages { base }
    }

    /// Writes and syncs the body of a page that expires at a Unix second; what [`Record::file_path`] and
    /// [`Record::disk_size`] say of it.
    pub(super) async fn write(&self, _key: PageKey, _expires_at: i64, _body: Bytes) -> io::Result<(String, u64)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The body of a page as the origin sent it; none when its file is gone.
    pub(super) async fn read(&self, _record: &Record) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    /// Removes files that nobody needs. Never completes.
    pub(super) async fn keep_clean(&self, _config: &Config, _home: &Home, _hosts: &CurrentHosts) {
        std::future::pending().await
    }
}
