//! The kinds of databases that a connector can speak to.

/// What is at the other end of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Anything that takes a query over HTTP.
    Http,
    /// PostgreSQL, itself or behind a bridge.
    PostgreSql,
    /// MySQL or MariaDB, itself or behind a bridge.
    MySql,
    /// SQLite, a file or behind a bridge.
    Sqlite,
    /// Elasticsearch.
    Elasticsearch,
}

impl Kind {
    /// Each of them.
    pub const ALL: [Kind; 5] = [Kind::Http, Kind::PostgreSql, Kind::MySql, Kind::Sqlite, Kind::Elasticsearch];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// As requests and answers spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Http => "http",
            Kind::PostgreSql => "postgresql",
            Kind::MySql => "mysql",
            Kind::Sqlite => "sqlite",
            Kind::Elasticsearch => "elasticsearch",
        }
    }
}
