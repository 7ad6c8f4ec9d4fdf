//! Sub-workflows, parameters, defaults, mappings: what a good document becomes.

use foreshard_model::units::Mib;
use foreshard_model::workflow::{Effect, OnFailure};

use super::super::{references, references_in, stream};
use super::*;

#[test]
fn tasks_keep_their_order_and_their_sources() {
    insta::assert_snapshot!(outcome(&format!("{HEAD}
params: {{size: {{default: 5}}, who: {{}}}}
tasks:
  - {{id: c, kind: http, method: POST, url: \"https://example.com/x\", needs: [a, b], inputs: {{z: {{task: a, path: $.x}}, y: {{task: b}}}}}}
  - {{id: a, kind: command, run: [bash, -c, exit], writes: [{{name: big, bytes: 1000}}, small]}}
  - {{id: b, kind: lambda, function: \"f:live\", needs: [a], files: []}}
  - id: d
    kind: synthetic
    cpu_s: 1.5
    needs: [c]
    files: [{{task: a, file: small}}, {{name: in, task: a, file: big}}]
    inputs: {{n: {{param: size}}, w: {{param: who}}, i: {{run: $}}, j: {{run: $.k, default: [1]}}, v: {{value: null}}}}
  - {{id: e, kind: handler, handler: merge, needs: [a], files: [{{name: in, task: a, file: big}}, {{name: in2, task: a, file: big}}]}}
outputs:
  x: {{task: d, path: $.n}}
")), @r#"
    c: POST https://example.com/x <a <b y=b$ z=a$.x
    a: run bash -c exit >big >small
    b: call f:live <a
    d: burn 1500 ms <c i=run$ j=run$.k|[1] n=run$['size']|5 v=null w=run$['who'] small@a:small in@a:big
    e: merge <a(1000) in@a:big in2@a:big
    =x: d$.n
    "#);
}

#[test]
fn a_sub_workflow_used_twice_runs_twice() {
    insta::assert_snapshot!(outcome(&format!("{HEAD}
workflows:
  count:
    params: {{file: {{}}, limit: {{default: 10}}}}
    tasks:
      - {{id: first, kind: command, run: [a], files: [{{name: in, param: file}}], inputs: {{limit: {{param: limit}}}}, writes: [o]}}
      - {{id: also, kind: command, run: [b]}}
      - {{id: last, kind: command, run: [c], needs: [first], inputs: {{first: {{task: first}}}}}}
    outputs: {{total: {{task: last, path: $.n}}, limit: {{param: limit}}}}
tasks:
  - {{id: split, kind: command, run: [s], writes: [{{name: p1, bytes: 7}}, {{name: p2, bytes: 8}}]}}
  - {{id: one, kind: workflow, workflow: count, needs: [split], params: {{file: {{task: split, file: p1}}}}}}
  - {{id: two, kind: workflow, workflow: count, needs: [split, one], params: {{file: {{task: split, file: p2}}, limit: {{task: one, path: $.total}}}}}}
  - {{id: end, kind: command, run: [e], needs: [two], inputs: {{t: {{task: two, path: $.total}}, inner: {{task: one/last}}}}, files: [{{task: one/first, file: o}}]}}
")), @r#"
    split: run s >p1 >p2
    one/first: run a <split(7) limit=10 in@split:p1 >o
    one/also: run b <split
    one/last: run c <one/first first=one/first$
    one: collect <one/also <one/last limit=10 total=one/last$.n
    two/first: run a <split(8) <one limit=one$.total in@split:p2 >o
    two/also: run b <split <one
    two/last: run c <two/first first=two/first$
    two: collect <two/also <two/last limit=one$.total total=two/last$.n
    end: run e <two inner=one/last$ t=two$.total o@one/first:o
    "#);
}

#[test]
fn sub_workflows_nest_and_have_outputs_without_saying_so() {
    insta::assert_snapshot!(outcome(&format!("{HEAD}
workflows:
  inner: {{params: {{v: {{}}}}, tasks: [{{id: x, kind: command, run: [x], inputs: {{v: {{param: v}}}}}}, {{id: y, kind: command, run: [y]}}]}}
  outer:
    params: {{w: {{}}}}
    tasks:
      - {{id: i, kind: workflow, workflow: inner, params: {{v: {{param: w}}}}}}
      - {{id: z, kind: command, run: [z], needs: [i], inputs: {{x: {{task: i, path: $.x}}, deep: {{task: i/x}}}}}}
tasks:
  - {{id: a, kind: command, run: [a]}}
  - {{id: o, kind: workflow, workflow: outer, needs: [a], params: {{w: {{task: a, path: $.q}}}}}}
  - {{id: b, kind: command, run: [b], needs: [o], inputs: {{v: {{task: o/i/y}}}}}}
")), @r#"
    a: run a
    o/i/x: run x <a v=a$.q
    o/i/y: run y <a
    o/i: collect <o/i/x <o/i/y x=o/i/x$ y=o/i/y$
    o/z: run z <o/i deep=o/i/x$ x=o/i$.x
    o: collect <o/z z=o/z$
    b: run b <o v=o/i/y$
    "#);
}

const SQUARE: &str = "foreshard: 1\nname: square\nversion: \"2.0\"\nparams: {n: {}, e: {default: 2}}\ndefaults: {memory_mib: 333}\n\
    tasks:\n  - {id: s, kind: command, run: [sq.sh], bundle: tools, inputs: {n: {param: n}, e: {param: e}}}\n\
    outputs: {r: {task: s}}\n";

#[test]
fn registered_workflows_are_used_by_name_and_version() {
    let text = format!(
        "{HEAD}tasks:\n  - {{id: q, kind: workflow, workflow: square@2.0, params: {{n: {{run: $.n}}}}}}\n"
    );
    assert_eq!(
        references(text.as_bytes()),
        [("square".to_owned(), "2.0".to_owned())]
    );
    assert_eq!(references_in(&gzip(text.as_bytes())[..]).len(), 1);
    let library = library(&[("square", "2.0", SQUARE)]);
    insta::assert_snapshot!(outcome_with(&text, &library), @r#"
    q/s: run sq.sh e=2 n=run$.n
    q: collect <q/s r=q/s$
    "#);
    let parsed = document(text.as_bytes(), &library).unwrap();
    assert_eq!(parsed.bundles, ["square@2.0:tools"]);
    assert_eq!(parsed.workflow.tasks[0].resources.memory, Mib(333));
    // By itself, its parameters are members of the run's input.
    insta::assert_snapshot!(outcome(SQUARE), @r#"
    s: run sq.sh e=run$['e']|2 n=run$['n']
    =r: s$
    "#);
}

#[test]
fn registered_workflows_can_be_wrong_too() {
    let text = format!("{HEAD}tasks:\n  - {{id: q, kind: workflow, workflow: a@1}}\n");
    let a = "foreshard: 1\nname: a\nversion: \"1\"\ntasks: [{id: b, kind: workflow, workflow: b@1}, {id: c, kind: x}]";
    let b =
        "foreshard: 1\nname: b\nversion: \"1\"\ntasks: [{id: a, kind: workflow, workflow: a@1}]";
    let trace = "{\"name\": \"t\", \"schemaVersion\": \"1.5\", \"workflow\": {}}";
    insta::assert_snapshot!(outcome_with(&text, &library(&[("a", "1", a), ("b", "1", b)])), @r#"
    FS1018 `a@1: tasks[1].kind`: `x` is not one of command, lambda, http, handler, synthetic, workflow
    FS1031 `b@1: tasks[0].workflow`: sub-workflows contain each other: `a@1` → `b@1` → `a@1`
    "#);
    insta::assert_snapshot!(outcome_with(&text, &library(&[("a", "1", trace)])), @"FS1030 `a@1: document`: a trace in WfFormat cannot be used as a sub-workflow");
    insta::assert_snapshot!(outcome_with(&text, &library(&[("a", "1", "[")])), @"FS1005 `a@1: document`: not YAML: while parsing a node, did not find expected node content (hint: check the indentation here and in the line above; text with `: `, `#`, `*` or `{` needs quotes)");
    insta::assert_snapshot!(outcome_with(&text, &library(&[("a", "1", a)])), @r#"
    FS1018 `a@1: tasks[1].kind`: `x` is not one of command, lambda, http, handler, synthetic, workflow
    FS1030 `a@1: tasks[0].workflow`: no workflow is registered as `b@1` (hint: register it first, or check name and version)
    "#);
}

#[test]
fn nesting_and_size_of_sub_workflows_are_limited() {
    let mut chain = format!("{HEAD}workflows:\n");
    for level in 0..20 {
        chain.push_str(&format!(
            "  w{level}: {{tasks: [{{id: t, kind: workflow, workflow: w{}}}]}}\n",
            level + 1
        ));
    }
    chain.push_str("  w20: {tasks: [{id: t, kind: command, run: [x]}]}\ntasks: [{id: t, kind: workflow, workflow: w0}]\n");
    insta::assert_snapshot!(outcome(&chain), @"20:51: FS1032 `workflows.w15.tasks[0].workflow`: sub-workflows nest more than 16 deep");
    let mut tree = format!("{HEAD}workflows:\n");
    for level in 0..10 {
        let task = |n: u32| format!("{{id: t{n}, kind: workflow, workflow: w{}}}", level + 1);
        let tasks: Vec<String> = (0..10).map(task).collect();
        tree.push_str(&format!("  w{level}: {{tasks: [{}]}}\n", tasks.join(", ")));
    }
    tree.push_str("  w10: {tasks: [{id: t, kind: command, run: [x]}]}\ntasks: [{id: t, kind: workflow, workflow: w0}]\n");
    insta::assert_snapshot!(outcome(&tree), @"1:1: FS1033 `tasks`: with its sub-workflows the workflow has 21111111111 tasks, more than 1000000");
    let long = "x".repeat(200);
    insta::assert_snapshot!(outcome(&format!("{HEAD}workflows:\n  w: {{tasks: [{{id: {long}, kind: command, run: [x]}}]}}\ntasks: [{{id: {long}, kind: workflow, workflow: w}}]\n")), @"5:20: FS1015 `tasks[0]`: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is longer than 256 characters (hint: ids inside sub-workflows are `reference/task`: shorten them)");
}

#[test]
fn defaults_hold_where_a_task_says_nothing() {
    let parsed = document(
        format!("{HEAD}on_failure: continue\ndefaults: {{memory_mib: 300, vcpus: 0.5, disk_mib: 7, timeout_s: 1.5, retries: 4, effect: pure}}
tasks:
  - {{id: part-1, kind: command, run: [x]}}
  - {{id: b, kind: synthetic, cpu_s: 2, memory_mib: 200, vcpus: 2, timeout_s: 9, retries: 0, effect: idempotent, type: mine}}
  - {{id: c, kind: handler, handler: h, effect: once, gpu_mib: 5, network_mbps: 6, estimate_s: 0.25}}
").as_bytes(), &Library::new()).unwrap();
    let line = |index: usize| {
        let task = &parsed.workflow.tasks[index];
        let r = &task.resources;
        format!(
            "{} {} {:?} vcpus {} disk {} gpu {:?} net {} estimate {:?} timeout {} retries {} {:?}",
            task.id,
            task.task_type,
            r.memory,
            r.vcpus,
            r.disk,
            r.gpu,
            r.network_mbps,
            task.estimate_ms,
            task.timeout_ms,
            task.retries,
            task.effect
        )
    };
    insta::assert_snapshot!(line(0), @"part-1 command:part Mib(300) vcpus 0.5 disk 7 MiB gpu None net 0 estimate None timeout 1500 retries 4 Pure");
    insta::assert_snapshot!(line(1), @"b mine Mib(200) vcpus 2 disk 7 MiB gpu None net 0 estimate Some(2000) timeout 9000 retries 0 Idempotent");
    insta::assert_snapshot!(line(2), @"c handler:c Mib(300) vcpus 0.5 disk 7 MiB gpu Some(Mib(5)) net 6 estimate Some(250) timeout 1500 retries 0 Once");
    assert_eq!(parsed.workflow.on_failure, OnFailure::Continue);
    let bare = document(
        format!("{HEAD}tasks:\n  - {{id: a, kind: command, run: [x]}}\n  - {{id: b, kind: command, run: [x], estimate_s: 200}}\n  - {{id: c, kind: command, run: [x], estimate_s: 2000}}").as_bytes(),
        &Library::new(),
    ).unwrap();
    let tasks = &bare.workflow.tasks;
    assert_eq!((tasks[0].resources.memory, tasks[0].retries), (Mib(256), 2));
    assert_eq!(tasks[0].effect, Effect::Idempotent);
    let timeouts: Vec<u64> = tasks.iter().map(|task| task.timeout_ms).collect();
    assert_eq!(timeouts, [300_000, 600_000, 4_000_000]);
}

#[test]
fn yaml_json_gzip_and_streams_are_the_same_document() {
    let yaml = format!(
        "{HEAD}tasks:\n  - {{id: a, kind: command, run: [x], env: &e {{A: \"1\"}}}}\n  - {{id: b, kind: command, run: [x], env: *e, needs: [a]}}\n"
    );
    let json = "{\"tasks\": [{\"id\": \"a\", \"kind\": \"command\", \"run\": [\"x\"], \"env\": {\"A\": \"1\"}},\
        {\"kind\": \"command\", \"run\": [\"x\"], \"id\": \"b\", \"needs\": [\"a\"], \"env\": {\"A\": \"1\"}}],\
        \"version\": \"1\", \"name\": \"demo\", \"foreshard\": 1}";
    let expected = document(yaml.as_bytes(), &Library::new()).unwrap();
    for bytes in [
        json.as_bytes().to_vec(),
        gzip(json.as_bytes()),
        gzip(yaml.as_bytes()),
    ] {
        assert_eq!(document(&bytes, &Library::new()).unwrap(), expected);
        assert_eq!(stream(bytes.as_slice(), &Library::new()).unwrap(), expected);
    }
    let marked = format!("\u{feff}{yaml}");
    assert_eq!(
        document(marked.as_bytes(), &Library::new()).unwrap(),
        expected
    );
}

#[test]
fn a_document_longer_than_a_request_streams() {
    let mut text = format!("{HEAD}tasks:\n");
    for n in 0..30_000 {
        let needs = if n == 0 {
            String::new()
        } else {
            format!("task-{}", n - 1)
        };
        text.push_str(&format!("- id: task-{n}\n  kind: synthetic\n  cpu_s: 0.001\n  needs: [{needs}]\n  inputs:\n    constant: {{value: [1, 2, \"ü\"]}}\n    first: {{task: task-0}}\n"));
    }
    text = text.replace(
        "first: {task: task-0}\n- id: task-1\n",
        "second: {value: 1}\n- id: task-1\n",
    );
    assert!(document(text.as_bytes(), &Library::new()).is_err());
    let parsed = stream(text.as_bytes(), &Library::new()).unwrap();
    assert_eq!(parsed.workflow.tasks.len(), 30_000);
}

#[test]
fn a_task_can_have_a_condition_a_whole_input_and_errors_with_names() {
    let text = r"
  - {id: ask, kind: lambda, function: ask, input: {run: $.order}}
  - id: pay
    kind: lambda
    function: pay
    needs: [ask]
    when: {task: ask, path: $.ok}
    inputs: {to: {value: me}}
    retry: [{errors: [Busy], repeats: 6, interval_s: 2, backoff: 1.5, longest_s: 30}, {errors: [States.ALL]}]
    catch: [[Refused, Gone], [States.ALL]]
";
    insta::assert_snapshot!(tasks(text), @r#"
    ask: call ask input=run$.order
    pay: call pay {"retry":[{"errors":["Busy"],"repeats":6,"interval_ms":2000,"backoff":1.5,"longest_ms":30000},{"errors":["States.ALL"],"repeats":3,"interval_ms":1000,"backoff":2.0,"longest_ms":60000}],"catch":[["Refused","Gone"],["States.ALL"]]} <ask when=ask$.ok to="me"
    "#);
    let wrong = r"
  - {id: a, kind: lambda, function: f, input: {run: $}, inputs: {x: {value: 1}}, when: {task: b}}
  - {id: b, kind: command, run: [x], retry: [{errors: []}], catch: [[]]}
  - {id: c, kind: lambda, function: f, retry: [{errors: [x], backoff: 0.5}, {repeats: 1000}]}
  - {id: d, kind: workflow, workflow: w, when: {value: true}}
";
    insta::assert_snapshot!(tasks(wrong), @r"
    6:47: FS1028 `tasks[0].input`: `input` is the whole, `inputs` are its members: only one can be given
    6:88: FS1023 `tasks[0].when`: `b` is not upstream of `a`: it may not have run (hint: add `b` to the `needs` of `a`; a mapping implies no dependency)
    7:38: FS1017 `tasks[1].retry`: a task of kind command has no `retry` (hint: it goes with kind lambda)
    7:55: FS1015 `tasks[1].retry[0].errors`: the list is empty (hint: at least one is needed)
    7:61: FS1017 `tasks[1].catch`: a task of kind command has no `catch` (hint: it goes with kind lambda)
    7:69: FS1015 `tasks[1].catch[0]`: the list is empty (hint: at least one is needed)
    8:71: FS1015 `tasks[2].retry[0].backoff`: 0.5 is outside 1 to 100
    8:77: FS1013 `tasks[2].retry[1]`: `errors` is missing
    8:87: FS1015 `tasks[2].retry[1].repeats`: 1000 is outside 0 to 100
    9:39: FS1030 `tasks[3].workflow`: there is no sub-workflow `w` in `workflows` (hint: a registered workflow is written `name@version`)
    9:42: FS1017 `tasks[3].when`: a task of kind workflow has no `when` (hint: the tasks of the sub-workflow have it; give them values with `params`)
    ");
}
