//! Submits the run of a scheduled time: always the same run, whoever asks and however often.

use foreshard_engine::schedule::rfc3339;
use foreshard_model::api::{SubmitAnswer, SubmitRequest};
use foreshard_model::ids::{RunId, Tenant};
use foreshard_model::schedule::{ScheduleItem, Scheduled, Submission};
use foreshard_model::units::TimeMs;
use serde_json::{Map, Value};

use super::super::Ports;
use super::super::accept::{Admission, admit, would_admit};
use super::super::document::Received;
use super::super::http::Identity;
use super::super::query::brief;
use super::super::refusal::{Code, Refusal};
use super::super::trace;
use crate::keys;
use crate::ports::PortError;

/// The member of the run's input that names its scheduled time.
const SCHEDULED_TIME: &str = "scheduled_time";

/// Submits the run of one scheduled time.
pub(super) async fn start(
    ports: &Ports,
    item: &ScheduleItem,
    time: TimeMs,
) -> Result<SubmitAnswer, Refusal> {
    let identity = of(item);
    let wanted = wanted(&item.submission, time)?;
    let document = registered(ports, &item.tenant, &item.workflow, &item.workflow_version).await?;
    admit(ports, admission(item, time, &identity, &wanted, document)).await
}

/// Finds out whether the run of a scheduled time would be accepted as things are.
pub(super) async fn would_start(
    ports: &Ports,
    item: &ScheduleItem,
    document: Vec<u8>,
    time: TimeMs,
) -> Result<(), Refusal> {
    let identity = of(item);
    let wanted = wanted(&item.submission, time)?;
    would_admit(ports, &admission(item, time, &identity, &wanted, document)).await
}

/// The runs of a schedule belong to whoever made it.
fn of(item: &ScheduleItem) -> Identity {
    Identity {
        account: item.tenant.to_string(),
        principal: item.principal.clone(),
    }
}

fn admission<'a>(
    item: &ScheduleItem,
    time: TimeMs,
    identity: &'a Identity,
    wanted: &'a SubmitRequest,
    document: Vec<u8>,
) -> Admission<'a> {
    let run = RunId::scheduled(&item.tenant, &item.name, time);
    Admission {
        identity,
        trace_id: trace::of_run(&run),
        run,
        wanted,
        document: Received::Here(document),
        inline: true,
        scheduled: Some(Scheduled {
            schedule: item.name.clone(),
            time,
        }),
    }
}

/// A registered document as it was registered.
pub(super) async fn registered(
    ports: &Ports,
    tenant: &Tenant,
    name: &str,
    version: &str,
) -> Result<Vec<u8>, Refusal> {
    match ports
        .blobs
        .get(&keys::workflow(tenant, name, version))
        .await
    {
        Ok(bytes) => Ok(bytes),
        Err(PortError::NotFound(_)) => Err(Refusal::new(
            Code::NoWorkflow,
            format!("`{}` version `{}`", brief(name), brief(version)),
        )),
        Err(error) => Err(error.into()),
    }
}

fn wanted(submission: &Submission, time: TimeMs) -> Result<SubmitRequest, Refusal> {
    let given = submission.input.as_deref().map(serde_json::from_str);
    let given = given
        .transpose()
        .map_err(|e| Refusal::new(Code::Broken, format!("input of a schedule: {e}")))?;
    Ok(SubmitRequest {
        input: Some(input(given, time)),
        options: submission.options.clone(),
        role: submission.role.clone(),
        baggage: submission.baggage.clone(),
        bundles: submission.bundles.clone(),
        ..SubmitRequest::default()
    })
}

/// The input of a scheduled run: an object says which time it stands for.
fn input(given: Option<Value>, time: TimeMs) -> Value {
    match given {
        None | Some(Value::Null) => input(Some(Value::Object(Map::new())), time),
        Some(Value::Object(mut members)) => {
            members
                .entry(SCHEDULED_TIME)
                .or_insert_with(|| rfc3339(time).into());
            Value::Object(members)
        }
        Some(other) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_input_names_the_time_unless_it_is_no_object_or_names_one() {
        let time = TimeMs(1_767_225_600_000);
        let of = |given| input(given, time);
        assert_eq!(of(None), json!({"scheduled_time": "2026-01-01T00:00:00Z"}));
        assert_eq!(
            of(Some(json!({"day": 1}))),
            json!({"day": 1, "scheduled_time": "2026-01-01T00:00:00Z"})
        );
        assert_eq!(
            of(Some(json!({"scheduled_time": 5}))),
            json!({"scheduled_time": 5})
        );
        assert_eq!(of(Some(json!([1]))), json!([1]));
    }
}
