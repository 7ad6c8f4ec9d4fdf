//! Where data may be: a task runs, and what it leaves is read, only in the regions of its `residency`.

use foreshard_model::limits::PROBLEMS_REPORTED;
use foreshard_model::problem::Problem;
use foreshard_model::workflow::Task;

use super::refusal::problem;

/// The regions in which each task may run: its own residency, and that of every task that it reads of; empty for anywhere.
///
/// Nothing is said of tasks further down: what a task makes of the data has the residency that the task declares.
///
/// With it comes every task that reads data which may be in no common region (FS2009).
pub(super) fn residency(tasks: &[Task]) -> (Vec<Vec<String>>, Vec<Problem>) {
    let own = |task: &Task| -> Vec<String> {
        let extras = task.extras.as_deref();
        extras.map_or_else(Vec::new, |extras| extras.affinity.residency.clone())
    };
    if tasks.iter().all(|task| own(task).is_empty()) {
        return (Vec::new(), Vec::new());
    }
    let mut problems = Vec::new();
    let all = tasks.iter().map(|task| {
        let mut allowed = own(task);
        let mut first = None;
        for need in &task.needs {
            let Some(before) = tasks.get(need.task.index()) else {
                continue;
            };
            let theirs = own(before);
            if theirs.is_empty() {
                continue;
            }
            let both: Vec<String> = match allowed.is_empty() {
                true => theirs.clone(),
                false => allowed
                    .iter()
                    .filter(|r| theirs.contains(r))
                    .cloned()
                    .collect(),
            };
            if both.is_empty() {
                if problems.len() < PROBLEMS_REPORTED {
                    problems.push(apart(task, before, &allowed, &theirs, first));
                }
                break;
            }
            first = first.or(Some(before));
            allowed = both;
        }
        allowed
    });
    let all: Vec<Vec<String>> = all.collect();
    (all, problems)
}

fn apart(
    task: &Task,
    before: &Task,
    allowed: &[String],
    theirs: &[String],
    first: Option<&Task>,
) -> Problem {
    let whose = match first {
        Some(first) => format!("that of `{}`", first.id),
        None => "its own".to_owned(),
    };
    problem(
        "FS2009",
        &format!("tasks.{}.affinity.residency", task.id),
        format!(
            "the data of `{}` may only be in {}, {whose} only in {}",
            before.id,
            theirs.join(" or "),
            allowed.join(" or ")
        ),
        "allow a common region, or put a task between them whose output may leave",
    )
}
