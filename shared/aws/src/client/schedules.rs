//! The routes of schedules, one method each.

use foreshard_model::schedule_api::{
    BackfillAnswer, BackfillRequest, SchedulePage, ScheduleRequest, ScheduleView,
};
use reqwest::Method;

use super::request::Call;
use super::{ApiClient, ApiError};

impl ApiClient {
    /// Makes a schedule, or changes it to this.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn put_schedule(
        &self,
        name: &str,
        request: &ScheduleRequest,
    ) -> Result<ScheduleView, ApiError> {
        let path = ["schedules", name];
        self.call(Call::with_json(Method::PUT, &path, request)?)
            .await
    }

    /// The caller's schedules, by name; with `workflow` only those that its document declares.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn schedules(
        &self,
        workflow: Option<&str>,
        after: Option<&str>,
    ) -> Result<SchedulePage, ApiError> {
        let call = Call::get(&["schedules"])
            .query("workflow", workflow)
            .query("after", after);
        self.call(call).await
    }

    /// One schedule.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn schedule(&self, name: &str) -> Result<ScheduleView, ApiError> {
        self.call(Call::get(&["schedules", name])).await
    }

    /// Starts nothing until it is resumed.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn pause_schedule(&self, name: &str) -> Result<ScheduleView, ApiError> {
        self.wish_of_schedule(Method::POST, &["schedules", name, "pause"])
            .await
    }

    /// Goes on from now.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn resume_schedule(&self, name: &str) -> Result<ScheduleView, ApiError> {
        self.wish_of_schedule(Method::POST, &["schedules", name, "resume"])
            .await
    }

    /// Removes a schedule; its runs stay.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn delete_schedule(&self, name: &str) -> Result<ScheduleView, ApiError> {
        self.wish_of_schedule(Method::DELETE, &["schedules", name])
            .await
    }

    async fn wish_of_schedule(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<ScheduleView, ApiError> {
        let mut call = Call::get(path);
        call.method = method;
        self.call(call).await
    }

    /// Starts the runs of scheduled times that have none, or says which they are. A repeat changes nothing.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn backfill(
        &self,
        name: &str,
        request: &BackfillRequest,
    ) -> Result<BackfillAnswer, ApiError> {
        let path = ["schedules", name, "backfill"];
        self.call(Call::with_json(Method::POST, &path, request)?)
            .await
    }
}
