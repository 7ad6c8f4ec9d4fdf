//! Runs an imported workflow on paper: every task in order, functions as a table of Rust closures.

use std::collections::BTreeMap;

use foreshard_model::workflow::{CONDITION, Task, TaskKind, ValueSource, WHOLE_INPUT, Workflow};
use serde_json::{Map, Value, json};

use crate::expression::{Expression, Scope, evaluate};
use crate::mapping::select;

/// What a function answers: a value, or an error by name.
pub type Function = fn(&str, &Value) -> Result<Value, &'static str>;

/// The member `output` of the run's result, or why the run failed.
pub fn run(workflow: &Workflow, input: &Value, function: Function) -> Result<Value, String> {
    let mut outputs: Vec<Value> = vec![Value::Null; workflow.tasks.len()];
    let mut done = vec![false; workflow.tasks.len()];
    while let Some(next) = (0..done.len()).find(|i| {
        !done[*i]
            && workflow.tasks[*i]
                .needs
                .iter()
                .all(|need| done[need.task.0 as usize])
    }) {
        let task = &workflow.tasks[next];
        outputs[next] = task_output(task, &outputs, input, function)
            .map_err(|why| format!("{}: {why}", task.id))?;
        done[next] = true;
    }
    assert!(done.iter().all(|done| *done), "no circles");
    take(&workflow.outputs["output"], &outputs, input)
}

fn take(source: &ValueSource, outputs: &[Value], input: &Value) -> Result<Value, String> {
    let (value, path) = match source {
        ValueSource::Task { task, path } => (&outputs[task.0 as usize], path),
        ValueSource::Run { path, .. } => (input, path),
        ValueSource::Constant(value) => return Ok((**value).clone()),
    };
    match path {
        None => Ok(value.clone()),
        Some(path) => select(value, path).map_err(|error| error.to_string()),
    }
}

fn task_output(
    task: &Task,
    outputs: &[Value],
    input: &Value,
    function: Function,
) -> Result<Value, String> {
    let given: BTreeMap<&str, &ValueSource> =
        task.inputs.iter().map(|(n, s)| (n.as_str(), s)).collect();
    if let Some(condition) = given.get(CONDITION)
        && take(condition, outputs, input) != Ok(json!(true))
    {
        return Ok(Value::Null);
    }
    let mut members = Map::new();
    for (name, source) in &given {
        if *name != CONDITION {
            members.insert((*name).to_owned(), take(source, outputs, input)?);
        }
    }
    let payload = match members.remove(WHOLE_INPUT) {
        Some(whole) => whole,
        None => Value::Object(members.clone()),
    };
    match &task.kind {
        TaskKind::Handler { handler } => match handler.as_str() {
            "compose" => {
                let expression: Expression =
                    serde_json::from_value(members["expression"].clone()).unwrap();
                let scope = Scope {
                    inputs: &members,
                    run: "r-1",
                };
                evaluate(&expression, scope).map_err(|error| error.to_string())
            }
            "wait" => Ok(Value::Null),
            "collect" => Ok(payload),
            "fail" => Err(format!("failed with {payload}")),
            other => panic!("no handler {other}"),
        },
        TaskKind::Lambda {
            function: name,
            errors,
        } => {
            let catch = errors
                .as_deref()
                .map(|errors| errors.catch.as_slice())
                .unwrap_or_default();
            match function(name, &payload) {
                Ok(value) if catch.is_empty() => Ok(value),
                Ok(value) => Ok(json!({ "ok": value })),
                Err(error) => {
                    let fits =
                        |names: &Vec<String>| names.iter().any(|n| n == "States.ALL" || n == error);
                    match catch.iter().position(fits) {
                        Some(by) => {
                            Ok(json!({"caught": {"Error": error, "Cause": "told"}, "by": by}))
                        }
                        None => Err(error.to_owned()),
                    }
                }
            }
        }
        other => panic!("no kind {other:?}"),
    }
}
