//! Routes of registered workflows.

use foreshard_model::api::{RegisterRequest, WorkflowEntry, WorkflowPage, WorkflowView};

use super::super::refusal::Code;
use super::super::register;
use super::super::table::{Answer, Route, shape};
use super::{AFTER, limit};

pub(in super::super) const ROUTES: &[Route] = &[
    Route {
        method: "PUT",
        path: "/workflows",
        name: "registerWorkflow",
        summary: "Registers a document under its own name and version.",
        parameters: &[],
        body: Some(shape::<RegisterRequest>()),
        answers: &[
            Answer::json::<WorkflowEntry>(200, "The same content is registered already."),
            Answer::json::<WorkflowEntry>(201, "Registered."),
        ],
        refusals: &[
            Code::BadBody,
            Code::BadDocument,
            Code::NoDocument,
            Code::BadEncoding,
            Code::NoUpload,
            Code::TooLarge,
            Code::VersionTaken,
            Code::BadSchedule,
            Code::BadOption,
            Code::NoBundle,
            Code::BadInput,
            Code::Busy,
        ],
        handler: |c| {
            Box::pin(async move { register::register(c.ports, c.identity, c.request).await })
        },
    },
    Route {
        method: "GET",
        path: "/workflows",
        name: "listWorkflows",
        summary: "Registered workflows, by name, then version.",
        parameters: &[
            limit::<{ register::WORKFLOWS.0 }, { register::WORKFLOWS.1 }>(),
            AFTER,
        ],
        body: None,
        answers: &[Answer::json::<WorkflowPage>(
            200,
            "A page of names and versions.",
        )],
        refusals: &[Code::BadParameter],
        handler: |c| Box::pin(async move { register::list(c.ports, c.identity, c.request).await }),
    },
    Route {
        method: "GET",
        path: "/workflows/{name}",
        name: "listVersions",
        summary: "The versions of one workflow.",
        parameters: &[
            limit::<{ register::WORKFLOWS.0 }, { register::WORKFLOWS.1 }>(),
            AFTER,
        ],
        body: None,
        answers: &[Answer::json::<WorkflowPage>(200, "A page of versions.")],
        refusals: &[Code::NoWorkflow, Code::BadParameter],
        handler: |c| {
            Box::pin(async move {
                register::versions(c.ports, c.identity, c.request, c.segment("name")).await
            })
        },
    },
    Route {
        method: "GET",
        path: "/workflows/{name}/{version}",
        name: "getWorkflow",
        summary: "One registered workflow, as it was registered.",
        parameters: &[],
        body: None,
        answers: &[Answer::json::<WorkflowView>(200, "The workflow.")],
        refusals: &[Code::NoWorkflow],
        handler: |c| {
            Box::pin(async move {
                let (name, version) = (c.segment("name"), c.segment("version"));
                register::get(c.ports, c.identity, name, version).await
            })
        },
    },
];
