//! WfFormat 1.5: what a trace becomes, and what is said about it.

use super::*;

fn trace(tasks: &str, files: &str, runs: &str) -> String {
    outcome(&format!(
        "{{\"name\": \"My Trace/1\", \"schemaVersion\": \"1.5\", \"author\": {{\"name\": [1]}}, \"workflow\": {{\"specification\": {{\"tasks\": [{tasks}], \"files\": [{files}]}}, \"execution\": {{\"makespanInSeconds\": 1, \"machines\": [{{\"a\": []}}], \"tasks\": [{runs}]}}}}}}"
    ))
}

#[test]
fn tasks_become_loads_and_files_move_along_edges() {
    insta::assert_snapshot!(trace(
        r#"{"id": "split_ID0000001", "name": "split_ID0000001", "parents": [], "children": ["count_ID0000002", "count_ID0000003"], "inputFiles": ["/data/in.txt"], "outputFiles": ["a", "b"]},
           {"id": "count_ID0000002", "parents": ["split_ID0000001"], "children": [], "inputFiles": ["a", "hdr"], "outputFiles": ["c"]},
           {"id": "count_ID0000003", "parents": ["split_ID0000001"], "children": [], "inputFiles": ["a", "b", "b"], "outputFiles": []}"#,
        r#"{"id": "a", "sizeInBytes": 10}, {"id": "b", "sizeInBytes": 20.0}, {"id": "c", "sizeInBytes": 1}, {"id": "hdr", "sizeInBytes": 5}, {"id": "/data/in.txt", "sizeInBytes": 99}"#,
        r#"{"id": "split_ID0000001", "runtimeInSeconds": 1.5, "memoryInBytes": 2000000, "command": {"program": "split", "arguments": []}}, {"id": "count_ID0000002", "runtimeInSeconds": 0, "memoryInBytes": 1048576}, {"id": "count_ID0000003", "runtimeInSeconds": 2, "memoryInBytes": 1048577}"#,
    ), @r#"
    split_ID0000001: burn 1500 ms in.txt~3@99 bytes >a >b
    count_ID0000002: burn 1 ms <split_ID0000001(10) a@split_ID0000001:a hdr@5 bytes >c
    count_ID0000003: burn 2000 ms <split_ID0000001(30) a@split_ID0000001:a b@split_ID0000001:b
    "#);
}

#[test]
fn what_is_not_recorded_is_assumed_and_said() {
    insta::assert_snapshot!(trace(
        r#"{"id": "a", "children": ["b"], "outputFiles": ["x"]}, {"id": "b", "parents": [], "inputFiles": ["x"]}"#,
        "",
        r#"{"id": "a", "runtimeInSeconds": 2, "memoryInBytes": null}"#,
    ), @r#"
    a: burn 2000 ms >x
    b: burn 1 ms <a x@a:x
    note FS1053 `workflow.specification.tasks`: 1 dependencies are given by only one of `parents` and `children`: all are kept
    note FS1055 `workflow.specification.files`: 1 files have no entry in `files`, such as `x`: they are taken as empty
    note FS1051 `workflow.execution.tasks`: 1 of 2 tasks record no run time: 1 ms is assumed
    note FS1050 `workflow.execution.tasks`: 2 of 2 tasks record no memory: 512 MiB is assumed
    "#);
}

#[test]
fn a_file_makes_its_reader_wait_unless_that_closed_a_circle() {
    insta::assert_snapshot!(trace(
        r#"{"id": "a", "outputFiles": ["x", "self"], "inputFiles": ["self"]}, {"id": "b", "inputFiles": ["x"]}"#,
        r#"{"id": "x", "sizeInBytes": 3}, {"id": "self", "sizeInBytes": 4}"#,
        r#"{"id": "a", "runtimeInSeconds": 1, "memoryInBytes": 1}, {"id": "b", "runtimeInSeconds": 1, "memoryInBytes": 1}"#,
    ), @r#"
    a: burn 1000 ms self@4 bytes >self >x
    b: burn 1000 ms <a(3) x@a:x
    note FS1052 `workflow.specification.tasks`: 1 dependencies were added because of files, such as `b` on `a`
    "#);
    insta::assert_snapshot!(trace(
        r#"{"id": "a", "children": ["b"], "outputFiles": ["x"], "inputFiles": ["y"]}, {"id": "b", "parents": ["a"], "inputFiles": ["x"], "outputFiles": ["y"]}, {"id": "c", "inputFiles": ["y"]}"#,
        r#"{"id": "x", "sizeInBytes": 3}, {"id": "y", "sizeInBytes": 4}"#,
        r#"{"id": "a", "runtimeInSeconds": 1, "memoryInBytes": 1}, {"id": "b", "runtimeInSeconds": 1, "memoryInBytes": 1}, {"id": "c", "runtimeInSeconds": 1, "memoryInBytes": 1}"#,
    ), @r#"
    a: burn 1000 ms y@4 bytes >x
    b: burn 1000 ms <a(3) x@a:x >y
    c: burn 1000 ms <b(4) y@b:y
    note FS1052 `workflow.specification.tasks`: 1 dependencies were added because of files, such as `c` on `b`
    note FS1054 `workflow.specification.tasks`: 1 files are generated where they are read: to wait for who writes them would close a circle
    "#);
}

#[test]
fn a_file_with_several_writers_comes_from_a_parent() {
    insta::assert_snapshot!(trace(
        r#"{"id": "a", "outputFiles": ["x"], "children": ["c"]}, {"id": "b", "outputFiles": ["x"], "children": ["d"]}, {"id": "c", "parents": ["a"], "inputFiles": ["x"]}, {"id": "d", "parents": ["b"], "inputFiles": ["x"]}"#,
        r#"{"id": "x", "sizeInBytes": 3}"#,
        r#"{"id": "a", "runtimeInSeconds": 1, "memoryInBytes": 1}, {"id": "b", "runtimeInSeconds": 1, "memoryInBytes": 1}, {"id": "c", "runtimeInSeconds": 1, "memoryInBytes": 1}, {"id": "d", "runtimeInSeconds": 1, "memoryInBytes": 1}"#,
    ), @r#"
    a: burn 1000 ms >x
    b: burn 1000 ms >x
    c: burn 1000 ms <a(3) x@a:x
    d: burn 1000 ms <b(3) x@b:x
    "#);
}

#[test]
fn traces_that_cannot_be_believed_are_refused() {
    insta::assert_snapshot!(trace(
        r#"{"id": "a", "parents": ["b"], "inputFiles": 3}, {"id": "b", "parents": ["a", "nobody"], "children": ["gone"]}, {"id": "a"}, {}, {"id": "bad\n"}"#,
        r#"{"id": "x"}, {"id": "y", "sizeInBytes": -1}"#,
        r#"{"id": "zz", "runtimeInSeconds": 1}, {"id": "a", "runtimeInSeconds": "fast", "memoryInBytes": 1e300}"#,
    ), @r#"
    1:158: FS1011 `workflow.specification.tasks[0].inputFiles`: expected a list, found the number `3`
    1:169: FS1021 `workflow.specification.tasks[1].parents`: there is no task `nobody`
    1:169: FS1021 `workflow.specification.tasks[1].children`: there is no task `gone`
    1:232: FS1020 `workflow.specification.tasks[2].id`: the id `a` is taken by tasks[0]
    1:238: FS1013 `workflow.specification.tasks[3]`: `id` is missing
    1:249: FS1016 `workflow.specification.tasks[4].id`: `bad\n` is not a name: more than 4096 bytes, or control characters
    1:270: FS1013 `workflow.specification.files[0]`: `sizeInBytes` is missing
    1:310: FS1015 `workflow.specification.files[1].sizeInBytes`: -1 is outside 0 to 9223372036854776
    1:397: FS1041 `workflow.execution.tasks[0]`: `zz` ran, but is not among the specified tasks
    1:459: FS1011 `workflow.execution.tasks[1].runtimeInSeconds`: expected a number, found the text `fast`
    1:484: FS1015 `workflow.execution.tasks[1].memoryInBytes`: 1e300 is outside 0 to 9223372036854776
    FS1016 `workflow.specification.tasks[3].id`: the id `` has not 1 to 256 characters
    "#);
    insta::assert_snapshot!(trace("", "", ""), @"FS1015 `workflow.specification.tasks`: there are no tasks");
    insta::assert_snapshot!(outcome(r#"{"name": "x", "schemaVersion": "1.4", "workflow": {"tasks": []}}"#), @r#"
    1:32: FS1040 `schemaVersion`: WfFormat 1.4 is not read, only 1.5 (hint: WfCommons has the same traces in 1.5, and a converter)
    FS1015 `workflow.specification.tasks`: there are no tasks
    "#);
    insta::assert_snapshot!(outcome(r#"{"workflow": {"specification": []}}"#), @r#"
    1:1: FS1013 `document`: `name` is missing
    1:1: FS1013 `document`: `schemaVersion` is missing
    FS1015 `workflow.specification.tasks`: there are no tasks
    "#);
}
