//! Routes of runs: submit, look, wish, and read what they leave behind.

use foreshard_model::api::{
    EventPage, LogPage, PlanView, ResultView, RunPage, RunView, SubmitAnswer, SubmitRequest,
    ValidateAnswer,
};
use foreshard_model::run::RunState;
use schemars::json_schema;

use super::super::refusal::Code;
use super::super::table::{Answer, At, Parameter, Route, shape};
use super::super::{accept, control, listing, logs, outputs, reading, validate};
use super::{AFTER, limit};

const KEY: Parameter = Parameter {
    at: At::Header,
    name: "Idempotency-Key",
    about: "The same key and content again gives the run that it gave before; with another content it is refused.",
    shape: |_| json_schema!({"type": "string", "minLength": 1, "maxLength": accept::KEY_CHARS}),
};

const OF_KEY: Parameter = Parameter {
    at: At::Query,
    name: "key",
    about: "Only the run that a submission with this `Idempotency-Key` has given.",
    shape: KEY.shape,
};

const TRACEPARENT: Parameter = Parameter {
    at: At::Header,
    name: "traceparent",
    about: "W3C trace context; its trace id becomes the run's.",
    shape: |_| json_schema!({"type": "string"}),
};

const AMAZON_TRACE: Parameter = Parameter {
    at: At::Header,
    name: "X-Amzn-Trace-Id",
    about: "Trace id of AWS X-Ray; taken where there is no `traceparent`.",
    shape: |_| json_schema!({"type": "string"}),
};

const SHARD: Parameter = Parameter {
    at: At::Query,
    name: "shard",
    about: "Only logs of this shard.",
    shape: |_| json_schema!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
};

const TASK: Parameter = Parameter {
    at: At::Query,
    name: "task",
    about: "Only logs of this task.",
    shape: |_| json_schema!({"type": "string"}),
};

const STATE: Parameter = Parameter {
    at: At::Query,
    name: "state",
    about: "Only runs in these states, separated by commas.",
    shape: |_| {
        let words = RunState::ALL.map(RunState::as_str).join("|");
        json_schema!({"type": "string", "pattern": format!("^({words})(,({words}))*$")})
    },
};

const WORKFLOW: Parameter = Parameter {
    at: At::Query,
    name: "workflow",
    about: "Only runs of the workflow of this name.",
    shape: |_| json_schema!({"type": "string"}),
};

const SINCE: Parameter = Parameter {
    at: At::Query,
    name: "since",
    about: "Only runs accepted then or later, in milliseconds since 1970.",
    shape: |_| json_schema!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
};

const UNTIL: Parameter = Parameter {
    at: At::Query,
    name: "until",
    about: "Only runs accepted before, in milliseconds since 1970.",
    shape: |_| json_schema!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
};

/// What a submission can be refused for.
const SUBMISSION: &[Code] = &[
    Code::BadBody,
    Code::BadParameter,
    Code::BadDocument,
    Code::NoDocument,
    Code::BadEncoding,
    Code::NoUpload,
    Code::BadOption,
    Code::NoBundle,
    Code::BadInput,
    Code::TooLarge,
    Code::KeyReused,
    Code::Busy,
];

/// What cannot even be judged.
const VALIDATION: &[Code] = &[
    Code::BadBody,
    Code::NoDocument,
    Code::BadEncoding,
    Code::NoUpload,
    Code::BadOption,
    Code::NoBundle,
    Code::TooLarge,
];

/// What a wish can be refused for.
const WISH: &[Code] = &[Code::NoRun, Code::BadState, Code::Busy];

const WISHED: &[Answer] = &[Answer::json::<RunView>(202, "The run as it is then.")];

pub(in super::super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/runs",
        name: "submitRun",
        summary: "Submits a workflow.",
        parameters: &[KEY, TRACEPARENT, AMAZON_TRACE],
        body: Some(shape::<SubmitRequest>()),
        answers: &[Answer {
            headers: &[("Location", "Path of the run.")],
            ..Answer::json::<SubmitAnswer>(202, "Accepted: the run's id.")
        }],
        refusals: SUBMISSION,
        handler: |c| Box::pin(async move { accept::submit(c.ports, c.identity, c.request).await }),
    },
    Route {
        method: "POST",
        path: "/validate",
        name: "validateRun",
        summary: "Everything that is wrong with a submission, or what it would become; nothing is stored.",
        parameters: &[],
        body: Some(shape::<SubmitRequest>()),
        answers: &[Answer::json::<ValidateAnswer>(
            200,
            "The judgement, whatever it is.",
        )],
        refusals: VALIDATION,
        handler: |c| {
            Box::pin(async move { validate::validate(c.ports, c.identity, c.request).await })
        },
    },
    Route {
        method: "GET",
        path: "/runs",
        name: "listRuns",
        summary: "The caller's runs, newest first.",
        parameters: &[
            limit::<{ listing::RUNS.0 }, { listing::RUNS.1 }>(),
            AFTER,
            STATE,
            WORKFLOW,
            SINCE,
            UNTIL,
            OF_KEY,
        ],
        body: None,
        answers: &[Answer::json::<RunPage>(200, "A page of runs.")],
        refusals: &[Code::BadParameter],
        handler: |c| Box::pin(async move { listing::list(c.ports, c.identity, c.request).await }),
    },
    Route {
        method: "GET",
        path: "/runs/{run}",
        name: "getRun",
        summary: "One run.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<RunView>(200, "The run.")],
        refusals: &[Code::NoRun],
        handler: |c| Box::pin(async move { reading::run(c.ports, c.identity, &c.run()?).await }),
    },
    Route {
        method: "POST",
        path: "/runs/{run}/cancel",
        name: "cancelRun",
        summary: "Ends a run as soon as what is running has ended.",
        parameters: &[],
        body: None,
        answers: WISHED,
        refusals: WISH,
        handler: |c| Box::pin(async move { control::cancel(c.ports, c.identity, &c.run()?).await }),
    },
    Route {
        method: "POST",
        path: "/runs/{run}/pause",
        name: "pauseRun",
        summary: "As cancel, but meant to be resumed.",
        parameters: &[],
        body: None,
        answers: WISHED,
        refusals: WISH,
        handler: |c| Box::pin(async move { control::pause(c.ports, c.identity, &c.run()?).await }),
    },
    Route {
        method: "POST",
        path: "/runs/{run}/resume",
        name: "resumeRun",
        summary: "Goes on with a run that is paused, cancelled or failed.",
        parameters: &[],
        body: None,
        answers: WISHED,
        refusals: WISH,
        handler: |c| Box::pin(async move { control::resume(c.ports, c.identity, &c.run()?).await }),
    },
    Route {
        method: "GET",
        path: "/runs/{run}/events",
        name: "listEvents",
        summary: "What happened since.",
        parameters: &[
            limit::<{ reading::EVENTS.0 }, { reading::EVENTS.1 }>(),
            AFTER,
        ],
        body: None,
        answers: &[Answer::json::<EventPage>(
            200,
            "A page of events, oldest first.",
        )],
        refusals: &[Code::NoRun, Code::BadParameter],
        handler: |c| {
            Box::pin(
                async move { reading::events(c.ports, c.identity, &c.run()?, c.request).await },
            )
        },
    },
    Route {
        method: "GET",
        path: "/runs/{run}/plan",
        name: "getPlan",
        summary: "Shards, reasons, limits, price.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<PlanView>(
            200,
            "The plan, or where it is when it is too large for an answer.",
        )],
        refusals: &[Code::NoRun, Code::NotYet],
        handler: |c| Box::pin(async move { outputs::plan(c.ports, c.identity, &c.run()?).await }),
    },
    Route {
        method: "GET",
        path: "/runs/{run}/result",
        name: "getResult",
        summary: "The collected output.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<ResultView>(200, "The outputs by name.")],
        refusals: &[Code::NoRun, Code::NotYet],
        handler: |c| Box::pin(async move { outputs::result(c.ports, c.identity, &c.run()?).await }),
    },
    Route {
        method: "GET",
        path: "/runs/{run}/logs",
        name: "listLogs",
        summary: "What tasks wrote to standard error.",
        parameters: &[
            limit::<{ logs::LOGS.0 }, { logs::LOGS.1 }>(),
            AFTER,
            SHARD,
            TASK,
        ],
        body: None,
        answers: &[Answer::json::<LogPage>(200, "A page of logs.")],
        refusals: &[Code::NoRun, Code::BadParameter],
        handler: |c| {
            Box::pin(async move { logs::logs(c.ports, c.identity, &c.run()?, c.request).await })
        },
    },
];
