//! Splits and equivalents: what they become, and every way in which they can be wrong.

use foreshard_model::sculpt::{Merge, SplitBy};

use super::*;

const SPLIT: &str = "  - {id: a, kind: command, run: [x]}\n  - id: b\n    kind: command\n    run: [y]\n    needs: [a]\n";

/// The problems of a task with these fields.
fn of(fields: &str) -> String {
    tasks(&format!("{SPLIT}    {fields}\n"))
}

#[test]
fn what_is_cut_must_be_there() {
    insta::assert_snapshot!(of("inputs: {rows: {task: a}}\n    split: {array: $.row, merge: arrays}"), @"11:12: FS1035 `tasks[1].split.array`: the task has no input `row` (hint: did you mean `rows`?)");
    insta::assert_snapshot!(of("inputs: {rows: {task: a}}\n    split: {array: $, merge: arrays}"), @"11:12: FS1035 `tasks[1].split.array`: the task's input is an object, not an array (hint: name one of its members, such as `$.rows`)");
    insta::assert_snapshot!(of("input: {task: a}\n    split: {array: '$[*]', merge: arrays}"), @"11:12: FS1035 `tasks[1].split.array`: `$[*]` can name several places (hint: name the array, such as `$.rows`)");
    insta::assert_snapshot!(of("inputs: {rows: {value: {list: 3}}}\n    split: {array: $.rows.list, merge: arrays}"), @"11:12: FS1035 `tasks[1].split.array`: there is no array at `$.rows.list`");
    insta::assert_snapshot!(of("split: {merge: arrays}"), @"10:12: FS1035 `tasks[1].split`: nothing says what is cut: `array`, `lines` or `bytes` is missing");
    insta::assert_snapshot!(of("split: {array: $.x, lines: f, merge: arrays}"), @"10:12: FS1035 `tasks[1].split`: a task is cut by one thing: either `array`, `lines` or `bytes`");
    insta::assert_snapshot!(of("split: {lines: log, header: 1, record_bytes: 4, merge: numbers}"), @r"
    10:12: FS1035 `tasks[1].split.record_bytes`: it goes with `bytes`
    10:12: FS1035 `tasks[1].split.lines`: the task is given no file `log` (hint: list it in `files`)
    ");
    insta::assert_snapshot!(tasks("  - {id: a, kind: command, run: [x], writes: [log]}\n  - {id: b, kind: command, run: [x], needs: [a], files: [{task: a, file: log}], split: {bytes: lag, header: 1, merge: numbers}}\n"), @r"
    6:88: FS1035 `tasks[1].split.header`: it goes with `lines`
    6:88: FS1035 `tasks[1].split.bytes`: the task is given no file `lag` (hint: did you mean `log`?)
    ");
    // What is cut is taken from upstream like everything else.
    insta::assert_snapshot!(tasks("  - {id: a, kind: command, run: [x]}\n  - {id: b, kind: command, run: [x], inputs: {r: {task: a}}, split: {array: $.r, merge: arrays}}\n"), @"6:50: FS1023 `tasks[1].inputs.r`: `a` is not upstream of `b`: it may not have run (hint: add `a` to the `needs` of `b`; a mapping implies no dependency)");
}

#[test]
fn bounds_and_merges_must_fit() {
    insta::assert_snapshot!(of("inputs: {r: {task: a}}\n    memory_mib: 100\n    split: {array: $.r, min_parts: 9, max_parts: 3, fixed_s: 2, fixed_memory_mib: 200, merge: files}"), @r"
    12:12: FS1036 `tasks[1].split.min_parts`: at least 9 parts, but at most 3
    12:12: FS1036 `tasks[1].split.fixed_s`: it is a share of `estimate_s`, which the task does not have
    12:12: FS1036 `tasks[1].split.fixed_memory_mib`: every part needs 200 MiB, but the whole task 100 MiB
    12:95: FS1037 `tasks[1].split.merge`: the task leaves no files that could be put together (hint: list them in `writes`, or merge outputs)
    ");
    insta::assert_snapshot!(of("inputs: {r: {task: a}}\n    estimate_s: 1\n    split: {array: $.r, max_parts: 2000, fixed_s: 2, merge: list}"), @r"
    12:12: FS1036 `tasks[1].split.fixed_s`: every part takes 2 s, but the whole task 1 s
    12:36: FS1015 `tasks[1].split.max_parts`: 2000 is outside 1 to 1000
    12:61: FS1018 `tasks[1].split.merge`: `list` is not one of arrays, objects, numbers, files
    ");
    insta::assert_snapshot!(of("inputs: {r: {task: a}}\n    writes: [log, log.2]\n    split: {array: $.r, merge: {bundle: b, memory_mib: 0}}"), @r"
    12:32: FS1037 `tasks[1].split.merge`: `log.2` is what the merge finds a part of `log` as (hint: choose another name)
    12:32: FS1037 `tasks[1].split.merge`: it says nothing to run: `run`, `function` or `handler` is missing
    12:32: FS1017 `tasks[1].split.merge.bundle`: `bundle` goes with `run`
    12:56: FS1015 `tasks[1].split.merge.memory_mib`: 0 is outside 1 to 16777216
    ");
    insta::assert_snapshot!(of("inputs: {r: {task: a}}\n    split: {array: $.r, merge: {run: [x], handler: collect}}"), @"11:32: FS1037 `tasks[1].split.merge`: `run`, `handler` cannot all be given: it runs one thing");
    insta::assert_snapshot!(of("inputs: {r: {task: a}}\n    split: {array: $.r}"), @"11:12: FS1013 `tasks[1].split`: `merge` is missing");
    insta::assert_snapshot!(tasks("  - {id: a, kind: lambda, function: f, catch: [[States.ALL]], inputs: {r: {run: $}}, split: {array: $.r, merge: arrays}, equivalents: [{function: g}]}\n"), @r"
    5:113: FS1037 `tasks[0].split.merge`: the task has `catch`: its outputs are `{ok: …}` or `{caught: …}`, which are not put together by themselves (hint: give a task of your own, or leave `catch` away)
    5:136: FS1039 `tasks[0].equivalents[0]`: the task has `catch`, so that its output is `{ok: …}`: this one's is not (hint: leave `catch` away, or give only other resources)
    ");
}

#[test]
fn some_tasks_cannot_be_cut() {
    insta::assert_snapshot!(of("effect: once\n    inputs: {r: {task: a}}\n    split: {array: $.r, merge: arrays}"), @"12:12: FS1038 `tasks[1].split`: a task that must not run twice cannot be cut into parts (hint: set `effect: idempotent` if a repeat is harmless)");
    let by_default = format!(
        "{HEAD}defaults: {{effect: once}}\ntasks:\n  - {{id: a, kind: command, run: [x], inputs: {{r: {{run: $}}}}, split: {{array: $.r, merge: arrays}}}}\n"
    );
    insta::assert_snapshot!(outcome(&by_default), @"6:68: FS1038 `tasks[0].split`: a task that must not run twice cannot be cut into parts (hint: set `effect: idempotent` if a repeat is harmless)");
    insta::assert_snapshot!(tasks("  - {id: a, kind: synthetic, cpu_s: 1, inputs: {r: {run: $}}, split: {array: $.r, merge: arrays}, equivalents: [{run: [x]}]}\n"), @r"
    5:70: FS1038 `tasks[0].split`: a synthetic load has nothing that could be cut
    5:113: FS1039 `tasks[0].equivalents[0]`: a synthetic load stands for nothing that could be run instead (hint: give other resources)
    ");
    let long = "a".repeat(250);
    insta::assert_snapshot!(tasks(&format!("  - {{id: {long}, kind: command, run: [x], inputs: {{r: {{run: $}}}}, split: {{array: $.r, merge: arrays}}}}\n")), @"5:10: FS1015 `tasks[0]`: `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…` is longer than 246 characters (hint: ids inside sub-workflows are `reference/task`: shorten them)");
    insta::assert_snapshot!(outcome(&format!("{HEAD}workflows: {{w: {{tasks: [{{id: a, kind: command, run: [x]}}]}}}}\ntasks:\n  - {{id: a, kind: workflow, workflow: w, split: {{array: $, merge: arrays}}}}\n")), @r"
    6:42: FS1017 `tasks[0].split`: a task of kind workflow has no `split` (hint: the tasks of the sub-workflow have it; give them values with `params`)
    6:49: FS1035 `tasks[0].split.array`: the task's input is an object, not an array (hint: name one of its members, such as `$.rows`)
    ");
}

#[test]
fn equivalents_say_what_is_different() {
    insta::assert_snapshot!(of("equivalents: [{}, {note: same}, {bundle: b, memory_mib: 1}, {run: [a], function: f}, {run: ['']}, {estimate_s: 5, timeout_s: 1}]"), @r"
    10:19: FS1039 `tasks[1].equivalents[0]`: it says nothing that the task does not say (hint: give another `run`, `function` or `handler`, or other resources)
    10:23: FS1039 `tasks[1].equivalents[1]`: it says nothing that the task does not say (hint: give another `run`, `function` or `handler`, or other resources)
    10:37: FS1017 `tasks[1].equivalents[2].bundle`: `bundle` goes with `run`
    10:65: FS1039 `tasks[1].equivalents[3]`: `run`, `function` cannot all be given: it runs one thing
    10:90: FS1015 `tasks[1].equivalents[4].run`: it names no program
    10:103: FS1015 `tasks[1].equivalents[5].timeout_s`: the estimate of 5000 ms is longer than the timeout of 1000 ms
    ");
    insta::assert_snapshot!(of(&format!("equivalents: [{}]", ["{vcpus: 2}"; 17].join(", "))), @"6:9: FS1015 `tasks[1].equivalents`: 17 equivalents, at most 16");
}

#[test]
fn defaults_and_bundles_reach_what_a_task_may_become() {
    let text = "
defaults: {memory_mib: 300, timeout_s: 50}
tasks:
  - id: a
    kind: command
    run: [x]
    bundle: one
    gpu_mib: 1000
    estimate_s: 40
    inputs: {r: {value: {list: [1, 2]}}}
    affinity: {require: {zone: a}, together: t}
    split: {array: $.r.list, min_parts: 2, smallest_s: 3, merge: {run: [m], bundle: two}}
    equivalents:
      - {}
      - {run: [y], bundle: three, memory_mib: 500, estimate_s: 4, require: {zone: b}}
";
    let parsed = document(format!("{HEAD}{text}").as_bytes(), &Library::new()).unwrap();
    assert_eq!(parsed.bundles, ["one", "three", "two"]);
    let extras = parsed.workflow.tasks[0].extras();
    let split = extras.split.unwrap();
    let path = "$.r.list".to_owned();
    assert_eq!(split.by, SplitBy::Array { path });
    assert_eq!(
        (split.min_parts, split.max_parts, split.smallest_ms),
        (2, 1_000, 3_000)
    );
    let Merge::Task(merge) = &split.merge else {
        panic!("{split:?}");
    };
    assert_eq!(
        (
            merge.resources.memory.0,
            merge.resources.gpu,
            merge.timeout_ms
        ),
        (300, None, 50_000)
    );
    let [elsewhere, other] = &extras.equivalents[..] else {
        panic!("{:?}", extras.equivalents);
    };
    assert_eq!(elsewhere.kind, parsed.workflow.tasks[0].kind);
    assert_eq!(
        (elsewhere.resources.gpu, elsewhere.estimate_ms),
        (None, Some(40_000))
    );
    assert!(elsewhere.affinity.require.is_empty());
    assert_eq!(
        (
            other.resources.memory.0,
            other.estimate_ms,
            other.timeout_ms
        ),
        (500, Some(4_000), 50_000)
    );
    assert_eq!(other.affinity.require["zone"], "b");
    assert_eq!(other.affinity.together.as_deref(), Some("t"));
}
