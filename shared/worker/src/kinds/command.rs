//! `command`: a program of the bundle or of the image, JSON in and JSON out, in a process with nothing of the worker's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use foreshard_model::limits::TASK_OUTPUT_BYTES;
use foreshard_model::workflow::Command;
use foreshard_stages::ports::TaskCredentials;
use serde_json::Value;

use super::{Answer, Call, Ready, Used, check_end, read_output};
use crate::process::{self, Launch};
use crate::task::fault::Fault;

/// Longest string that becomes a variable `INPUT_…`: all variables of a program share 128 KiB with others.
const VARIABLE_BYTES: usize = 4 * 1024;

/// Runs the program.
pub(super) async fn run(call: &Call<'_>, command: &Command, ready: &Ready) -> Answer {
    let launch = match launch(call, command, ready) {
        Ok(launch) => launch,
        Err(fault) => return fault.into(),
    };
    let worker = call.attempt.worker;
    let watch = |pid| call.attempt.sampler.watch(pid, &call.task.task_type);
    let (ended, watched) = match process::run(launch, &worker.children, watch).await {
        Ok(ended) => ended,
        Err(error) => return Fault::from(error).into(),
    };
    let peak_kib = watched.ended(ended.cpu_ms, ended.peak_kib);
    let checked = check_end(&ended, call.task.timeout_ms, TASK_OUTPUT_BYTES);
    Answer {
        result: checked.and_then(|()| read_output(&ended.stdout)),
        used: Used {
            cpu_ms: ended.cpu_ms,
            peak_kib,
        },
    }
}

fn launch(call: &Call<'_>, command: &Command, ready: &Ready) -> Result<Launch, Fault> {
    let Some((program, arguments)) = command.run.split_first() else {
        return Err(Fault::Refused("it names no program".to_owned()));
    };
    let environment = environment(call, command, ready);
    let nul = |text: &str| text.contains('\0');
    let strange = |(name, value): (&String, &String)| {
        name.is_empty() || name.contains('=') || nul(name) || nul(value)
    };
    if command.run.iter().any(|text| nul(text)) || environment.iter().any(strange) {
        return Err(Fault::Refused(
            "an argument or a variable holds a zero byte, or a name is none".to_owned(),
        ));
    }
    let mut all: Vec<OsString> = vec![crate::TASK_FLAG.into(), crate::EXECUTE.into()];
    all.push(find_program(program, ready.bundle.as_deref()).into());
    all.extend(arguments.iter().map(OsString::from));
    let settings = &call.attempt.worker.settings;
    Ok(Launch {
        program: settings.task_program.clone(),
        arguments: all,
        environment,
        folder: call.place.work(),
        stdin: call.input.to_string().into_bytes(),
        output_bytes: TASK_OUTPUT_BYTES,
        log: call.log.clone(),
        deadline: call.deadline,
    })
}

/// A relative program is the bundle's, where the bundle has it; otherwise it is looked up as always.
fn find_program(program: &str, bundle: Option<&Path>) -> PathBuf {
    let in_bundle = bundle
        .map(|folder| folder.join(program))
        .filter(|path| path.is_file());
    match in_bundle {
        Some(path) if Path::new(program).is_relative() => path,
        _ => PathBuf::from(program),
    }
}

/// The whole environment of the program. The user's variables give way to the task's identity and context, so that no
/// task runs as somebody else unnoticed.
fn environment(call: &Call<'_>, command: &Command, ready: &Ready) -> BTreeMap<String, String> {
    let (request, settings) = (call.attempt.request, &call.attempt.worker.settings);
    let mut environment = BTreeMap::new();
    let mut set =
        |name: &str, value: &str| drop(environment.insert(name.to_owned(), value.to_owned()));
    set("PATH", &settings.path);
    set("LANG", &settings.lang);
    set("HOME", &call.place.work().to_string_lossy());
    set("TMPDIR", &call.place.temporary().to_string_lossy());
    for (name, value) in call.input.as_object().into_iter().flatten() {
        if let Some(text) = scalar(value) {
            set(&variable(name), &text);
        }
    }
    for (name, value) in &command.env {
        set(name, value);
    }
    set("FORESHARD_RUN", request.run.as_str());
    set("FORESHARD_TASK", call.task.id.as_str());
    set("FORESHARD_ATTEMPT", &request.attempt.to_string());
    set("FORESHARD_TRACE_ID", &request.context.trace_id);
    let baggage: serde_json::Map<_, _> = request
        .context
        .baggage
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(v.as_str())))
        .collect();
    set("FORESHARD_BAGGAGE", &Value::Object(baggage).to_string());
    if let Some(folder) = &ready.bundle {
        set("FORESHARD_BUNDLE", &folder.to_string_lossy());
    }
    if let Some(region) = &settings.region {
        set("AWS_REGION", region);
    }
    if let Some(endpoint) = &settings.endpoint {
        set("AWS_ENDPOINT_URL", endpoint);
    }
    let TaskCredentials {
        access_key_id,
        secret_access_key,
        session_token,
        ..
    } = match &ready.credentials {
        Some(credentials) => credentials,
        None => return environment,
    };
    set("AWS_ACCESS_KEY_ID", access_key_id);
    set("AWS_SECRET_ACCESS_KEY", secret_access_key);
    set("AWS_SESSION_TOKEN", session_token);
    environment
}

/// `INPUT_` and the name in capitals, everything but letters and digits as `_`.
fn variable(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    format!("INPUT_{}", name.chars().map(plain).collect::<String>())
}

/// Strings as they are, numbers and booleans as JSON; nothing else becomes a variable.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.len() <= VARIABLE_BYTES && !text.contains('\0') => {
            Some(text.clone())
        }
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_scalars_become_variables() {
        let table = [
            (json!("text"), Some("text")),
            (json!(1.5), Some("1.5")),
            (json!(true), Some("true")),
            (json!(null), None),
            (json!([1]), None),
            (json!("a\0b"), None),
            (json!("x".repeat(5_000)), None),
        ];
        for (value, expected) in table {
            assert_eq!(scalar(&value).as_deref(), expected, "{value}");
        }
        assert_eq!(variable("max-size.µ"), "INPUT_MAX_SIZE__");
    }

    #[test]
    fn relative_programs_are_the_bundles_where_it_has_them() {
        let bundle = tempfile::tempdir().unwrap();
        std::fs::write(bundle.path().join("count.sh"), "").unwrap();
        let found = |program| find_program(program, Some(bundle.path()));
        assert_eq!(found("count.sh"), bundle.path().join("count.sh"));
        assert_eq!(found("./count.sh"), bundle.path().join("./count.sh"));
        assert_eq!(found("sh"), Path::new("sh"));
        assert_eq!(found("/bin/sh"), Path::new("/bin/sh"));
        assert_eq!(find_program("count.sh", None), Path::new("count.sh"));
    }
}
