//! A tiny interpreter of the States Language, written after the specification and not after the importer.

use serde_json::{Map, Value, json};

use super::runner::Function;
use crate::expression::path::Path;

/// The output of a machine, or the name of the error that it ends with.
pub fn run(machine: &Value, input: &Value, function: Function) -> Result<Value, String> {
    let mut name = machine["StartAt"].as_str().unwrap().to_owned();
    let mut data = input.clone();
    loop {
        let state = &machine["States"][&name];
        let (next, output) = step(state, &data, function)?;
        data = output;
        match next {
            Some(next) => name = next,
            None => return Ok(data),
        }
    }
}

type Step = Result<(Option<String>, Value), String>;

fn step(state: &Value, data: &Value, function: Function) -> Step {
    let next = state["Next"].as_str().map(str::to_owned);
    let input = at(state.get("InputPath"), data)?;
    match state["Type"].as_str().unwrap() {
        "Succeed" => Ok((None, at(state.get("OutputPath"), &input)?)),
        "Fail" => Err(state["Error"].as_str().unwrap_or("Fail").to_owned()),
        "Choice" => {
            let rules = state["Choices"].as_array().unwrap();
            let mut taken = None;
            for rule in rules {
                let value = find(rule["Variable"].as_str().unwrap(), &input)?;
                let pair = value.as_i64().zip(rule["NumericGreaterThan"].as_i64());
                if taken.is_none() && pair.is_some_and(|(left, right)| left > right) {
                    taken = Some(rule);
                }
            }
            let next = taken.map_or(&state["Default"], |rule| &rule["Next"]);
            Ok((
                next.as_str().map(str::to_owned),
                at(state.get("OutputPath"), &input)?,
            ))
        }
        kind => {
            let given = match state.get("Parameters") {
                Some(template) => filled(template, &input)?,
                None => input,
            };
            let result = match kind {
                "Pass" => state.get("Result").cloned().unwrap_or(given),
                "Task" => match function(state["Resource"].as_str().unwrap(), &given) {
                    Ok(value) => value,
                    Err(error) => return caught(state, data, error),
                },
                "Parallel" => {
                    let branches = state["Branches"].as_array().unwrap().iter();
                    branches
                        .map(|branch| run(branch, &given, function))
                        .collect::<Result<_, _>>()?
                }
                "Map" => {
                    let items = find(state["ItemsPath"].as_str().unwrap(), &given)?;
                    let items = items.as_array().ok_or("no list")?.iter();
                    items
                        .map(|item| run(&state["ItemProcessor"], item, function))
                        .collect::<Result<_, _>>()?
                }
                other => panic!("{other}"),
            };
            let result = match state.get("ResultSelector") {
                Some(template) => filled(template, &result)?,
                None => result,
            };
            let output = placed(state.get("ResultPath"), data, result)?;
            Ok((next, at(state.get("OutputPath"), &output)?))
        }
    }
}

fn caught(state: &Value, data: &Value, error: &str) -> Step {
    let catchers = state["Catch"].as_array().cloned().unwrap_or_default();
    let Some(catcher) = catchers.first() else {
        return Err(error.to_owned());
    };
    let told = json!({"Error": error, "Cause": "told"});
    let output = placed(catcher.get("ResultPath"), data, told)?;
    Ok((catcher["Next"].as_str().map(str::to_owned), output))
}

fn find(path: &str, value: &Value) -> Result<Value, String> {
    Path::parse(path)
        .unwrap()
        .find(value)
        .ok_or_else(|| format!("nothing at {path}"))
}

fn at(path: Option<&Value>, value: &Value) -> Result<Value, String> {
    match path {
        None => Ok(value.clone()),
        Some(Value::Null) => Ok(json!({})),
        Some(path) => find(path.as_str().unwrap(), value),
    }
}

fn placed(path: Option<&Value>, data: &Value, result: Value) -> Result<Value, String> {
    match path {
        None => Ok(result),
        Some(Value::Null) => Ok(data.clone()),
        Some(path) => {
            let mut whole = data.clone();
            let path = Path::parse(path.as_str().unwrap()).unwrap();
            if path.put(&mut whole, result) {
                Ok(whole)
            } else {
                Err("blocked".to_owned())
            }
        }
    }
}

fn filled(template: &Value, input: &Value) -> Result<Value, String> {
    Ok(match template {
        Value::Object(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                match name.strip_suffix(".$") {
                    Some(short) => {
                        object.insert(short.to_owned(), find(value.as_str().unwrap(), input)?)
                    }
                    None => object.insert(name.clone(), filled(value, input)?),
                };
            }
            Value::Object(object)
        }
        other => other.clone(),
    })
}
