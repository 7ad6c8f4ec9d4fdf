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

/// What every route can be refused for, by the API or by the gateway before it, which answers in the same form.
const EVERYWHERE: [Code; 5] = [
    Code::NoIdentity,
    Code::TooLarge,
    Code::TooMany,
    Code::Broken,
    Code::Unavailable,
];

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
    for (status, lines) in refusals {
        responses.insert(status.to_string(), refused(status, lines));
    }
    responses
}

fn refused(status: u16, mut lines: Vec<String>) -> Value {
    lines.sort();
    lines.dedup();
    let schema = json!({"$ref": "#/components/schemas/ProblemDocument"});
    let mut response = json!({
        "description": lines.join("; "),
        "content": {PROBLEM_JSON: {"schema": schema}},
    });
    if [429, 503].contains(&status) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` below a value.
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    found.push(target.clone());
                }
                members.values().for_each(|v| references(v, found));
            }
            Value::Array(items) => items.iter().for_each(|v| references(v, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = openapi();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > routes().count());
        for target in found {
            let place = target.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{target}");
        }
    }

    #[test]
    fn every_route_is_described_with_its_segments_and_answers() {
        let document = openapi();
        for route in routes() {
            let operation = &document["paths"][route.path][route.method.to_lowercase()];
            assert_eq!(operation["operationId"], route.name);
            let required = operation["parameters"].as_array().map_or(0, |all| {
                all.iter().filter(|p| p["required"] == true).count()
            });
            assert_eq!(required, route.path.matches('{').count(), "{}", route.path);
            for answer in route.answers {
                assert!(operation["responses"][answer.status.to_string()].is_object());
            }
            assert_eq!(
                operation["responses"]["429"]["description"],
                "FS3023: too many at once"
            );
        }
    }
}
