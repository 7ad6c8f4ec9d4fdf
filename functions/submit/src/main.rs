//! The submit function: configuration, adapters, serve.
fn main() {}
