//! Each kind of task: what it gives, and how it fails.

use foreshard_model::message::Cause;
use foreshard_model::workflow::TaskKind;
use serde_json::json;

use crate::bench::{Bench, With as _, command, handler, lambda, script, synthetic};

#[tokio::test]
async fn a_command_reads_json_and_writes_json() {
    let bench = Bench::new();
    let input = json!({"a": [1, {"b": "ü"}], "c": null});
    let task = command("cat", &["cat"]).constant("x", input.clone());
    assert_eq!(bench.output(task).await, json!({ "x": input }));
    assert_eq!(bench.output(script("silent", "true")).await, json!(null));
}

#[tokio::test]
async fn a_command_sees_its_environment_and_nothing_else() {
    let bench = Bench::new();
    let mut task = script("env", r#"env | sort | sed 's/=.*//' | tr '\n' ' ' >&2; printf '"%s %s %s %s"' "$INPUT_N" "$USERS" "$FORESHARD_BAGGAGE" "$AWS_SECRET_ACCESS_KEY" | sed 's/{"team":"blue"}/blue/'"#)
        .constant("n", json!(7));
    if let TaskKind::Command(command) = &mut task.kind {
        command.env.insert("USERS".to_owned(), "own".to_owned());
        command
            .env
            .insert("AWS_SECRET_ACCESS_KEY".to_owned(), "mine".to_owned());
    }
    let output = bench.output(task).await;
    assert_eq!(
        output,
        json!("7 own blue secret of r-aaaaaaaaaaaaaaaaaaaa-0-1")
    );
    let expected = "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN FORESHARD_ATTEMPT FORESHARD_BAGGAGE \
                    FORESHARD_RUN FORESHARD_TASK FORESHARD_TRACE_ID HOME INPUT_N LANG PATH PWD TMPDIR USERS ";
    let seen: String = bench
        .log("env")
        .split(' ')
        .filter(|name| !matches!(*name, "_" | "SHLVL" | "OLDPWD"))
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_command_that_fails_says_why_in_its_log() {
    let bench = Bench::new();
    let (cause, message) = bench
        .failure(script("broken", "echo secret detail >&2; exit 3"))
        .await;
    assert_eq!(cause, Cause::TaskFailed);
    assert_eq!(
        message,
        "task `broken`: exit status 3; its standard error is in the task's log"
    );
    assert_eq!(bench.log("broken"), "secret detail\n");
    let (cause, _) = bench.failure(script("crash", "kill -SEGV $$")).await;
    assert_eq!(cause, Cause::TaskFailed);
    let (cause, _) = bench.failure(command("absent", &["no-such-program"])).await;
    assert_eq!(cause, Cause::TaskFailed);
    assert!(
        bench
            .log("absent")
            .starts_with("cannot start `no-such-program`"),
        "{}",
        bench.log("absent")
    );
}

#[tokio::test]
async fn output_that_is_no_json_is_not_taken() {
    let bench = Bench::new();
    let (cause, message) = bench.failure(script("text", "echo hello secret")).await;
    assert_eq!(cause, Cause::BadOutput);
    assert!(!message.contains("secret"), "{message}");
    let (cause, _) = bench
        .failure(script("forgot", "true").writes("result.csv", None))
        .await;
    assert_eq!(cause, Cause::BadOutput);
    let too_much = "head -c 70000000 /dev/zero | tr '\\0' '1'";
    let (cause, message) = bench.failure(script("much", too_much)).await;
    assert_eq!(cause, Cause::BadOutput, "{message}");
}

#[tokio::test]
async fn a_process_that_somebody_killed_was_out_of_memory() {
    let bench = Bench::new();
    for text in ["kill -9 $$", "sh -c 'kill -9 $$'; exit $?"] {
        let (cause, message) = bench.failure(script("large", text)).await;
        assert_eq!(cause, Cause::OutOfMemory);
        assert!(message.contains("`large`"), "{message}");
    }
}

#[tokio::test]
async fn a_timeout_ends_the_whole_group() {
    let bench = Bench::new();
    let pids = bench.root.path().join("pids");
    let text = format!(
        "sleep 600 & echo $! > {0}; echo $$ >> {0}; sleep 600",
        pids.display()
    );
    let (cause, message) = bench.failure(script("slow", &text).timeout(300)).await;
    assert_eq!(cause, Cause::Timeout);
    assert!(message.contains("300 ms"), "{message}");
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        assert!(!is_running(pid), "{pid} still runs");
    }
}

/// Whether a process is there and no zombie.
fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z") && !stat.contains(") X")
}

#[tokio::test]
async fn a_command_that_leaves_a_process_behind_does_not_wait_for_it() {
    let bench = Bench::new();
    let task = script("leaves", "sleep 600 & echo $!");
    let pid = bench.output(task).await.to_string();
    assert!(!is_running(&pid));
}

#[tokio::test]
async fn a_lambda_task_calls_with_the_tasks_identity() {
    let bench = Bench::new();
    bench
        .world
        .on_invoke("double", |payload| match payload["x"].as_i64() {
            Some(x) => Ok(json!(x * 2)),
            None => Err("no x here".to_owned()),
        });
    assert_eq!(
        bench
            .output(lambda("ok", "double").constant("x", json!(4)))
            .await,
        json!(8)
    );
    assert_eq!(
        bench.world.invoked()[0].access_key_id,
        "ASIA-r-aaaaaaaaaaaaaaaaaaaa-0-1"
    );
    let (cause, message) = bench.failure(lambda("bad", "double")).await;
    assert_eq!(cause, Cause::TaskFailed);
    assert!(!message.contains("no x here"), "{message}");
    assert_eq!(bench.log("bad"), "no x here");
    let (cause, _) = bench.failure(lambda("absent", "triple")).await;
    assert_eq!(cause, Cause::TaskFailed);
    assert_eq!(bench.world.assumed().len(), 1, "once for the run");
}

#[tokio::test]
async fn handlers_run_in_process_and_cannot_take_it_down() {
    let bench = Bench::with(
        |_| {},
        |handlers| {
            handlers.register("panic", |_| panic!("by a handler"));
            handlers.register("forever", |call| {
                while !call.is_cancelled() {
                    std::thread::yield_now();
                }
                Err("cancelled".to_owned().into())
            });
        },
    );
    let collected = handler("all", "collect").constant("x", json!([1]));
    assert_eq!(bench.output(collected).await, json!({"x": [1]}));
    let table = [
        ("panic", 20_000, Cause::TaskFailed),
        ("forever", 200, Cause::Timeout),
        ("unknown", 20_000, Cause::TaskFailed),
    ];
    for (name, timeout_ms, expected) in table {
        let (cause, message) = bench.failure(handler("h", name).timeout(timeout_ms)).await;
        assert_eq!(cause, expected, "{message}");
    }
    assert_eq!(
        bench.world.assumed(),
        [],
        "no identity where none is needed"
    );
}

#[tokio::test]
async fn a_synthetic_task_uses_what_it_states() {
    let bench = Bench::new();
    let task = synthetic("load", 300.0, 48)
        .generated("in.dat", 3_000_001)
        .writes("out.dat", Some(1_234_567));
    let outcome = bench.execute(&bench.shard(0, vec![task])).await;
    let output = bench.task_output(&outcome, "load");
    let value = bench.value(&outcome, "load");
    assert_eq!(
        (&value["read_bytes"], &value["written_bytes"]),
        (&json!(3_000_001), &json!(1_234_567))
    );
    assert_eq!(output.files["out.dat"].bytes, 1_234_567);
    assert_eq!(
        bench
            .world
            .blob(&output.files["out.dat"].key)
            .unwrap()
            .len(),
        1_234_567
    );
    let used = output.usage;
    assert!((300..400).contains(&used.cpu_ms), "{used:?}");
    assert!((48 * 1024..53 * 1024).contains(&used.peak_kib), "{used:?}");
    assert!(
        used.read_bytes >= 3_000_001 && used.written_bytes >= 1_234_567,
        "{used:?}"
    );
    assert_eq!(
        bench.world.assumed(),
        [],
        "no identity where none is needed"
    );
}

#[tokio::test]
async fn a_synthetic_task_reads_what_was_written() {
    let bench = Bench::new();
    let shard = |seed: &str| {
        let first = synthetic("first", 1.0, 0)
            .generated(seed, 500_000)
            .writes("a", Some(300_000));
        let second = synthetic("second", 1.0, 0)
            .after(&[0])
            .file("a", 0, "first", "a")
            .writes("b", Some(10));
        vec![first, second]
    };
    let digest = async |seed: &str| {
        let outcome = bench.execute(&bench.shard(0, shard(seed))).await;
        assert_eq!(
            bench.value(&outcome, "second")["read_bytes"],
            json!(300_000)
        );
        bench.value(&outcome, "second")["digest"].clone()
    };
    let one = digest("one").await;
    assert_eq!(
        one,
        digest("one").await,
        "the same inputs give the same result"
    );
    assert_ne!(one, digest("two").await, "other inputs reach the last task");
}
