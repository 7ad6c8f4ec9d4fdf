//! Any YAML or JSON as a value, with the reader and the limits of documents.

use foreshard_model::limits::INLINE_DOCUMENT_BYTES;
use foreshard_model::problem::Problem;
use serde_json::Value;

use super::decode::{Decode as _, Json};
use super::intake::{Format, open};
use super::json::JsonEvents;
use super::node::{Node, Reader};
use super::problems::{At, Problems, Trouble};
use super::yaml::YamlEvents;

/// Reads a text, gzipped or not, of at most [`INLINE_DOCUMENT_BYTES`] inflated.
///
/// # Errors
/// It is neither YAML nor JSON, is too large, or nests too deeply; the same member given twice.
pub fn value(bytes: &[u8]) -> Result<Value, Vec<Problem>> {
    let mut problems = Problems::default();
    match tree(bytes) {
        Ok(node) => {
            let Json(value) = Json::decode(node, &mut At::root(&mut problems));
            if problems.is_empty() {
                return Ok(value);
            }
        }
        Err(trouble) => problems.push("", trouble),
    }
    Err(problems.finish())
}

fn tree(bytes: &[u8]) -> Result<Node, Trouble> {
    let intake = open(bytes, INLINE_DOCUMENT_BYTES as u64)?;
    let mut reader = if intake.format == Format::Json {
        Reader::new(JsonEvents::new(intake))
    } else {
        Reader::new(YamlEvents::new(intake))
    };
    let event = reader.event()?;
    let node = reader.value(event)?;
    reader.finish()?;
    Ok(node)
}
