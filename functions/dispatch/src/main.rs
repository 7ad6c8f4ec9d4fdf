//! The dispatch function: configuration, adapters, serve.
fn main() {}
