//! What users write: the document language, version 1, as types. Schema and decoder come from these declarations.

use std::borrow::Cow;

use foreshard_model::workflow::{Effect, OnFailure};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::decode::{Decode, Entries, Filled, Given, Json, Marked, wrong_type};
use super::forms::{
    Argument, Decimal, EnvName, FileName, Folder, FunctionName, HandlerName, HeaderName,
    HeaderValue, Id, Label, Name, Path, ScheduleName, TaskRef, TypeName, Url, Version, Whole,
    WorkflowName, WorkflowRef,
};
use super::kind::Kind;
use super::node::{Node, Shape};
use super::objective::ObjectiveFields;
use super::other::EquivalentFields;
use super::problems::At;
use super::record::{record, words};
use super::schedules::ScheduleFields;
use super::split::SplitFields;

/// MiB that a task may ask for: 16 TiB is more than any machine; what a target can give is the planner's matter.
pub(crate) type Mebibytes = Whole<1, 16_777_216>;
/// Bytes: up to 1 EiB.
pub(crate) type Bytes = Whole<0, 1_152_921_504_606_846_976>;
/// Seconds: a millisecond to a year.
pub(crate) type Seconds = Decimal<1, 31_536_000_000>;
/// Seconds of CPU time or of an estimate: nothing to a year.
pub(crate) type Duration = Decimal<0, 31_536_000_000>;
/// vCPUs: a hundredth to 1,024.
pub(crate) type Vcpus = Decimal<10, 1_024_000>;
/// Repeats of a failed task.
pub(crate) type Retries = Whole<0, 100>;
/// US dollars, up to a billion.
pub(crate) type Dollars = Decimal<0, 1_000_000_000_000>;

record! {
    /// A workflow: a DAG of tasks, what each runs, and what moves between them.
    closed struct Document {
        /// Version of the document language: 1.
        required "foreshard" foreshard: Whole<1, 1>,
        /// Name of the workflow.
        required "name" name: WorkflowName,
        /// Version of the workflow, in quotes: "1.0".
        required "version" version: Version,
        /// For people.
        optional "description" description: Given<String>,
        /// What a task that has finally failed means for the rest: `stop` (nothing further starts) or `continue`
        /// (whatever does not depend on it still runs).
        optional "on_failure" on_failure: OnFailure,
        /// What its runs weigh and may take at most; a run's own options come first.
        optional "objective" objective: Given<Marked<ObjectiveFields>>,
        /// Settings for all tasks of this document that do not have their own.
        optional "defaults" defaults: Defaults,
        /// What the workflow takes: members of the run's input, or what a reference to it gives.
        #[schemars(extend("maxProperties" = 256))]
        optional "params" params: Entries<Name, Param>,
        /// Sub-workflows that tasks of kind `workflow` refer to by name.
        optional "workflows" workflows: Entries<Id, Definition>,
        /// When it runs by itself, once it is registered: at most 32 schedules by name.
        #[schemars(extend("maxProperties" = 32))]
        optional "schedules" schedules: Entries<ScheduleName, ScheduleFields>,
        /// The tasks. They are read one by one, not as this list.
        required "tasks" tasks: Listed,
        /// The declared output. Without it: the outputs of all tasks that no other needs, by id.
        optional "outputs" outputs: Entries<Name, Marked<Source>>,
    }
}

record! {
    /// Settings for tasks that do not have their own.
    closed struct Defaults {
        /// Peak memory of a task alone, in MiB; 256 when nothing is said.
        optional "memory_mib" memory_mib: Given<Mebibytes>,
        /// vCPUs that a task can use; 1 when nothing is said.
        optional "vcpus" vcpus: Given<Vcpus>,
        /// Scratch disk, in MiB; 0 when nothing is said.
        optional "disk_mib" disk_mib: Given<Whole<0, 16_777_216>>,
        /// Longest duration, in seconds; 300 when nothing is said, more for tasks with a long estimate.
        optional "timeout_s" timeout_s: Given<Seconds>,
        /// Retries after a failure of the task's own; 2 when nothing is said, 0 for `once`.
        optional "retries" retries: Given<Retries>,
        /// Whether a repeat is harmless; `idempotent` when nothing is said.
        optional "effect" effect: Given<Effect>,
    }
}

record! {
    /// A sub-workflow: tasks that can be used several times, with other parameters.
    closed struct Definition {
        /// For people.
        optional "description" description: Given<String>,
        /// What it takes; inputs and files of its tasks refer to it with `param`.
        #[schemars(extend("maxProperties" = 256))]
        optional "params" params: Entries<Name, Param>,
        /// Its tasks.
        required "tasks" tasks: Filled<Task>,
        /// What it gives: the output of the task that refers to it. Without it: the outputs of all tasks that no other
        /// needs, by id.
        optional "outputs" outputs: Entries<Name, Marked<Source>>,
    }
}

record! {
    /// One parameter.
    closed struct Param {
        /// For people.
        optional "description" description: Given<String>,
        /// The value when none is given; without it the parameter must be given.
        optional "default" default: Given<Json>,
    }
}

record! {
    /// One task.
    closed struct TaskFields {
        /// Identity within the list.
        required "id" id: Marked<Id>,
        /// What sort of thing to run.
        required "kind" kind: Marked<Kind>,
        /// For people.
        optional "description" description: Given<String>,
        /// What profiles are kept by: tasks of one type are expected to behave alike. Without it: the kind, and the id
        /// without digits at its end.
        optional "type" task_type: Given<TypeName>,
        /// `command`: program and arguments. A relative program is looked up in the bundle first.
        optional "run" run: Given<Filled<Argument>>,
        /// `command`: a folder beside the document that goes with it; unpacked at $FORESHARD_BUNDLE.
        optional "bundle" bundle: Given<Folder>,
        /// `command`: additional environment variables.
        optional "env" env: Entries<EnvName, Argument>,
        /// `lambda`: an existing function.
        optional "function" function: Given<FunctionName>,
        /// `lambda`: when to call again after an error; the first that names it counts.
        optional "retry" retry: Vec<Repeat>,
        /// `lambda`: lists of names of errors that become the output.
        optional "catch" catch: Vec<Filled<Argument>>,
        /// `http`: `GET` (when nothing is said), `POST`, `PUT`, `PATCH` or `DELETE`.
        optional "method" method: Given<Method>,
        /// `http`: where to.
        optional "url" url: Given<Url>,
        /// `http`: additional headers.
        optional "headers" headers: Entries<HeaderName, HeaderValue>,
        /// `handler`: its name in the worker; `collect` is built in, its output is its input.
        optional "handler" handler: Given<HandlerName>,
        /// `synthetic`: CPU time to burn on one thread, in seconds.
        optional "cpu_s" cpu_s: Given<Duration>,
        /// `workflow`: one of `workflows`, or a registered one as `name@version`.
        optional "workflow" workflow: Given<Marked<WorkflowRef>>,
        /// `workflow`: what the sub-workflow takes.
        optional "params" params: Entries<Name, Marked<Source>>,
        /// Tasks that must have finished before it starts.
        optional "needs" needs: Vec<Marked<Id>>,
        /// The task's JSON input: an object with these members. A mapping never implies a dependency.
        optional "inputs" inputs: Entries<Name, Marked<Source>>,
        /// The task's JSON input as a whole, instead of `inputs`.
        optional "input" input: Given<Marked<Source>>,
        /// Whether the task runs: `false`, `null` and a path that finds nothing let it be done at once, its output null.
        optional "when" when: Given<Marked<Source>>,
        /// Files put into the task's scratch before it starts.
        optional "files" files: Vec<Marked<File>>,
        /// Files that the task leaves in its scratch, to be kept.
        optional "writes" writes: Vec<Marked<Written>>,
        /// Peak memory of the task alone, in MiB.
        optional "memory_mib" memory_mib: Given<Mebibytes>,
        /// vCPUs that it can use.
        optional "vcpus" vcpus: Given<Vcpus>,
        /// GPU memory, in MiB; without it the task needs no GPU.
        optional "gpu_mib" gpu_mib: Given<Mebibytes>,
        /// Scratch disk, in MiB.
        optional "disk_mib" disk_mib: Given<Whole<0, 16_777_216>>,
        /// Network throughput that it wants, in Mbit/s.
        optional "network_mbps" network_mbps: Given<Whole<0, 1_000_000>>,
        /// Expected duration on one vCPU, in seconds.
        optional "estimate_s" estimate_s: Given<Duration>,
        /// Longest duration before the task is stopped, in seconds.
        optional "timeout_s" timeout_s: Given<Seconds>,
        /// Retries after a failure of its own.
        optional "retries" retries: Given<Retries>,
        /// Whether a repeat is harmless: `pure`, `idempotent` or `once`.
        optional "effect" effect: Given<Effect>,
        /// Higher runs earlier among ready tasks; 0 when nothing is said.
        optional "priority" priority: Given<Whole<-1000, 1000>>,
        /// Whether to run it twice and compare.
        optional "critical" critical: Given<bool>,
        /// What one failure costs, in US dollars.
        optional "failure_cost_usd" failure_cost_usd: Given<Dollars>,
        /// Where to cut shards.
        optional "cut" cut: Given<Cut>,
        /// Placement wishes.
        optional "affinity" affinity: Given<Wishes>,
        /// How it can be cut into parts that run side by side, and how their outputs become its own.
        optional "split" split: Given<Marked<SplitFields>>,
        /// What gives the same from the same inputs, the most wanted first: run where the task itself would have to wait, or
        /// cannot run.
        #[schemars(extend("maxItems" = 16))]
        optional "equivalents" equivalents: Vec<Marked<EquivalentFields>>,
    }
}

record! {
    /// When a function is called again after an error.
    closed struct Repeat {
        /// Names of errors: the function's, `States.TaskFailed`, `States.Timeout`, `States.ALL`, and Lambda's own.
        required "errors" errors: Filled<Argument>,
        /// How often; 3 when nothing is said.
        optional "repeats" repeats: Given<Retries>,
        /// Wait before the first repeat, in seconds; 1 when nothing is said.
        optional "interval_s" interval_s: Given<Duration>,
        /// Factor on the wait from repeat to repeat; 2 when nothing is said.
        optional "backoff" backoff: Given<Decimal<1_000, 100_000>>,
        /// Longest wait, in seconds; 60 when nothing is said.
        optional "longest_s" longest_s: Given<Seconds>,
    }
}

/// The rule of `origin::origin` as a schema.
fn one_source(schema: &mut Schema) {
    let one = ["task", "run", "value", "param"].map(|field| json!({"required": [field]}));
    schema.insert("oneOf".to_owned(), json!(one));
    let with = json!({"path": ["task"], "file": ["task"], "default": ["run"]});
    schema.insert("dependentRequired".to_owned(), with);
}

/// The rule of `origin::file_origin` as a schema.
fn one_file(schema: &mut Schema) {
    let both = [["task", "file"], ["name", "param"]];
    let one = both.map(|fields| json!({"required": fields}));
    schema.insert("oneOf".to_owned(), json!(one));
}

record! {
    /// Where a value comes from: exactly one of `task`, `run`, `value` and `param`.
    #[schemars(transform = one_source)]
    closed struct Source {
        /// The output of an upstream task.
        optional "task" task: Given<TaskRef>,
        /// With `task`: a path into its output; without it, the whole.
        optional "path" path: Given<Path>,
        /// With `task`, and only in `params`: a file of it, for `files` of the sub-workflow.
        optional "file" file: Given<FileName>,
        /// A path into the run's input; `$` is the whole.
        optional "run" run: Given<Path>,
        /// With `run`: the value when the path finds nothing.
        optional "default" default: Given<Json>,
        /// A constant.
        optional "value" value: Given<Json>,
        /// A parameter of the sub-workflow.
        optional "param" param: Given<Name>,
    }
}

record! {
    /// A file put into the scratch: `task` and `file`, or `name` and `param`.
    #[schemars(transform = one_file)]
    closed struct File {
        /// Its name in the scratch; without it, `file`.
        optional "name" name: Given<FileName>,
        /// The upstream task that writes it.
        optional "task" task: Given<TaskRef>,
        /// Its name there.
        optional "file" file: Given<FileName>,
        /// A parameter of the sub-workflow that is given a file.
        optional "param" param: Given<Name>,
    }
}

record! {
    /// A file that a task leaves behind.
    closed struct WrittenFields {
        /// Its name in the scratch.
        required "name" name: FileName,
        /// Expected size; a synthetic task writes that much.
        optional "bytes" bytes: Given<Bytes>,
    }
}

record! {
    /// Where to cut shards.
    closed struct Cut {
        /// Nothing that follows the task is in its shard.
        optional "after" after: Given<bool>,
        /// The shard ends after the task when its output has more bytes than this.
        optional "when_output_exceeds_bytes" when_output_exceeds_bytes: Given<Bytes>,
        /// The shard ends after the task when more seconds than this have elapsed in it.
        optional "when_elapsed_exceeds_s" when_elapsed_exceeds_s: Given<Seconds>,
    }
}

record! {
    /// Placement wishes.
    closed struct Wishes {
        /// Labels that the target must have.
        optional "require" require: Entries<Label, Label>,
        /// Labels that the target should have.
        optional "prefer" prefer: Entries<Label, Label>,
        /// Tasks with the same value go to the same shard where limits allow.
        optional "together" together: Given<Label>,
        /// Tasks with the same value never share a shard.
        optional "apart" apart: Given<Label>,
        /// Regions in which its data may be: it runs only there, and so does every task that reads its output.
        optional "residency" residency: Given<Filled<Label>>,
    }
}

/// How an `http` task calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "UPPERCASE", inline)]
pub(crate) enum Method {
    #[default]
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

words! { Method:
    "GET" => Self::Get,
    "POST" => Self::Post,
    "PUT" => Self::Put,
    "PATCH" => Self::Patch,
    "DELETE" => Self::Delete,
}

impl Method {
    /// As HTTP writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

words! { OnFailure:
    "stop" => Self::Stop,
    "continue" => Self::Continue,
}

words! { Effect:
    "pure" => Self::Pure,
    "idempotent" => Self::Idempotent,
    "once" => Self::Once,
}

/// One task, with the fields of its kind and no other's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Task {
    pub(crate) fields: TaskFields,
    /// Whether the kind could be read: if not, nothing more is said about the fields.
    pub(crate) kind: Option<Kind>,
}

impl Decode for Task {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        let kind = super::kind::check(&node, at);
        Self {
            fields: TaskFields::decode(node, at),
            kind,
        }
    }
}

impl JsonSchema for Task {
    fn schema_name() -> Cow<'static, str> {
        "Task".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = TaskFields::json_schema(generator);
        let rules = super::kind::rules();
        schema.insert("allOf".to_owned(), rules);
        schema
    }
}

/// The tasks of the document itself: they have been read where they stand, so only the type is checked here.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listed;

impl Decode for Listed {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        if !matches!(node.shape, Shape::List(_)) {
            wrong_type("a list", &node, at);
        }
        Self
    }
}

impl JsonSchema for Listed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Tasks".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Filled::<Task>::json_schema(generator)
    }
}

/// A file that a task leaves behind: a name, or a name with a size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(pub(crate) WrittenFields);

impl Decode for Written {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        match &node.shape {
            Shape::Map(_) => Self(WrittenFields::decode(node, at)),
            Shape::Scalar(_) if node.text().is_some() => Self(WrittenFields {
                name: FileName::decode(node, at),
                bytes: Given::default(),
            }),
            _ => {
                wrong_type(
                    "the name of a file, or an object with `name` and `bytes`",
                    &node,
                    at,
                );
                Self::default()
            }
        }
    }
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "Written".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let name = generator.subschema_for::<FileName>();
        let object = generator.subschema_for::<WrittenFields>();
        json_schema!({"anyOf": [name, object]})
    }
}
