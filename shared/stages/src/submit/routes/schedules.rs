//! Routes of schedules: make, look, wish, backfill.

use foreshard_model::schedule_api::{
    BackfillAnswer, BackfillRequest, SchedulePage, ScheduleRequest, ScheduleView,
};
use schemars::json_schema;

use super::super::refusal::Code;
use super::super::schedules;
use super::super::table::{Answer, At, Parameter, Route, shape};
use super::{AFTER, limit};

const WORKFLOW: Parameter = Parameter {
    at: At::Query,
    name: "workflow",
    about: "Only schedules that this workflow's document declares.",
    shape: |_| json_schema!({"type": "string"}),
};

/// What a wish can be refused for.
const WISH: &[Code] = &[Code::NoSchedule, Code::Busy];

const WISHED: &[Answer] = &[Answer::json::<ScheduleView>(
    200,
    "The schedule as it is then.",
)];

pub(in super::super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/schedules",
        name: "listSchedules",
        summary: "The caller's schedules, by name.",
        parameters: &[
            limit::<{ schedules::SCHEDULES.0 }, { schedules::SCHEDULES.1 }>(),
            AFTER,
            WORKFLOW,
        ],
        body: None,
        answers: &[Answer::json::<SchedulePage>(200, "A page of schedules.")],
        refusals: &[Code::BadParameter],
        handler: |c| Box::pin(async move { schedules::list(c.ports, c.identity, c.request).await }),
    },
    Route {
        method: "GET",
        path: "/schedules/{schedule}",
        name: "getSchedule",
        summary: "One schedule: when it fires next, and what became of its last times.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<ScheduleView>(200, "The schedule.")],
        refusals: &[Code::NoSchedule],
        handler: |c| {
            Box::pin(
                async move { schedules::get(c.ports, c.identity, c.segment("schedule")).await },
            )
        },
    },
    Route {
        method: "PUT",
        path: "/schedules/{schedule}",
        name: "putSchedule",
        summary: "Makes a schedule of a registered workflow, or changes it.",
        parameters: &[],
        body: Some(shape::<ScheduleRequest>()),
        answers: &[
            Answer::json::<ScheduleView>(200, "It was there; it is now as asked."),
            Answer::json::<ScheduleView>(201, "Made."),
        ],
        refusals: &[
            Code::BadBody,
            Code::BadParameter,
            Code::BadSchedule,
            Code::NoWorkflow,
            Code::BadDocument,
            Code::BadOption,
            Code::NoBundle,
            Code::BadInput,
            Code::TooLarge,
            Code::Busy,
        ],
        handler: |c| {
            Box::pin(async move {
                schedules::put(c.ports, c.identity, c.segment("schedule"), c.request).await
            })
        },
    },
    Route {
        method: "DELETE",
        path: "/schedules/{schedule}",
        name: "deleteSchedule",
        summary: "Removes a schedule; its runs stay.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<ScheduleView>(200, "The schedule as it was.")],
        refusals: WISH,
        handler: |c| {
            Box::pin(
                async move { schedules::delete(c.ports, c.identity, c.segment("schedule")).await },
            )
        },
    },
    Route {
        method: "POST",
        path: "/schedules/{schedule}/pause",
        name: "pauseSchedule",
        summary: "Starts nothing until it is resumed.",
        parameters: &[],
        body: None,
        answers: WISHED,
        refusals: WISH,
        handler: |c| {
            Box::pin(
                async move { schedules::pause(c.ports, c.identity, c.segment("schedule")).await },
            )
        },
    },
    Route {
        method: "POST",
        path: "/schedules/{schedule}/resume",
        name: "resumeSchedule",
        summary: "Goes on from now; what went by meanwhile is left to a backfill.",
        parameters: &[],
        body: None,
        answers: WISHED,
        refusals: WISH,
        handler: |c| {
            Box::pin(
                async move { schedules::resume(c.ports, c.identity, c.segment("schedule")).await },
            )
        },
    },
    Route {
        method: "POST",
        path: "/schedules/{schedule}/backfill",
        name: "backfillSchedule",
        summary: "Starts the runs of scheduled times that have none, or says which they are.",
        parameters: &[],
        body: Some(shape::<BackfillRequest>()),
        answers: &[Answer::json::<BackfillAnswer>(
            200,
            "The scheduled times and their runs.",
        )],
        refusals: &[
            Code::BadBody,
            Code::BadOption,
            Code::TooLarge,
            Code::NoSchedule,
            Code::NoWorkflow,
            Code::Busy,
        ],
        handler: |c| {
            Box::pin(async move {
                schedules::backfill(c.ports, c.identity, c.segment("schedule"), c.request).await
            })
        },
    },
];
