//! Reading a request body: bounded, paced, decoded.
