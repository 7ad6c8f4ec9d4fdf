//! What is planned before there are shards: tasks are cut into parts that run side by side, or run as what was declared to
//! give the same, where that lets them run at all or ends the run earlier.
//!
//! Pure, and in the words of the workflow: what comes out is a workflow like any other. Whoever plans what is left of a run
//! calls it with the tasks that are left.

mod cut;
mod fit;
mod forecast;
mod instead;
mod join;
mod parts;
mod scene;
mod slice;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use foreshard_model::plan::Reason;
use foreshard_model::workflow::{Task, Workflow};

pub(crate) use cut::largest_part;
pub use cut::{JOIN, JOIN_INPUT, PART_ID_CHARS};
pub use join::{JoinError, join};
pub use slice::{NoArray, cut_array, share};

use crate::place::Sites;

use scene::Scene;

/// What is looked at.
#[derive(Clone, Copy)]
pub struct Given<'w, 'a> {
    /// The workflow as declared: `needs` form no cycle.
    pub workflow: &'w Workflow,
    /// Where it may run, and what is expected to be free there.
    pub sites: &'a Sites<'a>,
    /// Most lanes that it can have.
    pub lanes: u32,
    /// Price of a shard beside its tasks, in dollars.
    pub shard_usd: f64,
    /// Expected processor time of a task, in milliseconds, as the run scales it; `None`: nothing is known.
    pub cpu_ms: &'a dyn Fn(&Task) -> Option<f64>,
}

/// The workflow as it is to be planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Sculpted<'a> {
    /// As declared, where nothing was changed.
    pub workflow: Cow<'a, Workflow>,
    /// What was chosen, why, and what it saves; also what was left as it is.
    pub reasons: Vec<Reason>,
}

/// Chooses equivalents, then parts.
///
/// # Complexity
/// O((tasks + edges) · log tasks) for each choice that is tried: some thousands for small workflows, at least four for large
/// ones. Nothing is done, and nothing copied, where no task declares a split or an equivalent.
#[must_use]
pub fn sculpt<'w>(given: &Given<'w, '_>) -> Sculpted<'w> {
    let declares = |task: &Task| {
        let extras = task.extras.as_deref();
        extras.is_some_and(|extras| extras.split.is_some() || !extras.equivalents.is_empty())
    };
    if !given.workflow.tasks.iter().any(declares) {
        return Sculpted {
            workflow: Cow::Borrowed(given.workflow),
            reasons: Vec::new(),
        };
    }
    let mut scene = Scene::new(given);
    let mut reasons = instead::choose(&mut scene);
    reasons.extend(parts::choose(&mut scene));
    if !scene.is_changed() {
        return Sculpted {
            workflow: Cow::Borrowed(given.workflow),
            reasons,
        };
    }
    let mut workflow = given.workflow.clone();
    scene.write(&mut workflow.tasks);
    Sculpted {
        workflow: Cow::Owned(workflow),
        reasons,
    }
}
