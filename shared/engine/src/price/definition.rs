//! The same DAG written as plain Step Functions: a Task state for each task, a Parallel state for each level of more than one.
//!
//! Amazon States Language has no arrows between the branches of a Parallel state: a DAG that is not series-parallel is written as
//! one state after the other, a level of the DAG in each, and every level waits for all of the one before.

use std::fmt::Write as _;

use foreshard_model::limits::{DEFINITION_BYTES, HISTORY_EVENTS};
use foreshard_model::workflow::{Task, Workflow};

use crate::graph::{Csr, Edge, levels, topological_order};

/// Events of a Lambda task: scheduled, started, succeeded, entered and exited. Source: Step Functions, `HistoryEventType`.
const TASK_EVENTS: u64 = 5;
/// Events of a Parallel state beside its branches.
const PARALLEL_EVENTS: u64 = 4;
/// Events of an execution beside its states.
const EXECUTION_EVENTS: u64 = 2;

/// Longest name of a state, in characters. Source: Amazon States Language, "States".
const STATE_NAME_CHARS: usize = 80;
/// Longest name of a function, in characters. Source: Lambda API, `FunctionName`.
const FUNCTION_NAME_CHARS: usize = 64;

/// A Task state between its task's name, its function and its end. Its result stays in the store, so that no level's outputs outgrow
/// a payload; throttling is repeated until a wide level has its environments, which the three repeats of Workflow Studio are not.
const TASK: [&str; 4] = [
    r#"{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":""#,
    r#"","Payload":{"task":""#,
    r#""}},"ResultPath":null,"TimeoutSeconds":900,"Retry":[{"ErrorEquals":["Lambda.ServiceException","Lambda.SdkClientException","Lambda.TooManyRequestsException"],"IntervalSeconds":1,"MaxAttempts":10,"MaxDelaySeconds":30,"BackoffRate":2,"JitterStrategy":"FULL"}],"#,
    "}",
];
/// A branch around its task's name, twice, and its state.
const BRANCH: [&str; 3] = [r#"{"StartAt":""#, r#"","States":{""#, "}}"];
/// A level around its branches and its end.
const LEVEL: [&str; 3] = [
    r#"{"Type":"Parallel","Branches":["#,
    r#"],"ResultPath":null,"#,
    "}",
];
/// The definition around its first state's name and its states.
const DEFINITION: [&str; 3] = [r#"{"StartAt":""#, r#"","States":{"#, "}}"];
/// What ends a state that is the last of its machine.
const END: &str = r#""End":true"#;
/// What ends any other, around the name of the next.
const NEXT: [&str; 2] = [r#""Next":""#, r#"""#];

/// A DAG as plain states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The definition: JSON, nothing between its tokens.
    pub text: String,
    /// Events in the history of an execution in which nothing is repeated.
    pub events: u64,
}

impl Definition {
    /// Why Step Functions does not take it, or an execution of it dies; empty when it is fit.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let bytes = self.text.len();
        let mut problems = Vec::new();
        if bytes > DEFINITION_BYTES {
            problems.push(format!(
                "the definition has {bytes} bytes: Step Functions takes {DEFINITION_BYTES}"
            ));
        }
        if self.events > u64::from(HISTORY_EVENTS) {
            problems.push(format!(
                "an execution has {} events at least: it dies at {HISTORY_EVENTS}",
                self.events
            ));
        }
        problems
    }
}

/// Writes a workflow as plain states; `functions` names the function of each task, in the tasks' order.
///
/// # Complexity
///
/// O(tasks + needs).
#[must_use]
pub fn definition(workflow: &Workflow, functions: &[String]) -> Definition {
    let tasks = &workflow.tasks;
    let edges = tasks.iter().enumerate().flat_map(|(to, task)| {
        task.needs.iter().map(move |need| Edge {
            from: need.task.0,
            to: to as u32,
            bytes: 0,
        })
    });
    let graph = Csr::new(tasks.len(), edges);
    let order = topological_order(&graph).unwrap_or_default();
    let level_of = levels(&graph, &order);
    let (_, events) = measured(&level_of, tasks);
    let names = names(tasks.iter().map(|task| task.id.as_str()));
    let mut writer = Writer {
        text: String::new(),
        names: &names,
        ids: tasks.iter().map(|task| task.id.as_str()).collect(),
        functions,
    };
    writer.definition(&by_level(&level_of));
    Definition {
        text: writer.text,
        events,
    }
}

/// Bytes of the definition, escapes in names aside, and events of an execution; functions are named as their tasks' types.
pub(super) fn measured(level_of: &[u32], tasks: &[Task]) -> (u64, u64) {
    let sum = |parts: &[&str]| parts.iter().map(|part| part.len() as u64).sum::<u64>();
    // Of each level: tasks, and characters of their states' names.
    let mut levels: Vec<(u64, u64)> = Vec::new();
    let mut bytes = sum(&DEFINITION) + END.len() as u64;
    for (task, level) in tasks.iter().zip(level_of) {
        let level = *level as usize;
        if levels.len() <= level {
            levels.resize(level + 1, (0, 0));
        }
        let id = task.id.as_str().len();
        levels[level].0 += 1;
        levels[level].1 += id.min(STATE_NAME_CHARS) as u64;
        bytes += sum(&TASK) + (id + task.task_type.len().min(FUNCTION_NAME_CHARS)) as u64;
    }
    // Between two levels: a comma, and the next one's name.
    bytes += (levels.len() as u64).saturating_sub(1) * (sum(&NEXT) + 1);
    let mut parallel = 0;
    for (level, &(width, chars)) in levels.iter().enumerate() {
        let name = if width == 1 {
            chars
        } else {
            parallel += 1;
            let branch = sum(&BRANCH) + 2 + END.len() as u64;
            bytes += sum(&LEVEL) + width * branch + width - 1 + 2 * chars;
            level_name(level).len() as u64
        };
        // As the key of its state, with quotes and colon, and as what comes first or next.
        bytes += 2 * name + 3;
    }
    let events = TASK_EVENTS * tasks.len() as u64 + PARALLEL_EVENTS * parallel + EXECUTION_EVENTS;
    (bytes, events)
}

fn by_level(level_of: &[u32]) -> Vec<Vec<usize>> {
    let mut levels: Vec<Vec<usize>> = Vec::new();
    for (task, level) in level_of.iter().enumerate() {
        let level = *level as usize;
        if levels.len() <= level {
            levels.resize(level + 1, Vec::new());
        }
        levels[level].push(task);
    }
    levels
}

/// Names of states: the tasks' ids, and where one is too long, its beginning with a number. No id has a blank in it, so that none
/// is the name of a level or one with a number.
fn names<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    ids.enumerate()
        .map(|(place, id)| {
            if id.len() <= STATE_NAME_CHARS {
                return id.to_owned();
            }
            let number = format!(" {place}");
            format!("{}{number}", &id[..STATE_NAME_CHARS - number.len()])
        })
        .collect()
}

fn level_name(level: usize) -> String {
    format!("level {level}")
}

/// A name that Lambda takes for a function: what it does not allow is `_`.
#[must_use]
pub fn function_name(text: &str) -> String {
    let fit = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => c,
        _ => '_',
    };
    text.chars().map(fit).take(FUNCTION_NAME_CHARS).collect()
}

struct Writer<'a> {
    text: String,
    names: &'a [String],
    ids: Vec<&'a str>,
    functions: &'a [String],
}

impl Writer<'_> {
    fn definition(&mut self, levels: &[Vec<usize>]) {
        let states: Vec<String> = levels
            .iter()
            .enumerate()
            .map(|(level, tasks)| match tasks.as_slice() {
                [alone] => self.names[*alone].clone(),
                _ => level_name(level),
            })
            .collect();
        let first = states.first().map_or("", String::as_str);
        let _ = write!(self.text, "{}{first}{}", DEFINITION[0], DEFINITION[1]);
        for (level, tasks) in levels.iter().enumerate() {
            let comma = if level > 0 { "," } else { "" };
            let _ = write!(self.text, "{comma}\"{}\":", states[level]);
            let end = match states.get(level + 1) {
                Some(next) => format!("{}{next}{}", NEXT[0], NEXT[1]),
                None => END.to_owned(),
            };
            match tasks.as_slice() {
                [alone] => self.task(*alone, &end),
                _ => self.level(tasks, &end),
            }
        }
        self.text.push_str(DEFINITION[2]);
    }

    fn level(&mut self, tasks: &[usize], end: &str) {
        self.text.push_str(LEVEL[0]);
        for (place, task) in tasks.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let name = &self.names[*task];
            let _ = write!(
                self.text,
                "{comma}{}{name}{}{name}\":",
                BRANCH[0], BRANCH[1]
            );
            self.task(*task, END);
            self.text.push_str(BRANCH[2]);
        }
        let _ = write!(self.text, "{}{end}{}", LEVEL[1], LEVEL[2]);
    }

    fn task(&mut self, task: usize, end: &str) {
        let function = self.functions.get(task).map_or("", String::as_str);
        let id = self.ids[task];
        let _ = write!(
            self.text,
            "{}{function}{}{id}{}{end}{}",
            TASK[0], TASK[1], TASK[2], TASK[3]
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use foreshard_model::workflow::Workflow;
    use serde_json::Value;

    use super::*;
    use crate::asl;
    use crate::parse;
    use crate::plan::tests::workflow;

    fn functions(workflow: &Workflow) -> Vec<String> {
        let named = workflow
            .tasks
            .iter()
            .map(|task| function_name(&task.task_type));
        named.collect()
    }

    /// What the importer makes of a definition.
    fn back(definition: &Definition) -> Workflow {
        let import = asl::import(definition.text.as_bytes(), &asl::Options::default()).unwrap();
        let text = import
            .document
            .unwrap_or_else(|| panic!("{:#?} of {}", import.findings, definition.text));
        let parsed = parse::document(text.as_bytes(), &BTreeMap::new());
        parsed
            .unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
            .workflow
    }

    fn arrows(workflow: &Workflow) -> BTreeSet<(String, String)> {
        // The importer names a branch's task after the Parallel state too: `level_1.0.b`.
        let name = |at: usize| {
            let id = workflow.tasks[at].id.as_str();
            id.rsplit('.').next().unwrap_or(id).to_owned()
        };
        let needs = workflow
            .tasks
            .iter()
            .enumerate()
            .flat_map(|(to, task)| task.needs.iter().map(move |need| (need.task.index(), to)));
        needs.map(|(from, to)| (name(from), name(to))).collect()
    }

    #[test]
    fn a_dag_of_whole_levels_comes_back_as_it_was() {
        for text in [
            "a>b b>c",
            "a>b a>c b>d c>d",
            "a>c b>c a>d b>d c>e d>e",
            "solo",
            "a b c",
        ] {
            let before = workflow(text);
            let after = back(&definition(&before, &functions(&before)));
            assert_eq!(after.tasks.len(), before.tasks.len(), "{text}");
            assert_eq!(arrows(&after), arrows(&before), "{text}");
        }
    }

    #[test]
    fn what_has_no_definition_of_its_own_waits_for_whole_levels() {
        let before = workflow("a>b c>d b>e a>e");
        let after = back(&definition(&before, &functions(&before)));
        let (arrows, kept) = (arrows(&after), arrows(&before));
        assert!(
            arrows.contains(&("c".to_owned(), "b".to_owned())),
            "{arrows:?}"
        );
        // `a` comes before `e` by way of the level between them.
        let direct = kept.iter().filter(|arrow| arrow.0 != "a" || arrow.1 != "e");
        for arrow in direct {
            assert!(arrows.contains(arrow), "{arrow:?} of {arrows:?}");
        }
    }

    #[test]
    fn names_are_within_the_limits_and_their_own() {
        let mut long = workflow("a>b a>c");
        for (place, task) in long.tasks.iter_mut().enumerate() {
            let end = if place == 0 { "x" } else { "y" };
            task.id = format!("{}{end}", "n".repeat(200)).as_str().into();
            task.task_type = "handler:collect".to_owned();
        }
        let written = definition(&long, &functions(&long));
        let value: Value = serde_json::from_str(&written.text).unwrap();
        let mut names = BTreeSet::new();
        let mut machines = vec![&value];
        while let Some(machine) = machines.pop() {
            for (name, state) in machine["States"].as_object().unwrap() {
                assert!(name.len() <= STATE_NAME_CHARS, "{name}");
                assert!(names.insert(name.clone()), "{name} twice");
                machines.extend(state["Branches"].as_array().into_iter().flatten());
                if let Some(function) = state["Parameters"]["FunctionName"].as_str() {
                    assert_eq!(function, "handler_collect");
                }
            }
        }
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn what_step_functions_does_not_take_is_said() {
        let text: Vec<String> = (0..5_001).map(|n| format!("t{n}")).collect();
        let many = workflow(&text.join(" "));
        let problems = definition(&many, &functions(&many)).problems();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].ends_with("bytes: Step Functions takes 1048576"));
        assert!(problems[1].starts_with("an execution has 25011 events"));
        let few = workflow("a>b");
        assert!(definition(&few, &functions(&few)).problems().is_empty());
    }
}
