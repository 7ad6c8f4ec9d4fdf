//! Reads a definition: placeholders filled in, YAML or JSON, and the machine in it.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::problem::Problem;
use serde_json::Value;

use super::code::Code;
use super::definition::Machine;
use super::{Hinted as _, problem};
use crate::parse;

/// The machine that a text defines, its placeholders replaced by the values given.
///
/// # Errors
/// The text cannot be read, has placeholders without a value, or is no definition.
pub(super) fn read(
    bytes: &[u8],
    given: &BTreeMap<String, String>,
) -> Result<Machine, Vec<Problem>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The reader of documents says what is wrong with it.
        Err(_) => return parse::value(bytes).and_then(machine),
    };
    let mut unknown = BTreeSet::new();
    let filled = fill(text, given, &mut unknown);
    if !unknown.is_empty() {
        let refused = unknown.iter().map(|name| {
            let message = format!("the placeholder `${{{name}}}` has no value");
            problem(Code::Placeholder, "", message)
                .with_hint(format!("give it one: --set {name}=VALUE"))
        });
        return Err(refused.collect());
    }
    machine(parse::value(filled.as_bytes())?)
}

/// The names of the placeholders of a text, each once.
#[must_use]
pub fn placeholders(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _ = fill(text, &BTreeMap::new(), &mut names);
    names
}

/// Replaces `${Name}`; names without a value are put into `unknown`.
fn fill(text: &str, given: &BTreeMap<String, String>, unknown: &mut BTreeSet<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find("${") {
        let (before, from) = left.split_at(at);
        filled.push_str(before);
        let name = from[2..].split_once('}').map(|(name, _)| name);
        match name.filter(|name| is_name(name)) {
            Some(name) => {
                match given.get(name) {
                    Some(value) => filled.push_str(value),
                    None => {
                        unknown.insert(name.to_owned());
                    }
                }
                left = &from[name.len() + 3..];
            }
            None => {
                filled.push_str("${");
                left = &from[2..];
            }
        }
    }
    filled.push_str(left);
    filled
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    !name.is_empty() && name.len() <= 255 && name.chars().all(plain)
}

fn machine(value: Value) -> Result<Machine, Vec<Problem>> {
    let refused = |because: &str| {
        let message = format!("it is no definition in the States Language: {because}");
        let hint = "a definition is an object with `StartAt` and `States`";
        vec![problem(Code::NotADefinition, "", message).with_hint(hint)]
    };
    if !value.is_object() {
        return Err(refused("it is no object"));
    }
    serde_json::from_value(value).map_err(|error| refused(&error.to_string()))
}
