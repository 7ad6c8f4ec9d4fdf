//! The OpenAPI document of the API, made from the table of routes and from the types that they take and answer.

use std::collections::BTreeMap;

use foreshard_model::api::ProblemDocument;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::http::{JSON, PROBLEM_JSON};
use super::refusal::Code;
use super::routes::SEGMENTS;
use super::table::{At, Route, routes};

/// What every route can be refused for.
const EVERYWHERE: [Code; 4] = [
    Code::NoIdentity,
    Code::TooMany,
    Code::Broken,
    Code::Unavailable,
];

/// Statuses that the gateway answers itself, before the API sees the request, as `{"message": …}`.
const GATEWAY: [u16; 5] = [403, 413, 429, 500, 504];

/// The description of the API: OpenAPI 3.1.
#[must_use]
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let path = paths
            .entry(route.path)
            .or_insert_with(|| json!({}))
            .as_object_mut();
        if let Some(path) = path {
            path.insert(
                route.method.to_lowercase(),
                operation(route, &mut generator),
            );
        }
    }
    let _ = generator.subschema_for::<ProblemDocument>();
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Foreshard",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Batch workflows on AWS serverless. Every request is signed with AWS Signature Version 4; \
                            the caller's account is the tenant.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{
            "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
            "variables": {"api": {"default": "api"}, "region": {"default": "us-east-1"}},
        }],
        "security": [{"aws": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"aws": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "AWS Signature Version 4 for the service `execute-api`.",
                "x-amazon-apigateway-authtype": "awsSigv4",
            }},
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "responses": responses(route, generator),
    });
    let parameters = parameters(route, generator);
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(shape) = route.body {
        operation["requestBody"] =
            json!({"required": true, "content": content(JSON, &shape(generator))});
    }
    operation
}

fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let named = |name: &str| {
        route
            .path
            .split('/')
            .any(|part| part == format!("{{{name}}}"))
    };
    let mut all = Vec::new();
    for segment in SEGMENTS.iter().filter(|segment| named(segment.name)) {
        all.push(json!({
            "name": segment.name, "in": "path", "required": true,
            "description": segment.about, "schema": (segment.shape)(generator),
        }));
    }
    for parameter in route.parameters {
        let place = match parameter.at {
            At::Query => "query",
            At::Header => "header",
        };
        all.push(json!({
            "name": parameter.name, "in": place,
            "description": parameter.about, "schema": (parameter.shape)(generator),
        }));
    }
    all
}

fn responses(route: &Route, generator: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    let mut responses = BTreeMap::new();
    for answer in route.answers {
        let headers: Map<String, Value> = answer.headers.iter().map(header).collect();
        let mut response = json!({
            "description": answer.about,
            "content": content(JSON, &(answer.shape)(generator)),
        });
        if !headers.is_empty() {
            response["headers"] = Value::Object(headers);
        }
        responses.insert(answer.status.to_string(), response);
    }
    let mut refusals: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in route.refusals.iter().chain(&EVERYWHERE) {
        let (name, status, title) = code.entry();
        let line = format!("{name}: {title}");
        refusals.entry(status).or_default().push(line);
    }
    for status in GATEWAY {
        refusals.entry(status).or_default();
    }
    for (status, lines) in refusals {
        responses.insert(status.to_string(), refused(status, lines));
    }
    responses
}

fn refused(status: u16, mut lines: Vec<String>) -> Value {
    lines.sort();
    let mut content = Map::new();
    if !lines.is_empty() {
        let schema = json!({"$ref": "#/components/schemas/ProblemDocument"});
        content.insert(PROBLEM_JSON.to_owned(), json!({ "schema": schema }));
    }
    if GATEWAY.contains(&status) {
        let schema = json!({
            "type": "object", "properties": {"message": {"type": ["string", "null"]}},
        });
        content.insert(JSON.to_owned(), json!({ "schema": schema }));
        lines.push("the gateway's own: it refuses before the API sees the request".to_owned());
    }
    let mut response = json!({"description": lines.join("; "), "content": content});
    if status == 429 || status == 503 {
        let header = header(&("Retry-After", "Seconds to wait before a repeat."));
        response["headers"] = Value::Object([header].into_iter().collect());
    }
    response
}

fn header((name, about): &(&'static str, &'static str)) -> (String, Value) {
    let value = json!({"description": about, "schema": {"type": "string"}});
    ((*name).to_owned(), value)
}

fn content(media_type: &str, schema: &Schema) -> Value {
    json!({media_type: {"schema": schema}})
}
