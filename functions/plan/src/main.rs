//! The plan function: configuration, adapters, serve.
fn main() {}
