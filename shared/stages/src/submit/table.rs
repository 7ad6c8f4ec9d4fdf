//! What a route is: method, path, what it takes, answers and refuses, and who answers it. The router and the OpenAPI
//! document are made from the same rows.

use foreshard_model::ids::RunId;
use futures_util::future::LocalBoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Ports;
use super::http::{ApiRequest, Identity};
use super::refusal::{Answered, Code, Refusal};
use super::routes::TABLE;

/// The JSON Schema of a value; types that have a name end up among the document's components.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type.
pub(super) const fn shape<T: JsonSchema>() -> Shape {
    SchemaGenerator::subschema_for::<T>
}

/// One method of one path.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// Segments that vary are in braces: `/runs/{run}`. Their schemas are in [`super::routes::SEGMENTS`].
    pub(super) path: &'static str,
    /// Name of the operation, which generated clients take for their methods.
    pub(super) name: &'static str,
    /// One line.
    pub(super) summary: &'static str,
    /// Query parameters and headers.
    pub(super) parameters: &'static [Parameter],
    /// The JSON body, where there is one; it is required.
    pub(super) body: Option<Shape>,
    /// Answers that are no refusals.
    pub(super) answers: &'static [Answer],
    /// Refusals beside those of every route.
    pub(super) refusals: &'static [Code],
    pub(super) handler: Handler,
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Query,
    Header,
}

/// A query parameter or a header, never required.
pub(super) struct Parameter {
    pub(super) at: At,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) shape: Shape,
}

/// An answer with a JSON body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    pub(super) shape: Shape,
    /// Headers that go with it, and what they say.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

impl Answer {
    pub(super) const fn json<T: JsonSchema>(status: u16, about: &'static str) -> Self {
        Self {
            status,
            about,
            shape: shape::<T>(),
            headers: &[],
        }
    }
}

/// Answers a call. A function answers one request at a time, on one thread: the future need not be `Send`.
pub(super) type Handler = for<'a> fn(Call<'a>) -> LocalBoxFuture<'a, Answered>;

/// A request that has found its route and whose caller is known.
pub(super) struct Call<'a> {
    pub(super) ports: &'a Ports,
    pub(super) identity: &'a Identity,
    pub(super) request: &'a ApiRequest,
    /// The values of the path's segments in braces.
    pub(super) segments: Vec<(&'static str, String)>,
}

impl Call<'_> {
    /// The value of a segment of the path.
    pub(super) fn segment(&self, name: &str) -> &str {
        let found = self.segments.iter().find(|(n, _)| *n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The run that the path names. An id of another form is no run's: it is answered as one that does not exist.
    pub(super) fn run(&self) -> Result<RunId, Refusal> {
        let text = self.segment("run");
        if RunId::is_well_formed(text) {
            Ok(RunId::from(text))
        } else {
            Err(no_run(text))
        }
    }
}

/// There is no such run, or it is another tenant's: the answer does not tell which.
pub(super) fn no_run(run: &str) -> Refusal {
    Refusal::new(Code::NoRun, format!("`{run}`"))
}

/// Longest path that is looked at: a run's id, a workflow's name and version are far shorter.
const PATH_BYTES: usize = 1_024;

/// Every row of the table.
pub(super) fn routes() -> impl Iterator<Item = &'static Route> {
    TABLE.iter().copied().flatten()
}

/// Values of a template's segments in braces, by name.
pub(super) type Segments = Vec<(&'static str, String)>;

/// The route of a request, with the values of its segments.
pub(super) fn matched(method: &str, path: &str) -> Result<(&'static Route, Segments), Refusal> {
    if path.len() > PATH_BYTES {
        return Err(Refusal::new(Code::NoRoute, "the path is too long"));
    }
    let mut allowed = Vec::new();
    for route in routes() {
        let Some(segments) = segments(route.path, path) else {
            continue;
        };
        if route.method == method {
            return Ok((route, segments));
        }
        allowed.push(route.method);
    }
    if allowed.is_empty() {
        return Err(Refusal::new(Code::NoRoute, format!("`{path}`")));
    }
    allowed.sort_unstable();
    Err(Refusal::method(method, &allowed.join(", ")))
}

/// The values of the template's segments in braces, when the path has its form.
fn segments(template: &'static str, path: &str) -> Option<Segments> {
    let mut values = Vec::new();
    let mut given = path.split('/').filter(|part| !part.is_empty());
    for expected in template.split('/').filter(|part| !part.is_empty()) {
        let seen = given.next()?;
        match expected.strip_prefix('{').and_then(|e| e.strip_suffix('}')) {
            Some(name) => values.push((name, seen.to_owned())),
            None if expected == seen => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str) -> String {
        match matched(method, path) {
            Ok((route, segments)) => {
                let values: Vec<&str> = segments.iter().map(|(_, v)| v.as_str()).collect();
                format!("{} {}", route.name, values.join(" "))
                    .trim()
                    .to_owned()
            }
            Err(refusal) => {
                let answer = refusal.answer();
                let allow = answer.headers.get("allow").cloned().unwrap_or_default();
                format!("{} {allow}", answer.status).trim().to_owned()
            }
        }
    }

    #[test]
    fn a_request_finds_its_route_or_what_its_path_allows() {
        let mut table = String::new();
        for (method, path) in [
            ("POST", "/runs"),
            ("GET", "/runs/"),
            ("DELETE", "/runs"),
            ("GET", "/runs/r-a"),
            ("POST", "/runs/r-a"),
            ("POST", "/runs/r-a/cancel"),
            ("GET", "/runs/r-a/resume"),
            ("GET", "/runs/r-a/nonsense"),
            ("GET", "/runs/r-a/events/more"),
            ("PUT", "/workflows"),
            ("POST", "/workflows"),
            ("GET", "/workflows/etl/1"),
            ("GET", "/"),
        ] {
            table += &format!("{method} {path}: {}\n", check(method, path));
        }
        insta::assert_snapshot!(table, @r"
        POST /runs: submitRun
        GET /runs/: listRuns
        DELETE /runs: 405 GET, POST
        GET /runs/r-a: getRun r-a
        POST /runs/r-a: 405 GET
        POST /runs/r-a/cancel: cancelRun r-a
        GET /runs/r-a/resume: 405 POST
        GET /runs/r-a/nonsense: 404
        GET /runs/r-a/events/more: 404
        PUT /workflows: registerWorkflow
        POST /workflows: 405 GET, PUT
        GET /workflows/etl/1: getWorkflow etl 1
        GET /: 404
        ");
    }

    #[test]
    fn names_and_routes_are_unique_and_every_segment_is_described() {
        let mut names: Vec<&str> = routes().map(|r| r.name).collect();
        let mut places: Vec<(&str, &str)> = routes().map(|r| (r.path, r.method)).collect();
        let rows = names.len();
        names.sort_unstable();
        names.dedup();
        places.sort_unstable();
        places.dedup();
        assert_eq!((names.len(), places.len()), (rows, rows));
        for route in routes() {
            for (name, _) in segments(route.path, route.path).unwrap() {
                let described = super::super::routes::SEGMENTS.iter();
                assert!(described.clone().any(|s| s.name == name), "{}", route.path);
            }
        }
    }
}
