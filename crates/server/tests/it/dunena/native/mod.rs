//! Native connectors against real databases: PostgreSQL and MariaDB servers that the tests start on loopback, and SQLite
//! files.

mod database;
mod hostile;
mod mysql;
mod postgres;
mod proxied;
mod sqlite;

use database::Database;
use proxied::Proxied;
