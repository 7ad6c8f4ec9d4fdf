//! Routes of the deployment itself: uploads, the pool, and the description of the API.

use foreshard_model::api::{ForecastsView, PrewarmView, UploadAnswer, UploadRequest};
use foreshard_model::target::Pool;
use schemars::json_schema;

use super::super::http::ApiResponse;
use super::super::refusal::Code;
use super::super::table::{Answer, Route, shape};
use super::super::{forecasts, openapi, uploads};

pub(in super::super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/uploads",
        name: "createUpload",
        summary: "Where to put a large document or a bundle.",
        parameters: &[],
        body: Some(shape::<UploadRequest>()),
        answers: &[Answer::json::<UploadAnswer>(200, "Where to put it.")],
        refusals: &[Code::BadBody, Code::TooLarge],
        handler: |c| Box::pin(async move { uploads::upload(c.ports, c.identity, c.request).await }),
    },
    Route {
        method: "GET",
        path: "/pool",
        name: "getPool",
        summary: "The targets of the deployment.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<Pool>(200, "The targets.")],
        refusals: &[],
        handler: |c| Box::pin(async move { Ok(ApiResponse::json(200, &c.ports.wiring.pool())) }),
    },
    Route {
        method: "GET",
        path: "/forecasts",
        name: "getForecasts",
        summary: "What is expected of targets and region.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<ForecastsView>(
            200,
            "The last forecasts and the last outlook; empty before the first.",
        )],
        refusals: &[],
        handler: |c| Box::pin(async move { forecasts::forecasts(c.ports).await }),
    },
    Route {
        method: "GET",
        path: "/prewarm",
        name: "getPrewarm",
        summary: "What was decided about provisioned concurrency.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<PrewarmView>(
            200,
            "The last decisions about each target, the newest first, each with its reasons; empty before the first.",
        )],
        refusals: &[],
        handler: |c| Box::pin(async move { forecasts::prewarm(c.ports).await }),
    },
    Route {
        method: "GET",
        path: "/openapi.json",
        name: "getOpenApi",
        summary: "This description.",
        parameters: &[],
        body: None,
        answers: &[Answer {
            status: 200,
            about: "An OpenAPI 3.1 document.",
            shape: |_| json_schema!({"type": "object"}),
            headers: &[],
        }],
        refusals: &[],
        handler: |_| Box::pin(async { Ok(ApiResponse::json(200, &openapi::openapi())) }),
    },
];
