//! What the API refuses: one code for each reason, with its status and title; docs/errors.md explains each.

use foreshard_model::api::ProblemDocument;
use foreshard_model::policy::StartRate;
use foreshard_model::problem::Problem;

use super::http::{ApiResponse, PROBLEM_JSON};
use crate::ports::PortError;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The body is not the JSON that the route takes.
    BadBody,
    /// There is no such route.
    NoRoute,
    /// The route does not take this method.
    BadMethod,
    /// Nobody says who asks.
    NoIdentity,
    /// The caller has no such run.
    NoRun,
    /// A query parameter or a header cannot be understood.
    BadParameter,
    /// The idempotency key stands for another submission.
    KeyReused,
    /// The document or the body is too large for a request.
    TooLarge,
    /// The document is refused, with all of its problems.
    BadDocument,
    /// Not exactly one of `document`, `document_gzip` and `upload`.
    NoDocument,
    /// The encoded document cannot be decoded.
    BadEncoding,
    /// There is no such upload, or not with this content.
    NoUpload,
    /// An option, the role or the baggage is out of bounds.
    BadOption,
    /// The run's state does not allow it.
    BadState,
    /// What is asked for is not there yet.
    NotYet,
    /// The workflow's version is registered with another content.
    VersionTaken,
    /// The caller has no such workflow.
    NoWorkflow,
    /// A bundle that the submission names was not uploaded.
    NoBundle,
    /// A service behind the API does not answer.
    Unavailable,
    /// Others write the same run at the same time, again and again.
    Busy,
    /// Something that was stored cannot be read.
    Broken,
    /// The input lacks values that the workflow takes from it.
    BadInput,
    /// The account starts runs too fast; or, the gateway's own answer, everybody together asks too fast.
    TooMany,
    /// The caller has no such schedule.
    NoSchedule,
    /// Expression, zone or window of a schedule are refused, with all of their problems.
    BadSchedule,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 25] = [
        Self::BadBody,
        Self::NoRoute,
        Self::BadMethod,
        Self::NoIdentity,
        Self::NoRun,
        Self::BadParameter,
        Self::KeyReused,
        Self::TooLarge,
        Self::BadDocument,
        Self::NoDocument,
        Self::BadEncoding,
        Self::NoUpload,
        Self::BadOption,
        Self::BadState,
        Self::NotYet,
        Self::VersionTaken,
        Self::NoWorkflow,
        Self::NoBundle,
        Self::Unavailable,
        Self::Busy,
        Self::Broken,
        Self::BadInput,
        Self::TooMany,
        Self::NoSchedule,
        Self::BadSchedule,
    ];

    /// The stable code, the HTTP status, and one line.
    #[must_use]
    pub fn entry(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadBody => ("FS3001", 400, "the body cannot be understood"),
            Self::NoRoute => ("FS3002", 404, "there is no such route"),
            Self::BadMethod => ("FS3003", 405, "the route does not take this method"),
            Self::NoIdentity => ("FS3004", 403, "the caller is not identified"),
            Self::NoRun => ("FS3005", 404, "there is no such run"),
            Self::BadParameter => ("FS3006", 400, "a parameter cannot be understood"),
            Self::KeyReused => ("FS3007", 409, "the idempotency key is taken"),
            Self::TooLarge => ("FS3008", 413, "too large for a request"),
            Self::BadDocument => ("FS3009", 400, "the document is refused"),
            Self::NoDocument => ("FS3010", 400, "exactly one document is needed"),
            Self::BadEncoding => ("FS3011", 400, "the document cannot be decoded"),
            Self::NoUpload => ("FS3012", 400, "there is no such upload"),
            Self::BadOption => ("FS3013", 400, "an option is out of bounds"),
            Self::BadState => ("FS3014", 409, "the state of the run does not allow it"),
            Self::NotYet => ("FS3015", 409, "not there yet"),
            Self::VersionTaken => ("FS3016", 409, "the version is registered already"),
            Self::NoWorkflow => ("FS3017", 404, "there is no such workflow"),
            Self::NoBundle => ("FS3018", 400, "a bundle is not uploaded"),
            Self::Unavailable => ("FS3019", 503, "a service does not answer"),
            Self::Busy => ("FS3020", 409, "others write at the same time"),
            Self::Broken => ("FS3021", 500, "something stored cannot be read"),
            Self::BadInput => ("FS3022", 400, "the input lacks a value"),
            Self::TooMany => ("FS3023", 429, "too many at once"),
            Self::NoSchedule => ("FS3030", 404, "there is no such schedule"),
            Self::BadSchedule => ("FS3031", 400, "the schedule is refused"),
        }
    }
}

/// When to repeat what a service did not answer, in seconds: DynamoDB and S3 scale within that.
const UNAVAILABLE_RETRY_S: u64 = 2;

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    detail: String,
    problems: Vec<Problem>,
    allow: Option<String>,
    retry_after_s: Option<u64>,
}

/// What a route gives.
pub(super) type Answered = Result<ApiResponse, Refusal>;

impl Refusal {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            problems: Vec::new(),
            allow: None,
            retry_after_s: None,
        }
    }

    /// The document is refused for these problems.
    pub(super) fn document(problems: Vec<Problem>) -> Self {
        Self::new(Code::BadDocument, counted(&problems)).with(problems)
    }

    /// The input is refused for these problems.
    pub(super) fn input(problems: Vec<Problem>) -> Self {
        Self::new(Code::BadInput, counted(&problems)).with(problems)
    }

    /// The same refusal with everything that is wrong.
    pub(super) fn with(self, problems: Vec<Problem>) -> Self {
        Self { problems, ..self }
    }

    /// The route takes only these methods.
    pub(super) fn method(seen: &str, allow: &str) -> Self {
        Self {
            allow: Some(allow.to_owned()),
            ..Self::new(Code::BadMethod, format!("`{seen}`: only {allow}"))
        }
    }

    /// The caller's account has used up its allowance of starts, and has one again after `wait_ms`.
    pub(super) fn too_many(rate: StartRate, wait_ms: u64) -> Self {
        let (burst, per_minute) = (rate.burst, rate.per_minute);
        Self {
            retry_after_s: Some(wait_ms.div_ceil(1_000).max(1)),
            ..Self::new(
                Code::TooMany,
                format!("an account starts {burst} runs at once, and {per_minute} a minute"),
            )
        }
    }

    /// What was seen.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn answer(self) -> ApiResponse {
        let (code, status, title) = self.code.entry();
        let document = ProblemDocument {
            kind: format!("errors.md#{}", code.to_lowercase()),
            title: title.to_owned(),
            status,
            code: code.to_owned(),
            detail: self.detail,
            problems: self.problems,
        };
        let mut answer = ApiResponse::json(status, &document);
        answer.content_type = PROBLEM_JSON;
        if let Some(allow) = self.allow {
            answer.headers.insert("allow", allow);
        }
        let unavailable = (status == 503).then_some(UNAVAILABLE_RETRY_S);
        if let Some(wait_s) = self.retry_after_s.or(unavailable) {
            answer.headers.insert("retry-after", wait_s.to_string());
        }
        answer
    }
}

fn counted(problems: &[Problem]) -> String {
    let count = problems.len();
    format!("{count} problem{}", if count == 1 { "" } else { "s" })
}

/// A port's error that no route has read otherwise.
impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        let code = match error {
            PortError::Conflict(_) => Code::Busy,
            PortError::Unavailable(_) => Code::Unavailable,
            PortError::NotFound(_) | PortError::Corrupt(_) | PortError::Refused(_) => Code::Broken,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_and_has_a_section_that_states_its_status() {
        let page = include_str!("../../../../docs/errors.md");
        let mut codes: Vec<&str> = Vec::new();
        for code in Code::ALL {
            let (name, status, title) = code.entry();
            let heading = format!("\n## {name} ");
            let section = page.split(&heading).nth(1).unwrap_or_default();
            let section = section.split("\n## ").next().unwrap_or_default();
            assert!(section.to_lowercase().starts_with(title), "{name} {title}");
            assert!(section.contains(&format!("HTTP {status}.")), "{name}");
            codes.push(name);
        }
        assert!(codes.is_sorted() && codes.windows(2).all(|w| w[0] != w[1]));
    }
}
