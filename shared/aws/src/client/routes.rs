//! The routes of the API, one method each.

use foreshard_model::api::{
    EventPage, ForecastsView, LogPage, PlanElsewhere, PrewarmView, RegisterRequest, ResultView,
    RunPage, RunView, SubmitAnswer, SubmitRequest, UploadAnswer, UploadRequest, ValidateAnswer,
    WorkflowEntry, WorkflowPage, WorkflowView,
};
use foreshard_model::ids::RunId;
use foreshard_model::target::Pool;
use foreshard_model::units::TimeMs;
use reqwest::Method;
use serde_json::Value;

use super::request::Call;
use super::{ApiClient, ApiError};

/// Which runs a listing has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those in these states, separated by commas.
    pub state: Option<String>,
    /// Only those of this workflow.
    pub workflow: Option<String>,
    /// Only those accepted since.
    pub since: Option<TimeMs>,
    /// Only those accepted before.
    pub until: Option<TimeMs>,
    /// Only the one that a submission with this idempotency key has given.
    pub key: Option<String>,
}

impl ApiClient {
    /// Submits a workflow. With a `key` the same submission twice gives one run, so it is repeated when no answer comes.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn submit(
        &self,
        request: &SubmitRequest,
        key: Option<&str>,
    ) -> Result<SubmitAnswer, ApiError> {
        let mut call = Call::with_json(Method::POST, &["runs"], request)?;
        call.repeatable = key.is_some();
        call.headers.extend(key.map(|key| ("idempotency-key", key)));
        self.call(call).await
    }

    /// Everything that is wrong with a submission, or what it would become; nothing is stored.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn validate(&self, request: &SubmitRequest) -> Result<ValidateAnswer, ApiError> {
        let mut call = Call::with_json(Method::POST, &["validate"], request)?;
        call.repeatable = true;
        self.call(call).await
    }

    /// The caller's runs, newest first. A page can be shorter than `limit`, even empty, and still name the next.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn runs(
        &self,
        filter: &RunFilter,
        limit: usize,
        after: Option<&str>,
    ) -> Result<RunPage, ApiError> {
        let limit = limit.to_string();
        let ms = |at: Option<TimeMs>| at.map(|at| at.0.to_string());
        let call = Call::get(&["runs"])
            .query("limit", Some(&limit))
            .query("state", filter.state.as_deref())
            .query("workflow", filter.workflow.as_deref())
            .query("since", ms(filter.since).as_deref())
            .query("until", ms(filter.until).as_deref())
            .query("key", filter.key.as_deref())
            .query("after", after);
        self.call(call).await
    }

    /// One run.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn run(&self, run: &RunId) -> Result<RunView, ApiError> {
        self.call(Call::get(&["runs", run.as_str()])).await
    }

    /// Ends a run.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn cancel(&self, run: &RunId) -> Result<RunView, ApiError> {
        self.wish(run, "cancel").await
    }

    /// Pauses a run: what runs is let finish, nothing more is started.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn pause(&self, run: &RunId) -> Result<RunView, ApiError> {
        self.wish(run, "pause").await
    }

    /// Goes on with a run from what has not finished.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn resume(&self, run: &RunId) -> Result<RunView, ApiError> {
        self.wish(run, "resume").await
    }

    async fn wish(&self, run: &RunId, what: &str) -> Result<RunView, ApiError> {
        let path = ["runs", run.as_str(), what];
        let mut call = Call::get(&path);
        call.method = Method::POST;
        self.call(call).await
    }

    /// What happened since `after`, oldest first; an empty `after` begins at the start.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn events(&self, run: &RunId, after: &str) -> Result<EventPage, ApiError> {
        let path = ["runs", run.as_str(), "events"];
        self.call(Call::get(&path).query("after", Some(after)))
            .await
    }

    /// The plan, fetched from the bucket when it is too large for an answer.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn plan(&self, run: &RunId) -> Result<Value, ApiError> {
        let plan: Value = self
            .call(Call::get(&["runs", run.as_str(), "plan"]))
            .await?;
        // A plan has no member `elsewhere`.
        let Some(place) = plan.get("elsewhere") else {
            return Ok(plan);
        };
        let place = PlanElsewhere {
            elsewhere: serde_json::from_value(place.clone())
                .map_err(|error| ApiError::Local(format!("place of the plan: {error}")))?,
        };
        let bytes = self.fetch(&place.elsewhere).await?;
        serde_json::from_slice(&bytes).map_err(|error| ApiError::Local(format!("plan: {error}")))
    }

    /// The declared outputs of a run that has succeeded. What is too large for an answer is named, see [`Self::fetch`].
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn result(&self, run: &RunId) -> Result<ResultView, ApiError> {
        self.call(Call::get(&["runs", run.as_str(), "result"]))
            .await
    }

    /// What tasks wrote to their standard error, of one task or of all. A page may be empty and still name the next.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn logs(
        &self,
        run: &RunId,
        task: Option<&str>,
        after: Option<&str>,
    ) -> Result<LogPage, ApiError> {
        let path = ["runs", run.as_str(), "logs"];
        let call = Call::get(&path).query("task", task).query("after", after);
        self.call(call).await
    }

    /// Where to put a content that is too large for a request.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn upload_place(&self, request: &UploadRequest) -> Result<UploadAnswer, ApiError> {
        let call = Call::with_json(Method::POST, &["uploads"], request)?;
        self.call(call).await
    }

    /// The targets of the deployment.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn pool(&self) -> Result<Pool, ApiError> {
        self.call(Call::get(&["pool"])).await
    }

    /// What the deployment expects of its region and targets.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn forecasts(&self) -> Result<ForecastsView, ApiError> {
        self.call(Call::get(&["forecasts"])).await
    }

    /// The last decisions about provisioned concurrency of each target.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn prewarm(&self) -> Result<PrewarmView, ApiError> {
        self.call(Call::get(&["prewarm"])).await
    }

    /// Registers a workflow under its own name and version.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn register(&self, request: &RegisterRequest) -> Result<WorkflowEntry, ApiError> {
        let call = Call::with_json(Method::PUT, &["workflows"], request)?;
        self.call(call).await
    }

    /// The registered workflows, or the versions of one.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn workflows(
        &self,
        name: Option<&str>,
        after: Option<&str>,
    ) -> Result<WorkflowPage, ApiError> {
        let path: Vec<&str> = ["workflows"].into_iter().chain(name).collect();
        self.call(Call::get(&path).query("after", after)).await
    }

    /// The description of the API, as the deployment serves it: OpenAPI.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn description(&self) -> Result<Value, ApiError> {
        self.call(Call::get(&["openapi.json"])).await
    }

    /// One registered workflow.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn workflow(&self, name: &str, version: &str) -> Result<WorkflowView, ApiError> {
        self.call(Call::get(&["workflows", name, version])).await
    }
}
