//! The aggregate function: configuration, adapters, serve.
fn main() {}
