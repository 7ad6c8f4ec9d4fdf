//! A task sees the identity that its run assumed and nothing of the worker's own, and one trace id is in every stage's log.

use serde_json::{Value, json};

use super::documents::{bash, document};
use super::runs;
use super::stack::{Deployment, deployment};

/// Function that runs the task: the tier that 64 MiB choose.
const WORKER: &str = "execute-128";

/// The worker's own secret while this test runs, in two halves, so that no script that looks for it contains it.
const SECRET: (&str, &str) = ("WORKERS-OWN", "-SECRET-5f1e7c");

/// Asks STS who it is, with the shell's own sockets: the emulator reads the key's name and checks no signature.
const WHO: &str = r#"
set -eu
place=${AWS_ENDPOINT_URL#http://}; place=${place%%/*}
exec 3<>"/dev/tcp/${place%%:*}/${place##*:}"
body='Action=GetCallerIdentity&Version=2011-06-15'
scope="$AWS_ACCESS_KEY_ID/20250101/us-east-1/sts/aws4_request"
printf 'POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n' "$place" >&3
printf 'X-Amz-Security-Token: %s\r\n' "$AWS_SESSION_TOKEN" >&3
printf 'Authorization: AWS4-HMAC-SHA256 Credential=%s, SignedHeaders=host, Signature=0\r\n' "$scope" >&3
printf 'Content-Length: %s\r\nConnection: close\r\n\r\n%s' "${#body}" "$body" >&3
answer=$(cat <&3)
arn=${answer#*<Arn>}; arn=${arn%%</Arn>*}
printf '{"arn": "%s", "run": "%s", "trace": "%s"}' "$arn" "$FORESHARD_RUN" "$FORESHARD_TRACE_ID"
"#;

/// Looks for the worker's secret wherever a process may look: environments, open files, its own folders, the worker's memory.
const SPY: &str = r#"
half=WORKERS-OWN; secret="$half-SECRET-5f1e7c"
found=''
for file in /proc/self/environ /proc/$PPID/environ /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do
  if [ -r "$file" ] && tr '\0' '\n' < "$file" 2>/dev/null | grep -qF -- "$secret"; then found="$found $file"; fi
done
if head -c 1 "/proc/$PPID/mem" > /dev/null 2>&1; then found="$found memory"; fi
if grep -rqF -- "$secret" . "$HOME/../.." /tmp/foreshard-worker-* 2>/dev/null; then found="$found files"; fi
opened=''
for fd in /proc/self/fd/*; do
  case $(readlink "$fd") in socket:*) opened="$opened $fd";; esac
done
own=$(env | grep -cE '^(AWS_LAMBDA_RUNTIME_API|AWS_LAMBDA_FUNCTION_NAME|AWS_CONTAINER_|FORESHARD_TABLE|FORESHARD_BUCKET)' || true)
parent=no; if tr '\0' '\n' < "/proc/$PPID/environ" 2>/dev/null | grep -q .; then parent=yes; fi
printf '{"found": "%s", "sockets": "%s", "wiring": %s, "parent_environment": "%s"}' "$found" "$opened" "$own" "$parent"
"#;

fn workflow() -> Value {
    let mut document = document(vec![bash("who", WHO, &[]), bash("spy", SPY, &[])]);
    document["outputs"] = json!({ "who": { "task": "who" }, "spy": { "task": "spy" } });
    document
}

/// Gives the worker a secret of its own that can be looked for; what undoes it.
async fn mark_worker(on: &Deployment) -> (serde_json::Map<String, Value>, String) {
    let function = on.stack.function(WORKER);
    let secret = format!("{}{}", SECRET.0, SECRET.1);
    let variables = on
        .cloud
        .add_variables(&function, &[("AWS_SECRET_ACCESS_KEY", &secret)])
        .await;
    let version = on.cloud.publish(&function).await;
    let before = on.cloud.move_alias(&function, "live", &version).await;
    (variables, before)
}

/// Functions whose log has the trace id, which no other run has.
async fn logged(on: &Deployment, trace_id: &str) -> Vec<&'static str> {
    let mut logged = Vec::new();
    for stage in ["submit", "plan", "dispatch", WORKER, "aggregate"] {
        let lines = on
            .cloud
            .log_lines(&on.stack.function(stage), trace_id)
            .await;
        if !lines.is_empty() {
            logged.push(stage);
        }
    }
    logged
}

#[tokio::test]
async fn identity() {
    let on = deployment().await;
    let (variables, version) = mark_worker(&on).await;
    let run = runs::submit(&on, &workflow(), runs::traced()).await;
    let item = runs::ended(&on, &run, runs::PATIENCE).await;
    let function = on.stack.function(WORKER);
    on.cloud.move_alias(&function, "live", &version).await;
    on.cloud.set_variables(&function, &variables).await;
    assert!(
        item.result.is_some(),
        "{}",
        runs::diagnosis(&on, &run).await
    );

    let plan = runs::plan(&on, &run).await;
    let targets: Vec<_> = plan
        .shards
        .iter()
        .filter_map(|shard| shard.target.clone())
        .collect();
    assert!(
        targets.iter().all(|target| target.starts_with(&function)),
        "{targets:?}: the secret is in `{function}`"
    );

    let result = on.api.result(&run).await.expect("the result is there");
    let (who, spy) = (&result.outputs["who"], &result.outputs["spy"]);
    println!("who: {who}\nspy: {spy}");
    let role = on.stack.output("TaskRoleArn");
    let role = role.rsplit('/').next().unwrap_or_default();
    let arn = who["arn"].as_str().unwrap_or_default();
    assert!(
        arn.contains(&format!(":assumed-role/{role}/{run}-")),
        "{arn} is not a session of `{role}`"
    );
    assert_eq!(who["run"], run.as_str());
    assert_eq!(spy["found"], "", "the worker's secret can be found");
    assert_eq!(spy["sockets"], "", "a task has no socket of the worker's");
    assert_eq!(spy["wiring"], 0, "a task has none of the worker's wiring");
    assert_eq!(
        spy["parent_environment"], "no",
        "the worker's environment cannot be read"
    );

    let view = on.api.run(&run).await.expect("the run is there");
    assert_eq!(view.trace_id, item.context.trace_id);
    assert_eq!(
        who["trace"],
        view.trace_id.as_str(),
        "the task has the trace id"
    );
    let logged = logged(&on, &view.trace_id).await;
    assert_eq!(
        logged,
        ["submit", "plan", "dispatch", WORKER, "aggregate"],
        "trace id {} in the logs",
        view.trace_id
    );
}
