//! Documents become workflows, or get all of their problems at once.
//!
//! A document passes through these, and each reports everything that it finds before the next one begins:
//!
//! ```text
//! bytes ─ intake ─► events (yaml, json) ─► values of one task (node) ─► types (decode, document) ─► draft
//!                                                                                                     │
//!         Workflow ◄─ expand ◄─ resolve: names, cycles, mappings ◄─ world: sub-workflows ◄─ all drafts ┘
//!                                                   trace: WfFormat 1.5 goes its own way from the values on
//! ```

mod code;
mod decode;
mod document;
mod draft;
mod event;
mod expand;
mod forms;
mod intake;
mod json;
mod kind;
mod names;
mod node;
mod objective;
mod order;
mod origin;
mod other;
mod problems;
mod read;
mod record;
mod resolve;
mod schedules;
mod schema;
mod scope;
mod settings;
mod split;
mod stem;
mod trace;
mod upstream;
mod url;
mod value;
mod world;
mod yaml;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;

use foreshard_model::limits::{INLINE_DOCUMENT_BYTES, UPLOADED_DOCUMENT_BYTES};
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::schedule::Declared;
use foreshard_model::workflow::Workflow;

pub use value::value;

use problems::Problems;
use read::{Content, Unit};
use world::World;

/// A document that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The workflow: names resolved, sub-workflows expanded, defaults applied.
    pub workflow: Workflow,
    /// What was assumed and should be said.
    pub notes: Vec<Problem>,
    /// The folders that commands are bundled from, as written, each once; those of a registered workflow as
    /// `name@version:folder`.
    pub bundles: Vec<String>,
    /// The schedules that it declares; those of registered workflows that it refers to are not its own.
    pub schedules: Vec<Declared>,
}

/// Registered workflows by name and version, as their documents were submitted.
pub type Library = BTreeMap<(String, String), Vec<u8>>;

/// The registered workflows that a document names directly, as name and version. A document with problems names what
/// can be read of it. Whoever fetches them asks again for each, until there are no new ones: that is the [`Library`].
#[must_use]
pub fn references(bytes: &[u8]) -> Vec<(String, String)> {
    references_in(bytes)
}

/// As [`references`], for a document that is read as a stream.
#[must_use]
pub fn references_in(reader: impl Read) -> Vec<(String, String)> {
    match read::read(reader, UPLOADED_DOCUMENT_BYTES, &mut Problems::default()) {
        Some(Content::Document(unit)) => world::registered(&unit),
        Some(Content::Trace(_)) | None => Vec::new(),
    }
}

/// Parses a document that came inside a request: YAML, JSON or WfFormat 1.5, gzipped or not, of at most
/// [`INLINE_DOCUMENT_BYTES`] inflated.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text, at most
/// [`PROBLEMS_REPORTED`](foreshard_model::limits::PROBLEMS_REPORTED) and one that counts the rest.
pub fn document(bytes: &[u8], library: &Library) -> Result<Parsed, Vec<Problem>> {
    parse(bytes, INLINE_DOCUMENT_BYTES as u64, library)
}

/// Parses an uploaded document as a stream, of at most [`UPLOADED_DOCUMENT_BYTES`] inflated: beside the workflow itself
/// it keeps one task at a time, and a compact draft of each.
///
/// # Errors
/// As [`document`].
///
/// # Complexity
/// O(document + tasks log tasks + needs log needs) time.
pub fn stream(reader: impl Read, library: &Library) -> Result<Parsed, Vec<Problem>> {
    parse(reader, UPLOADED_DOCUMENT_BYTES, library)
}

/// The JSON Schema of documents: `docs/workflow.schema.json`.
#[must_use]
pub fn schema() -> serde_json::Value {
    schema::schema()
}

fn parse(reader: impl Read, limit: u64, library: &Library) -> Result<Parsed, Vec<Problem>> {
    let mut problems = Problems::default();
    match read::read(reader, limit, &mut problems) {
        None => Err(problems.finish()),
        Some(Content::Trace(trace)) => {
            let workflow = trace::import(&trace, &mut problems);
            accepted(workflow, Vec::new(), Vec::new(), problems)
        }
        Some(Content::Document(unit)) => assemble(*unit, problems, library),
    }
}

fn assemble(unit: Unit, problems: Problems, library: &Library) -> Result<Parsed, Vec<Problem>> {
    let mut world = World::new(unit, problems, library);
    world.measure();
    let scopes = scope::scopes(&mut world);
    let mut needs = BTreeMap::new();
    for id in world.ids() {
        let lists = resolve::part(&mut world, &scopes, id);
        needs.insert(id, lists);
    }
    if world
        .members
        .iter()
        .any(|member| !member.problems.is_empty())
    {
        return Err(all_problems(world).finish());
    }
    let (workflow, bundles, mut world) = expand::expand(world, &scopes, &needs);
    let schedules = std::mem::take(&mut world.members[world::MAIN.unit].unit.schedules);
    accepted(workflow, bundles, schedules, all_problems(world))
}

fn all_problems(world: World) -> Problems {
    let mut problems = Problems::default();
    for member in world.members {
        if member.label.is_empty() {
            problems.absorb(member.problems);
        } else {
            problems.adopt(&member.label, member.problems);
        }
    }
    problems
}

fn accepted(
    workflow: Workflow,
    bundles: Vec<String>,
    schedules: Vec<Declared>,
    problems: Problems,
) -> Result<Parsed, Vec<Problem>> {
    let mut found = problems.finish();
    if found
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        found.retain(|problem| problem.severity == Severity::Error);
        return Err(found);
    }
    Ok(Parsed {
        workflow,
        notes: found,
        bundles,
        schedules,
    })
}
