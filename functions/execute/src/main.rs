//! The execute function: configuration, adapters, serve.
fn main() {}
