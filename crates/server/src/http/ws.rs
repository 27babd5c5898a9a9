//! WebSocket helpers: bounded send queue, ping, close codes.
