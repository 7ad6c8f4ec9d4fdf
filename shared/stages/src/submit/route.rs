//! Which route a request takes.

use foreshard_model::ids::RunId;

use super::http::ApiRequest;
use super::refusal::{Code, Refusal};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Submit,
    List,
    Run(RunId),
    Cancel(RunId),
    Pause(RunId),
    Resume(RunId),
    Events(RunId),
    Plan(RunId),
    Result(RunId),
    Logs(RunId),
    Upload,
    Pool,
    Register,
    Workflows,
    Workflow(String, String),
}

/// Longest path that is looked at: a run's id, a workflow's name and version are far shorter.
const PATH_BYTES: usize = 1_024;

pub(super) fn route(request: &ApiRequest) -> Result<Route, Refusal> {
    let path = request.path.as_str();
    if path.len() > PATH_BYTES {
        return Err(Refusal::new(Code::NoRoute, "the path is too long"));
    }
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let choices: Vec<(&'static str, Route)> = match parts.as_slice() {
        ["runs"] => vec![("GET", Route::List), ("POST", Route::Submit)],
        ["runs", id] => vec![("GET", Route::Run(run_id(id)?))],
        ["runs", id, what] => vec![of_run(run_id(id)?, what, path)?],
        ["uploads"] => vec![("POST", Route::Upload)],
        ["pool"] => vec![("GET", Route::Pool)],
        ["workflows"] => vec![("GET", Route::Workflows), ("PUT", Route::Register)],
        ["workflows", name, version] => vec![(
            "GET",
            Route::Workflow((*name).to_owned(), (*version).to_owned()),
        )],
        _ => return Err(none(path)),
    };
    let allow = match choices.as_slice() {
        [(only, _)] => only,
        [("GET", _), ("PUT", _)] => "GET, PUT",
        _ => "GET, POST",
    };
    choices
        .into_iter()
        .find(|(method, _)| *method == request.method)
        .map(|(_, route)| route)
        .ok_or_else(|| Refusal::method(&request.method, allow))
}

fn of_run(run: RunId, what: &str, path: &str) -> Result<(&'static str, Route), Refusal> {
    Ok(match what {
        "cancel" => ("POST", Route::Cancel(run)),
        "pause" => ("POST", Route::Pause(run)),
        "resume" => ("POST", Route::Resume(run)),
        "events" => ("GET", Route::Events(run)),
        "plan" => ("GET", Route::Plan(run)),
        "result" => ("GET", Route::Result(run)),
        "logs" => ("GET", Route::Logs(run)),
        _ => return Err(none(path)),
    })
}

/// An id of another form is no run's: it is answered as one that does not exist.
fn run_id(text: &str) -> Result<RunId, Refusal> {
    if RunId::is_well_formed(text) {
        Ok(RunId::from(text))
    } else {
        Err(no_run(text))
    }
}

/// There is no such run, or it is another tenant's: the answer does not tell which.
pub(super) fn no_run(run: &str) -> Refusal {
    Refusal::new(Code::NoRun, format!("`{run}`"))
}

fn none(path: &str) -> Refusal {
    Refusal::new(Code::NoRoute, format!("`{path}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str) -> String {
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            ..ApiRequest::default()
        };
        match route(&request) {
            Ok(route) => format!("{route:?}"),
            Err(refusal) => {
                let answer = refusal.answer();
                let allow = answer.headers.get("allow").cloned().unwrap_or_default();
                format!("{} {allow}", answer.status).trim().to_owned()
            }
        }
    }

    #[test]
    fn every_route_has_its_methods() {
        let run = "r-aaaaaaaaaaaaaaaaaaaa";
        let mut table = String::new();
        for (method, path) in [
            ("POST", "/runs"),
            ("GET", "/runs/"),
            ("DELETE", "/runs"),
            ("GET", "/runs/r-aaaaaaaaaaaaaaaaaaaa"),
            ("POST", "/runs/r-aaaaaaaaaaaaaaaaaaaa"),
            ("GET", "/runs/short"),
            ("POST", "/runs/r-aaaaaaaaaaaaaaaaaaaa/cancel"),
            ("GET", "/runs/r-aaaaaaaaaaaaaaaaaaaa/resume"),
            ("GET", "/runs/r-aaaaaaaaaaaaaaaaaaaa/nonsense"),
            ("PUT", "/workflows"),
            ("POST", "/workflows"),
            ("GET", "/workflows/etl/1"),
            ("POST", "/uploads"),
            ("GET", "/pool"),
            ("GET", "/"),
        ] {
            let shown = path.replace(run, "<run>");
            let answer = check(method, path).replace(run, "<run>");
            table += &format!("{method} {shown}: {answer}\n");
        }
        insta::assert_snapshot!(table, @r#"
        POST /runs: Submit
        GET /runs/: List
        DELETE /runs: 405 GET, POST
        GET /runs/<run>: Run(RunId("<run>"))
        POST /runs/<run>: 405 GET
        GET /runs/short: 404
        POST /runs/<run>/cancel: Cancel(RunId("<run>"))
        GET /runs/<run>/resume: 405 POST
        GET /runs/<run>/nonsense: 404
        PUT /workflows: Register
        POST /workflows: 405 GET, PUT
        GET /workflows/etl/1: Workflow("etl", "1")
        POST /uploads: Upload
        GET /pool: Pool
        GET /: 404
        "#);
    }
}
