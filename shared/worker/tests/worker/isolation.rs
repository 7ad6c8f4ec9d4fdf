//! What one task or run can see and change of another: nothing.

use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use foreshard_model::claim::Claim;
use foreshard_model::ids::Sha256Hex;
use foreshard_model::message::{Cause, OutcomeStatus};
use serde_json::json;

use crate::bench::{Bench, With as _, command, script};

/// Files below a folder.
fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

fn secrets(bench: &Bench) -> usize {
    let files = files_below(bench.root.path());
    files
        .iter()
        .filter(|f| std::fs::read_to_string(f).is_ok_and(|text| text.contains("secret of a")))
        .count()
}

#[tokio::test]
async fn a_run_finds_nothing_of_another_in_a_reused_environment() {
    let bench = Bench::new();
    let leave = "printf 'secret of a' | tee kept $TMPDIR/left ~/hidden > lost";
    let first = bench.shard_of("r-a", 0, vec![script("a", leave).writes("kept", None)]);
    assert_eq!(bench.execute(&first).await.status, OutcomeStatus::Done);
    assert_eq!(
        secrets(&bench),
        1,
        "the output is kept for the same run, the scratch is gone"
    );
    let search = format!(
        "grep -rl 'secret of a' {} | wc -l",
        bench.root.path().display()
    );
    let second = bench.shard_of("r-b", 0, vec![script("b", &search)]);
    let outcome = bench.execute(&second).await;
    assert_eq!(bench.value(&outcome, "b"), json!(0));
    assert_eq!(secrets(&bench), 0);
}

#[tokio::test]
async fn a_scratch_is_gone_however_its_task_ends() {
    let bench = Bench::new();
    for text in [
        "exit 1",
        "kill -9 $$",
        "sleep 600",
        "chmod 0 .; chmod 0 $TMPDIR; true",
    ] {
        let text = format!("printf 'secret of a' | tee $TMPDIR/left > left; mkdir -p d/e; {text}");
        bench
            .execute(&bench.shard(0, vec![script("t", &text).timeout(200)]))
            .await;
        assert_eq!(secrets(&bench), 0, "{text}");
    }
}

#[tokio::test]
async fn tasks_do_not_share_a_scratch() {
    let bench = Bench::new();
    let tasks = vec![
        script("a", "echo x > file; ls -A | wc -l"),
        script("b", "ls -A | wc -l").after(&[0]),
    ];
    let outcome = bench.execute(&bench.shard(0, tasks)).await;
    assert_eq!(bench.value(&outcome, "a"), json!(1));
    assert_eq!(bench.value(&outcome, "b"), json!(0));
}

#[tokio::test]
async fn an_input_that_others_read_too_cannot_be_changed_unnoticed() {
    let bench = Bench::new();
    let make = || {
        script("make", "head -c 2000000 /dev/zero > f; printf s > s")
            .writes("f", None)
            .writes("s", None)
    };
    let append = script("append", "chmod u+w f 2>/dev/null; echo x >> f")
        .after(&[0])
        .file("f", 0, "make", "f");
    let outcome = bench.execute(&bench.shard(0, vec![make(), append])).await;
    let failure = outcome.failure.unwrap();
    assert_eq!(
        (failure.cause, failure.task),
        (Cause::TaskFailed, Some("append".into()))
    );
    // Small files are the task's own; large ones can be replaced.
    let fine = script(
        "fine",
        "echo x >> s; cp f g; chmod u+w g; mv -f g f; echo x >> f; wc -c < f",
    )
    .after(&[0]);
    let fine = fine.file("f", 0, "make", "f").file("s", 0, "make", "s");
    let read = script("read", "wc -c < f")
        .after(&[1])
        .file("f", 0, "make", "f");
    let outcome = bench
        .execute(&bench.shard(1, shard_one(vec![make(), fine, read])))
        .await;
    assert_eq!(bench.value(&outcome, "fine"), json!(2_000_002));
    assert_eq!(bench.value(&outcome, "read"), json!(2_000_000));
}

/// The same tasks in shard 1.
fn shard_one(
    mut tasks: Vec<foreshard_model::output::ShardTask>,
) -> Vec<foreshard_model::output::ShardTask> {
    use foreshard_model::output::LocatedFileSource;
    for file in tasks.iter_mut().flat_map(|task| &mut task.files) {
        if let LocatedFileSource::Task { shard, .. } = &mut file.source {
            *shard = foreshard_model::ids::ShardId(1);
        }
    }
    tasks
}

#[tokio::test]
async fn outputs_must_be_files_of_the_scratch() {
    let bench = Bench::new();
    for text in ["ln -s /etc/hostname f", "mkdir f", "mkfifo f"] {
        let (cause, message) = bench.failure(script("t", text).writes("f", None)).await;
        assert_eq!(cause, Cause::BadOutput, "{text}: {message}");
    }
    let (cause, _) = bench
        .failure(script("t", "echo x > ../f").writes("../f", None))
        .await;
    assert_eq!(cause, Cause::TaskFailed);
}

fn bundle(bench: &Bench, entries: &[(&str, &str)]) -> Claim {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o755);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    let sha256 = Sha256Hex::of(&bytes);
    let claim = Claim {
        key: format!("bundles/1/{sha256}"),
        sha256,
        bytes: bytes.len() as u64,
    };
    bench.world.put_blob(&claim.key, bytes);
    claim
}

#[tokio::test]
async fn programs_come_from_the_bundle_and_cannot_change_it() {
    let bench = Bench::new();
    let program = "#!/bin/sh\necho \"\\\"$(cat $FORESHARD_BUNDLE/word)-$1\\\"\"\n";
    let claim = bundle(&bench, &[("bin/say", program), ("word", "hello")]);
    let say = |id: &str| {
        let mut task = command(id, &["bin/say", "you"]);
        task.bundle = Some(claim.clone());
        task
    };
    let outcome = bench
        .execute(&bench.shard(0, vec![say("a"), say("b")]))
        .await;
    assert_eq!(bench.value(&outcome, "a"), json!("hello-you"));
    assert_eq!(bench.value(&outcome, "b"), json!("hello-you"));
}

#[tokio::test]
async fn bad_bundles_are_refused() {
    let bench = Bench::new();
    let mut escaping = command("t", &["x"]);
    escaping.bundle = Some(bundle(&bench, &[("../../escaped", "x")]));
    let (cause, message) = bench.failure(escaping).await;
    assert_eq!(cause, Cause::TaskFailed);
    assert!(
        message.contains("`../../escaped` in the bundle leads out of it"),
        "{message}"
    );
    assert!(
        !files_below(bench.root.path())
            .iter()
            .any(|f| f.ends_with("escaped"))
    );
    let mut tampered = command("t", &["x"]);
    let claim = bundle(&bench, &[("x", "x")]);
    bench.world.put_blob(&claim.key, b"other".to_vec());
    tampered.bundle = Some(claim);
    assert_eq!(bench.failure(tampered).await.0, Cause::InputMissing);
}
