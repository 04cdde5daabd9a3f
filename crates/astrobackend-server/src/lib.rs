//! Servers that offer the devices of any backend to programs of other frameworks.
