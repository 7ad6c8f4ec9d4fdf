//! The fields that every line of a stage's log has, whatever it says: the loop of the function opens them, and who reads
//! a run fills in what only its item tells.

use foreshard_model::run::RunItem;

/// What follows is about this run: its id, its trace and its owner go with every line.
pub(crate) fn about(run: &RunItem) {
    let span = tracing::Span::current();
    span.record("run", run.run.as_str());
    span.record("trace_id", run.context.trace_id.as_str());
    span.record("tenant", run.context.tenant.as_str());
}
