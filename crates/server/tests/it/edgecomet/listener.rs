//! What the listener refuses before the dialect is asked.
