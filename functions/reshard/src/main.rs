//! The reshard function: configuration, adapters, serve.
fn main() {}
