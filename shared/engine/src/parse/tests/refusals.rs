//! Every way in which a document can be wrong gets its code, its place, and a message that helps.

use foreshard_model::limits::{INLINE_DOCUMENT_BYTES, PROBLEMS_REPORTED};

use super::*;

#[test]
fn all_problems_of_a_document_come_at_once() {
    insta::assert_snapshot!(outcome(
        "foreshard: 1\nname: Bad Name\nversion: 1.0\ndescripton: x\ndefaults: {memory_mib: 0, retries: many}\n\
         tasks:\n  - id: a\n    kind: command\n    run: bash\n    timeout: 3\n  - id: a\n    kind: comand\n    needs: [b, a]\n\
         \x20 - {id: c, kind: http, url: ftp://x, function: f, inputs: {v: {task: zz, path: x}}}\n"
    ), @r#"
    2:7: FS1016 `name`: `Bad Name` is not a name of a workflow (hint: use 1 to 64 lower-case letters, digits and `-`)
    3:10: FS1011 `version`: expected a text, found the number `1.0` (hint: put it in quotes: "1.0")
    4:1: FS1012 `descripton`: there is no field `descripton` here (hint: did you mean `description`?)
    5:24: FS1015 `defaults.memory_mib`: 0 is outside 1 to 16777216
    5:36: FS1011 `defaults.retries`: expected a whole number, found the text `many`
    9:10: FS1011 `tasks[0].run`: expected a list, found the text `bash`
    10:5: FS1012 `tasks[0].timeout`: there is no field `timeout` here (hint: did you mean `timeout_s`?)
    11:9: FS1020 `tasks[1].id`: the id `a` is taken by tasks[0] in line 7 (hint: ids are unique within a list of tasks)
    12:11: FS1018 `tasks[1].kind`: `comand` is not one of command, lambda, http, handler, synthetic, workflow (hint: did you mean `command`?)
    13:13: FS1021 `tasks[1].needs[0]`: there is no task `b`
    14:30: FS1025 `tasks[2].url`: `ftp://x` is not a URL of http or https (hint: give an absolute URL, such as `https://example.com/path`)
    14:39: FS1017 `tasks[2].function`: a task of kind http has no `function` (hint: it goes with kind lambda)
    14:64: FS1021 `tasks[2].inputs.v`: there is no task `zz`
    14:81: FS1024 `tasks[2].inputs.v.path`: `x` is not a JSONPath (hint: a path begins with `$`, such as `$.name`, `$.list[0]`, `$[*].id` (RFC 9535))
    "#);
}

#[test]
fn documents_that_are_none() {
    insta::assert_snapshot!(outcome(""), @"FS1001 `document`: the document is empty");
    insta::assert_snapshot!(outcome("# only a comment\n"), @"FS1001 `document`: the document is empty");
    insta::assert_snapshot!(outcome("just text"), @"1:1: FS1010 `document`: expected an object with `foreshard`, found the text `just text` (hint: a workflow begins with `foreshard: 1`)");
    insta::assert_snapshot!(outcome("[1, 2]"), @"1:1: FS1010 `document`: expected an object with `foreshard`, found a list of 2 (hint: a workflow begins with `foreshard: 1`)");
    insta::assert_snapshot!(outcome("{\"a\": 1}"), @"1:1: FS1010 `document`: neither `foreshard` nor WfFormat's `workflow` is here; found: a (hint: a workflow begins with `foreshard: 1`)");
    insta::assert_snapshot!(outcome("foreshard: 2\nname: x\nversion: \"1\"\ntasks: []"), @r#"
    1:12: FS1015 `foreshard`: expected 1, found 2
    4:9: FS1015 `tasks`: the list is empty (hint: at least one is needed)
    "#);
    insta::assert_snapshot!(outcome("\u{7f}ELF\u{0}\u{1}"), @"FS1002 `document`: the document is not text: byte 4 is zero (hint: documents are UTF-8 text, YAML or JSON, or either gzipped)");
    insta::assert_snapshot!(outcome("foreshard: 1\ntasks:\n - {id: a, kind: command, run: [x]}\ntasks: []\n"), @r#"
    1:1: FS1013 `document`: `name` is missing
    1:1: FS1013 `document`: `version` is missing
    4:1: FS1014 `tasks`: `tasks` is given twice (hint: remove one of them)
    "#);
    insta::assert_snapshot!(outcome("foreshard: 1\nname: x\nversion: \"1\"\ntasks: {a: 1}\nworkflow: {a: 1}\n"), @r#"
    4:8: FS1011 `tasks`: expected a list, found an object with 1 fields
    5:1: FS1012 `workflow`: there is no field `workflow` here (hint: did you mean `workflows`?)
    "#);
}

#[test]
fn kinds_have_their_fields_and_no_others() {
    insta::assert_snapshot!(tasks("
  - {id: a, kind: command}
  - {id: b, kind: lambda, run: [x]}
  - {id: c, kind: http, function: f}
  - {id: d, kind: handler, cpu_s: 1}
  - {id: e, kind: synthetic, cpu_s: -1}
  - {id: f, kind: workflow, memory_mib: 3, workflow: g}
  - {id: g, kind: command, run: []}
  - {id: h, kind: [command]}
  - {id: i, kind: command, run: [\"\"]}
  - {kind: command, run: [x]}
  - i
"), @r#"
    6:5: FS1013 `tasks[0]`: `run` is missing: a task of kind command has one
    7:5: FS1013 `tasks[1]`: `function` is missing: a task of kind lambda has one
    7:27: FS1017 `tasks[1].run`: a task of kind lambda has no `run` (hint: it goes with kind command)
    8:5: FS1013 `tasks[2]`: `url` is missing: a task of kind http has one
    8:25: FS1017 `tasks[2].function`: a task of kind http has no `function` (hint: it goes with kind lambda)
    9:5: FS1013 `tasks[3]`: `handler` is missing: a task of kind handler has one
    9:28: FS1017 `tasks[3].cpu_s`: a task of kind handler has no `cpu_s` (hint: it goes with kind synthetic)
    10:37: FS1015 `tasks[4].cpu_s`: -1 is outside 0 to 31536000
    11:29: FS1017 `tasks[5].memory_mib`: a task of kind workflow has no `memory_mib` (hint: the tasks of the sub-workflow have it; give them values with `params`)
    11:54: FS1030 `tasks[5].workflow`: there is no sub-workflow `g` in `workflows` (hint: a registered workflow is written `name@version`)
    12:33: FS1015 `tasks[6].run`: the list is empty (hint: at least one is needed)
    13:19: FS1011 `tasks[7].kind`: expected a text, one of command, lambda, http, handler, synthetic, workflow, found a list of 1
    14:34: FS1015 `tasks[8].run`: it names no program
    15:5: FS1013 `tasks[9]`: `id` is missing
    16:5: FS1011 `tasks[10]`: expected an object, found the text `i`
    "#);
}

#[test]
fn values_have_types_and_ranges() {
    insta::assert_snapshot!(tasks("
  - id: a
    kind: command
    run: [1, \"\\0\"]
    env: {\"1A\": x, AWS_SESSION_TOKEN: x, B: 2}
    bundle: ../secrets
    memory_mib: 1e9
    vcpus: many
    disk_mib: 1.5
    retries: -1
    timeout_s: 0
    estimate_s: \"3\"
    effect: twice
    priority: 5000
    critical: 1
    writes: [../../etc/passwd, /etc/passwd, .., a, a, {nam: b}]
    type: \"\"
    cut: {after: 1, never: true}
    affinity: {require: {a: 1}}
    needs:
  - {id: b, kind: command, run: [x], estimate_s: 10, timeout_s: 5, effect: once, critical: true}
  - {id: \"b\\u0007\", kind: command, run: [x]}
  - {id: a/b, kind: command, run: [x]}
  - {id: \"\", kind: command, run: [x]}
"), @r#"
    8:11: FS1011 `tasks[0].run[0]`: expected a text, found the number `1` (hint: put it in quotes: "1")
    8:14: FS1016 `tasks[0].run[1]`: `\u{0}` cannot be given to a program (hint: it must not contain zero characters, nor be longer than 131,071 bytes, which is Linux's limit)
    9:11: FS1016 `tasks[0].env.1A`: `1A` is not a name of an environment variable (hint: use 1 to 128 letters, digits and `_`, beginning with a letter or `_`)
    9:20: FS1016 `tasks[0].env.AWS_SESSION_TOKEN`: `AWS_SESSION_TOKEN` is set by the worker (hint: choose another name)
    9:45: FS1011 `tasks[0].env.B`: expected a text, found the number `2` (hint: put it in quotes: "2")
    10:13: FS1026 `tasks[0].bundle`: `../secrets` is not a folder to bundle (hint: name a folder beside the document or below, such as `scripts`; `.` is the document's own)
    11:17: FS1015 `tasks[0].memory_mib`: 1e9 is outside 1 to 16777216
    12:12: FS1011 `tasks[0].vcpus`: expected a number, found the text `many`
    13:15: FS1011 `tasks[0].disk_mib`: expected a whole number, found the number `1.5`
    14:14: FS1015 `tasks[0].retries`: -1 is outside 0 to 100
    15:16: FS1015 `tasks[0].timeout_s`: 0 is outside 0.001 to 31536000
    16:17: FS1011 `tasks[0].estimate_s`: expected a number, found the text `3` (hint: remove the quotes)
    17:13: FS1018 `tasks[0].effect`: `twice` is not one of pure, idempotent, once
    18:15: FS1015 `tasks[0].priority`: 5000 is outside -1000 to 1000
    19:15: FS1011 `tasks[0].critical`: expected `true` or `false`, found the number `1`
    20:14: FS1026 `tasks[0].writes[0]`: `../../etc/passwd` is not a file name (hint: files lie flat in the task's scratch: a plain name of at most 255 bytes, without `/` and control characters)
    20:32: FS1026 `tasks[0].writes[1]`: `/etc/passwd` is not a file name (hint: files lie flat in the task's scratch: a plain name of at most 255 bytes, without `/` and control characters)
    20:45: FS1026 `tasks[0].writes[2]`: `..` is not a file name (hint: files lie flat in the task's scratch: a plain name of at most 255 bytes, without `/` and control characters)
    20:52: FS1019 `tasks[0].writes[4]`: two files are called `a`
    20:55: FS1013 `tasks[0].writes[5]`: `name` is missing
    20:56: FS1012 `tasks[0].writes[5].nam`: there is no field `nam` here (hint: did you mean `name`?)
    21:11: FS1016 `tasks[0].type`: `` is not a type of task (hint: use 1 to 128 letters, digits, `_`, `.`, `:`, `/` and `-`)
    22:18: FS1011 `tasks[0].cut.after`: expected `true` or `false`, found the number `1`
    22:21: FS1012 `tasks[0].cut.never`: there is no field `never` here (hint: possible are after, when_output_exceeds_bytes, when_elapsed_exceeds_s)
    23:29: FS1011 `tasks[0].affinity.require.a`: expected a text, found the number `1` (hint: put it in quotes: "1")
    24:10: FS1011 `tasks[0].needs`: expected a list, found nothing (null) (hint: give a value, or remove the field)
    25:10: FS1017 `tasks[1].critical`: a task that must not run twice cannot be critical: critical tasks run twice
    25:10: FS1015 `tasks[1].timeout_s`: the estimate of 10 s is longer than the timeout of 5 s
    26:10: FS1016 `tasks[2].id`: `b\u{7}` is not an id (hint: use 1 to 256 letters, digits, `_`, `.` and `-`; it does not begin with `.` or `-`)
    27:10: FS1016 `tasks[3].id`: `a/b` is not an id (hint: use 1 to 256 letters, digits, `_`, `.` and `-`; it does not begin with `.` or `-`)
    28:10: FS1016 `tasks[4].id`: `` is not an id (hint: use 1 to 256 letters, digits, `_`, `.` and `-`; it does not begin with `.` or `-`)
    "#);
}

#[test]
fn sources_are_one_thing_each() {
    insta::assert_snapshot!(tasks("
  - {id: a, kind: command, run: [x], writes: [f]}
  - id: b
    kind: command
    run: [x]
    needs: [a, a]
    inputs:
      none: {}
      two: {task: a, value: 1}
      stray: {value: 1, path: $.x}
      bad: {task: a, path: \"$.[\"}
      deep: {task: a, path: \"$[?((((((((((@.a==1))))))))))]\"}
      file: {task: a, file: f}
      default: {task: a, default: 1}
      param: {param: p}
      itself: {task: b}
    files:
      - {task: a}
      - {file: f}
      - {task: a, file: g}
      - {task: a, file: f, param: p}
      - {param: p}
      - {}
outputs:
  gone: {task: c}
"), @r#"
    10:16: FS1019 `tasks[1].needs[1]`: `a` is named twice
    12:13: FS1028 `tasks[1].inputs.none`: no source: one of `task`, `run`, `value` and `param` is missing (hint: a source is one of {task: id}, {run: $.path}, {value: …}, {param: name})
    13:12: FS1028 `tasks[1].inputs.two`: several sources: only one of `task`, `run`, `value` and `param` can be given (hint: a source is one of {task: id}, {run: $.path}, {value: …}, {param: name})
    14:14: FS1028 `tasks[1].inputs.stray`: `path` and `file` go with `task` (hint: a source is one of {task: id}, {run: $.path}, {value: …}, {param: name})
    15:28: FS1024 `tasks[1].inputs.bad.path`: `$.[` is not a JSONPath (hint: a path begins with `$`, such as `$.name`, `$.list[0]`, `$[*].id` (RFC 9535))
    16:29: FS1024 `tasks[1].inputs.deep.path`: `$[?((((((((((@.a==1))))))))))]` nests more than 8 brackets (hint: use a shorter path)
    17:13: FS1028 `tasks[1].inputs.file`: a file is not a value: files are listed in `files` (hint: a source is one of {task: id}, {run: $.path}, {value: …}, {param: name})
    18:16: FS1028 `tasks[1].inputs.default`: `default` goes with `run`; a parameter has its default where it is declared (hint: a source is one of {task: id}, {run: $.path}, {value: …}, {param: name})
    19:14: FS1029 `tasks[1].inputs.param`: there is no parameter `p` here (hint: declare it in `params`)
    20:15: FS1023 `tasks[1].inputs.itself`: `b` takes from itself
    22:9: FS1028 `tasks[1].files[0]`: `file` is missing: what the file is called in the task that writes it (hint: a file is {task: id, file: its name there} or {name: …, param: name})
    23:9: FS1028 `tasks[1].files[1]`: `task` is missing: who writes the file (hint: a file is {task: id, file: its name there} or {name: …, param: name})
    24:9: FS1027 `tasks[1].files[2]`: `a` does not write `g` (hint: list it in the `writes` of `a`)
    25:9: FS1028 `tasks[1].files[3]`: several sources: either `task` and `file`, or `param` (hint: a file is {task: id, file: its name there} or {name: …, param: name})
    26:9: FS1028 `tasks[1].files[4]`: `name` is missing: what the file is called in the scratch (hint: a file is {task: id, file: its name there} or {name: …, param: name})
    27:9: FS1028 `tasks[1].files[5]`: no source: `task` and `file`, or `param`, are missing (hint: a file is {task: id, file: its name there} or {name: …, param: name})
    29:9: FS1021 `outputs.gone`: there is no task `c`
    "#);
}

#[test]
fn a_mapping_implies_no_dependency() {
    insta::assert_snapshot!(tasks("
  - {id: a, kind: command, run: [x], writes: [f]}
  - {id: b, kind: command, run: [x], needs: [a]}
  - {id: c, kind: command, run: [x], needs: [b], inputs: {far: {task: a}, later: {task: d}}}
  - {id: d, kind: command, run: [x], needs: [c]}
  - {id: e, kind: command, run: [x], inputs: {v: {task: a}}, files: [{task: a, file: f}]}
"), @r#"
    8:82: FS1023 `tasks[2].inputs.later`: `d` is not upstream of `c`: it may not have run (hint: add `d` to the `needs` of `c`; a mapping implies no dependency)
    10:50: FS1023 `tasks[4].inputs.v`: `a` is not upstream of `e`: it may not have run (hint: add `a` to the `needs` of `e`; a mapping implies no dependency)
    10:70: FS1023 `tasks[4].files[0]`: `a` is not upstream of `e`: it may not have run (hint: add `a` to the `needs` of `e`; a mapping implies no dependency)
    "#);
}

#[test]
fn cycles_are_named_by_their_tasks() {
    insta::assert_snapshot!(tasks("
  - {id: a, kind: command, run: [x], needs: [c]}
  - {id: b, kind: command, run: [x], needs: [a]}
  - {id: c, kind: command, run: [x], needs: [b]}
  - {id: d, kind: command, run: [x], needs: [c, e]}
  - {id: e, kind: command, run: [x], needs: [e]}
"), @r#"
    6:46: FS1022 `tasks[0].needs[0]`: tasks wait for each other: `a` → `b` → `c` → `a` (hint: remove one of these `needs`)
    10:46: FS1022 `tasks[4].needs[0]`: tasks wait for each other: `e` → `e` (hint: remove one of these `needs`)
    "#);
}

#[test]
fn sub_workflows_are_checked_like_everything_else() {
    insta::assert_snapshot!(outcome(&format!("{HEAD}
workflows:
  one:
    params: {{x: {{}}, f: {{}}, y: {{default: 1}}}}
    tasks:
      - {{id: a, kind: command, run: [x], inputs: {{v: {{param: z}}, w: {{param: f}}}}, writes: [out]}}
      - {{id: b, kind: command, run: [x], needs: [nobody]}}
    outputs: {{v: {{task: a}}, w: {{task: q}}}}
  unused:
    tasks: []
  loop-a: {{tasks: [{{id: b, kind: workflow, workflow: loop-b}}]}}
  loop-b: {{tasks: [{{id: a, kind: workflow, workflow: loop-a}}]}}
tasks:
  - {{id: a, kind: workflow, workflow: one, params: {{x: {{value: 1}}, q: {{value: 2}}}}}}
  - {{id: b, kind: workflow, workflow: two}}
  - {{id: c, kind: workflow, workflow: gone@1.0}}
  - {{id: d, kind: command, run: [x], needs: [a], files: [{{task: a, file: out}}, {{name: o, task: a/a, file: out}}],
     inputs: {{v: {{task: a/zz}}, w: {{task: b/x}}}}}}
  - {{id: e, kind: workflow, workflow: loop-a}}
")), @r#"
    9:54: FS1029 `workflows.one.tasks[0].inputs.v`: there is no parameter `z` here (hint: declare it in `params`)
    10:50: FS1021 `workflows.one.tasks[1].needs[0]`: there is no task `nobody`
    11:32: FS1021 `workflows.one.outputs.w`: there is no task `q`
    13:12: FS1015 `workflows.unused.tasks`: the list is empty (hint: at least one is needed)
    15:54: FS1031 `workflows.loop-b.tasks[0].workflow`: sub-workflows contain each other: `loop-a` → `loop-b` → `loop-a`
    17:39: FS1029 `tasks[0].params`: `one` needs the parameter `f`
    17:71: FS1029 `tasks[0].params.q`: `one` has no parameter `q`
    18:39: FS1030 `tasks[1].workflow`: there is no sub-workflow `two` in `workflows` (hint: a registered workflow is written `name@version`)
    19:39: FS1030 `tasks[2].workflow`: no workflow is registered as `gone@1.0` (hint: register it first, or check name and version)
    20:58: FS1027 `tasks[3].files[0]`: `a` is a sub-workflow: it leaves no files itself (hint: name the task inside that writes it: `a/…`)
    21:18: FS1021 `tasks[3].inputs.v`: there is no task `a/zz`
    "#);
}

#[test]
fn a_file_is_not_a_value() {
    insta::assert_snapshot!(outcome(&format!("{HEAD}
params: {{doc: {{}}}}
workflows:
  one:
    params: {{x: {{}}, f: {{}}}}
    tasks:
      - {{id: a, kind: command, run: [x], inputs: {{v: {{param: x}}}}, files: [{{name: in, param: f}}]}}
tasks:
  - {{id: w, kind: command, run: [x], writes: [out], files: [{{name: d, param: doc}}]}}
  - {{id: a, kind: workflow, workflow: one, needs: [w], params: {{x: {{task: w, file: out}}, f: {{task: w}}}}}}
")), @r#"
    10:54: FS1029 `tasks[1]`: the parameter `x` is given a file, but `v` takes it as a value (hint: a file is given as {task: id, file: name}; it cannot come from the run's input)
    10:75: FS1029 `tasks[1]`: the parameter `f` is given a value, but `in` takes it as a file (hint: a file is given as {task: id, file: name}; it cannot come from the run's input)
    12:61: FS1029 `tasks[0]`: the parameter `doc` is given a value, but `d` takes it as a file (hint: a file is given as {task: id, file: name}; it cannot come from the run's input)
    "#);
}

#[test]
fn syntax_errors_keep_what_was_found_before() {
    insta::assert_snapshot!(outcome("foreshard: 1\ntasks:\n  - {id: a, kind: comand}\n  - {id: b, kind: [\n  x: y: z\n"), @r#"
    3:19: FS1018 `tasks[0].kind`: `comand` is not one of command, lambda, http, handler, synthetic, workflow (hint: did you mean `command`?)
    5:3: FS1005 `tasks[1]`: not YAML: invalid indentation in flow construct (hint: check the indentation here and in the line above; text with `: `, `#`, `*` or `{` needs quotes)
    "#);
    insta::assert_snapshot!(outcome("{\"foreshard\": 1, \"tasks\": [{\"id\": 1,}]}"), @"1:36: FS1005 `tasks[0]`: not JSON: a comma before a closing bracket (hint: remove the comma)");
    insta::assert_snapshot!(outcome("foreshard: 1\nname: !!str x\n"), @"2:7: FS1009 `name`: the tag `tag:yaml.org,2002:str` (hint: documents have no tags; put text in quotes)");
    insta::assert_snapshot!(outcome("foreshard: 1\n? [a]\n: b\n"), @"2:3: FS1009 `document`: a key that is not a text (hint: keys are names; lists, objects and aliases cannot be keys)");
    insta::assert_snapshot!(outcome("foreshard: 1\n---\nforeshard: 1\n"), @"2:1: FS1009 `document`: a second document begins here (hint: one file holds one workflow; remove the `---`)");
    insta::assert_snapshot!(outcome("foreshard: 1\nforeshard: 1\ndefaults: {retries: 1, retries: 2, <<: 3}\n"), @r#"
    1:1: FS1013 `document`: `name` is missing
    1:1: FS1013 `document`: `version` is missing
    1:1: FS1013 `document`: `tasks` is missing
    2:1: FS1014 `foreshard`: `foreshard` is given twice (hint: remove one of them)
    3:24: FS1014 `defaults.retries`: `retries` is given twice (hint: remove one of them)
    3:36: FS1012 `defaults["<<"]`: there is no field `<<` here (hint: merge keys are not YAML 1.2; put shared settings into `defaults`)
    "#);
}

#[test]
fn bombs_do_not_go_off() {
    let deep = format!("{HEAD}tasks: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    insta::assert_snapshot!(outcome(&deep), @"4:263: FS1006 `tasks[0]`: brackets nest too deeply");
    let deep = format!("{{\"tasks\": {}", "{\"a\":".repeat(5_000));
    insta::assert_snapshot!(outcome(&deep), @"1:326: FS1006 `tasks`: lists and objects nest more than 64 deep");
    let mut laughs = format!("{HEAD}a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n");
    for (name, before) in ('b'..='j').zip('a'..='i') {
        let list = vec![format!("*{before}"); 10].join(", ");
        laughs.push_str(&format!("{name}: &{name} [{list}]\n"));
    }
    insta::assert_snapshot!(outcome(&laughs), @"7:36: FS1007 `d`: aliases add more than 10000 values or 4194304 bytes to the document");
    let long = vec![b'a'; INLINE_DOCUMENT_BYTES + 1];
    let problems = document(&long, &Library::new()).unwrap_err();
    insta::assert_snapshot!(problems[0], @"FS1003 `document`: the document has more than 4194304 bytes, inflated (hint: upload it: uploaded documents may have 1073741824 bytes)");
    let problems = document(&gzip(&long), &Library::new()).unwrap_err();
    assert_eq!(problems[0].code, "FS1003");
    let cut = &gzip(b"foreshard: 1")[..15];
    insta::assert_snapshot!(document(cut, &Library::new()).unwrap_err()[0], @"FS1004 `document`: the document could not be read to its end: incomplete deflate stream (hint: if it is gzipped, check the file with `gzip -t`)");
}

#[test]
fn the_number_of_problems_is_limited() {
    let many: String = (0..1_000)
        .map(|n| format!("  - {{id: t{n}, kind: x}}\n"))
        .collect();
    let problems = document(format!("{HEAD}tasks:\n{many}").as_bytes(), &Library::new());
    let problems = problems.unwrap_err();
    assert_eq!(problems.len(), PROBLEMS_REPORTED + 1);
    insta::assert_snapshot!(problems[PROBLEMS_REPORTED], @"FS1000 `document`: 800 more problems; the first 200 found are reported (hint: mend these first)");
}

#[test]
fn objectives_are_read_and_every_bad_value_is_told() {
    let with = |objective: &str| {
        format!(
            "foreshard: 1\nname: x\nversion: \"1\"\nobjective: {objective}\ntasks: [{{id: a, kind: command, run: [x]}}]\n"
        )
    };
    insta::assert_snapshot!(outcome(&with("{deadline_s: 0, budget: 3, weights: {time: 0}, unmet: maybe}")), @r"
    4:25: FS1015 `objective.deadline_s`: 0 is outside 0.001 to 31536000
    4:28: FS1012 `objective.budget`: there is no field `budget` here (hint: possible are weights, deadline_s, budget_usd, energy_kwh_max, moved_bytes_max, unmet)
    4:48: FS1015 `objective.weights`: no weight is above 0 (hint: give at least one of `time`, `cost`, `energy` and `locality`)
    4:66: FS1018 `objective.unmet`: `maybe` is not one of warn, refuse
    ");
    let text = with("{deadline_s: 60, weights: {cost: 2}, moved_bytes_max: 0, unmet: refuse}");
    let parsed = document(text.as_bytes(), &Library::new()).unwrap();
    let objective = serde_json::to_string(&parsed.workflow.objective).unwrap();
    insta::assert_snapshot!(objective, @r#"{"weights":{"time":0.0,"cost":2.0,"energy":0.0,"locality":0.0},"deadline_s":60.0,"moved_bytes_max":0,"unmet":"refuse"}"#);
}
