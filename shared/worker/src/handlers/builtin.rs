//! The handlers that every worker has: small joints between the tasks of a workflow.

use std::fs::File;
use std::io::Read;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use foreshard_engine::expression::{Expression, Scope, evaluate};
use foreshard_engine::sculpt::{self as engine, JOIN_INPUT};
use foreshard_model::ids::Sha256Hex;
use foreshard_model::workflow::PARTS_INPUT;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{HandlerCall, HandlerError};

/// Bytes read at once: large enough that system calls do not matter, small enough for the smallest tier.
const CHUNK_BYTES: usize = 256 * 1024;

/// The output is the input.
pub(super) fn collect(call: &HandlerCall) -> Result<Value, HandlerError> {
    Ok(call.input.clone())
}

/// The members that are objects become one object; later names win.
pub(super) fn merge(call: &HandlerCall) -> Result<Value, HandlerError> {
    let mut merged = Map::new();
    for (name, value) in members(call) {
        let Value::Object(object) = value else {
            return Err(HandlerError(format!("input `{name}` is not an object")));
        };
        merged.extend(object.clone());
    }
    Ok(Value::Object(merged))
}

/// The members, in the order of their names, become one array: elements of arrays, and everything else as it is.
pub(super) fn flatten(call: &HandlerCall) -> Result<Value, HandlerError> {
    let mut elements = Vec::new();
    for (_, value) in members(call) {
        match value {
            Value::Array(inner) => elements.extend(inner.iter().cloned()),
            other => elements.push(other.clone()),
        }
    }
    Ok(Value::Array(elements))
}

/// SHA-256 of the input as compact JSON, and of each file, with its length.
pub(super) fn digest(call: &HandlerCall) -> Result<Value, HandlerError> {
    let mut files = Map::new();
    for name in &call.files {
        let (sha256, bytes) = digest_file(call, name)?;
        files.insert(name.clone(), json!({"sha256": sha256, "bytes": bytes}));
    }
    let input = Sha256Hex::of(call.input.to_string().as_bytes());
    Ok(json!({"input": input, "files": files}))
}

/// The value of the input `expression` over the other inputs.
pub(super) fn compose(call: &HandlerCall) -> Result<Value, HandlerError> {
    let empty = Map::new();
    let inputs = call.input.as_object().unwrap_or(&empty);
    let expression = inputs.get("expression").cloned().unwrap_or_default();
    // What the reader says may quote a value; its place is enough.
    let expression: Expression = serde_json::from_value(expression)
        .map_err(|_| HandlerError("input `expression` is not an expression".to_owned()))?;
    let scope = Scope {
        inputs,
        run: call.run.as_str(),
    };
    evaluate(&expression, scope).map_err(|error| HandlerError(error.to_string()))
}

/// How often a wait looks whether anybody still waits for it.
const LOOK: Duration = Duration::from_millis(200);

/// Ends after so many `seconds`.
pub(super) fn wait(call: &HandlerCall) -> Result<Value, HandlerError> {
    let seconds = call.input.get("seconds").and_then(Value::as_f64);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let ends = duration.and_then(|duration| Instant::now().checked_add(duration));
    let ends = ends.ok_or_else(|| HandlerError("input `seconds` is no duration".to_owned()))?;
    // Nothing is ever sent: the channel only gives the time.
    let (_sender, nothing) = mpsc::channel::<()>();
    loop {
        let left = ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Value::Null);
        }
        if call.is_cancelled() {
            return Err(HandlerError("cancelled".to_owned()));
        }
        let _ = nothing.recv_timeout(left.min(LOOK));
    }
}

/// Fails, and says in the task's log what it was given as `Error` and `Cause`.
pub(super) fn fail(call: &HandlerCall) -> Result<Value, HandlerError> {
    let text = |name: &str| match call.input.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    Err(HandlerError(format!(
        "{}: {}",
        text("Error"),
        text("Cause")
    )))
}

/// Puts the outputs of parts together, and the files of each name: `name.1`, `name.2` and so on become `name`.
pub(super) fn join(call: &HandlerCall) -> Result<Value, HandlerError> {
    let how = call.input.get(JOIN_INPUT).cloned().unwrap_or_default();
    let how = serde_json::from_value(how).map_err(|_| {
        HandlerError(format!(
            "input `{JOIN_INPUT}` is not a way to put parts together"
        ))
    })?;
    let Some(Value::Array(outputs)) = call.input.get(PARTS_INPUT) else {
        return Err(HandlerError(format!("input `{PARTS_INPUT}` is no list")));
    };
    let mut names: Vec<(&str, u32, &str)> = Vec::new();
    for file in &call.files {
        let (name, number) = file.rsplit_once('.').unwrap_or((file, ""));
        let number = number
            .parse()
            .map_err(|_| HandlerError(format!("file `{file}` has no number at its end")))?;
        names.push((name, number, file));
    }
    names.sort_unstable();
    for same in names.chunk_by(|a, b| a.0 == b.0) {
        let mut whole = File::create(call.path(same[0].0))?;
        for (_, _, file) in same {
            if call.is_cancelled() {
                return Err(HandlerError("cancelled".to_owned()));
            }
            std::io::copy(&mut File::open(call.path(file))?, &mut whole)?;
        }
    }
    engine::join(how, outputs.clone()).map_err(|error| HandlerError(error.to_string()))
}

fn members(call: &HandlerCall) -> impl Iterator<Item = (&String, &Value)> {
    call.input.as_object().into_iter().flatten()
}

fn digest_file(call: &HandlerCall, name: &str) -> Result<(String, u64), HandlerError> {
    let mut file = File::open(call.path(name))?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((HEXLOWER.encode(&hash.finalize()), bytes));
        }
        if call.is_cancelled() {
            return Err(HandlerError("cancelled".to_owned()));
        }
        hash.update(&chunk[..read]);
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Handlers;
    use super::*;

    fn check(handler: &str, input: Value, expected: Value) {
        let call = HandlerCall {
            run: "r-aaaaaaaaaaaaaaaaaaaa".into(),
            shard: foreshard_model::ids::ShardId(0),
            attempt: foreshard_model::ids::Attempt(1),
            task: "t".into(),
            trace_id: String::new(),
            baggage: std::collections::BTreeMap::new(),
            input,
            files: Vec::new(),
            scratch: std::path::PathBuf::new(),
            cancelled: std::sync::Arc::default(),
        };
        let function = Handlers::builtin().get(handler).unwrap();
        assert_eq!(function(&call).unwrap(), expected, "{handler}");
    }

    #[test]
    fn they_do_what_their_names_say() {
        let input = json!({"a": {"x": 1}, "b": {"x": 2, "y": [3]}});
        check("collect", input.clone(), input.clone());
        check("merge", input, json!({"x": 2, "y": [3]}));
        check(
            "flatten",
            json!({"a": [1, [2]], "b": 3}),
            json!([1, [2], 3]),
        );
        let empty = Sha256Hex::of(b"{}");
        check("digest", json!({}), json!({"input": empty, "files": {}}));
        let twice = json!({"call": ["States.MathAdd", [{"input": "n"}, {"input": "n"}]]});
        check("compose", json!({"expression": twice, "n": 2}), json!(4));
        check("wait", json!({"seconds": 0}), json!(null));
    }
}
