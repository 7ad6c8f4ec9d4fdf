//! What the worker keeps between the shards of one run: objects and files by digest, unpacked bundles.

pub(crate) mod bundles;
pub(crate) mod digest;
pub(crate) mod files;
pub(crate) mod tree;
pub(crate) mod unpack;
pub(crate) mod values;
